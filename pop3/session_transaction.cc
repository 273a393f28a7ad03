// The TRANSACTION state (RFC 1939 §5) and the UPDATE state (§6). RETR and TOP that are well-formed never come here: they
// are gathered in received() and answered by Retrieval.
#include <charconv>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "pop3/server_session_state.h"

namespace posthus::pop3 {

using session::Step;

namespace {

constexpr std::size_t kListingPiece = 64 * 1024;  // then the driver gets to flush

}  // namespace

// RFC 1939 §5: "+OK", a space, the number of messages, a space, the size of the maildrop.
Step ServerSession::on_stat(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  output.append("+OK ");
  append_number(output, maildrop_->count());
  output.push_back(' ');
  append_number(output, maildrop_->octets());
  output.append("\r\n");
  return Step::kRead;
}

Step ServerSession::on_list(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return list_one(arguments, ListingKind::kSizes, output);
  append_ok(output, Text::kMaildropHas, language_, maildrop_->count(), maildrop_->octets());
  return start_listing(ListingKind::kSizes);
}

Step ServerSession::on_uidl(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return list_one(arguments, ListingKind::kUniqueIds, output);
  append_ok(output, Text::kUniqueIds, language_);
  return start_listing(ListingKind::kUniqueIds);
}

Step ServerSession::list_one(std::string_view arguments, ListingKind kind, Output& output) {
  const auto number = message_number(next_parameter(arguments));
  if (!number || !arguments.empty()) return refuse(output, Text::kBadArguments);
  const Maildrop::Entry* const entry = maildrop_->find(*number);
  if (!entry) return refuse(output, Text::kNoSuchMessage);
  listing_kind_ = kind;
  output.append("+OK ");
  append_listing_line(*number, *entry, output);
  return Step::kRead;
}

Step ServerSession::start_listing(ListingKind kind) {
  listing_kind_ = kind;
  listing_next_ = 1;
  is_in_answer_ = true;
  return start(Work::kListing);
}

void ServerSession::append_listing_line(std::uint32_t number, const Maildrop::Entry& entry, Output& output) const {
  append_number(output, number);
  output.push_back(' ');
  if (listing_kind_ == ListingKind::kSizes)
    append_number(output, entry.size);
  else
    maildrop_->append_unique_id(output, entry);
  output.append("\r\n");
}

void ServerSession::write_listing(Output& output) {
  const std::size_t begin = output.size();
  for (; listing_next_ <= maildrop_->size() && output.size() - begin < kListingPiece; ++listing_next_) {
    const Maildrop::Entry* const entry = maildrop_->find(listing_next_);
    if (entry) append_listing_line(listing_next_, *entry, output);
  }
  if (listing_next_ <= maildrop_->size()) return;
  output.append(".\r\n");
  listing_next_ = 0;
  is_in_answer_ = false;
}

/// What received() did not gather: no number, or no such message.
Step ServerSession::on_retr(std::string_view arguments, Output& output) {
  const auto number = message_number(next_parameter(arguments));
  if (!number || !arguments.empty()) return refuse(output, Text::kBadArguments);
  return refuse(output, Text::kNoSuchMessage);
}

Step ServerSession::on_top(std::string_view arguments, Output& output) {
  const auto number = message_number(next_parameter(arguments));
  const std::string_view lines = next_parameter(arguments);
  if (!number || (lines != "0" && !message_number(lines)) || !arguments.empty()) return refuse(output, Text::kBadArguments);
  return refuse(output, Text::kNoSuchMessage);
}

Step ServerSession::on_dele(std::string_view arguments, Output& output) {
  const auto number = message_number(next_parameter(arguments));
  if (!number || !arguments.empty()) return refuse(output, Text::kBadArguments);
  if (!maildrop_->find(*number)) return refuse(output, Text::kNoSuchMessage);
  maildrop_->mark_deleted(*number);
  append_ok(output, Text::kDeleted, language_);
  return Step::kRead;
}

Step ServerSession::on_rset(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  maildrop_->reset();
  append_ok(output, Text::kMaildropHas, language_, maildrop_->count(), maildrop_->octets());
  return Step::kRead;
}

Step ServerSession::on_noop(std::string_view arguments, Output& output) {
  if (!arguments.empty()) return refuse(output, Text::kBadArguments);
  append_ok(output, Text::kNothingDone, language_);
  return Step::kRead;
}

// UPDATE: one transaction, so that the client's picture and ours never part.
void ServerSession::begin(session::Resume resume) {
  store::Expunge expunge;
  expunge.mailbox = maildrop_->mailbox();
  expunge.uids = maildrop_->deleted();
  expunge.rule = store::ExpungeRule::kAllNamed;
  expunge.atomicity = store::Atomicity::kWhole;
  context_.store.submit(std::move(expunge), [this, resume = std::move(resume)](Result<store::WriteOutcome> outcome) mutable {
    update_result_ = {};
    if (!outcome) update_result_ = std::unexpected(std::move(outcome).error());
    resume();
  });
}

Step ServerSession::update_finished(Output& output) {
  if (!update_result_) {
    log::warning(
        "pop3.update",
        {{"user", login_}, {"error", to_string(update_result_.error().kind)}, {"context", update_result_.error().context}});
    close_maildrop();
    append_error(output, Code::kSysTemp, Text::kNothingWasDeleted, language_);
    return Step::kClose;
  }
  static metrics::Counter& count = metrics::counter("posthus_pop3_deleted_total", "Messages deleted by POP3 clients");
  deleted_ = maildrop_->deleted_count();
  count.add(deleted_);
  close_maildrop();
  append_ok(output, Text::kGoodbye, language_);
  return Step::kClose;
}

}  // namespace posthus::pop3
