// LIST with its extended forms (RFC 9051 §6.3.9; RFC 5258, RFC 5819, RFC 6154) and LSUB (RFC 3501 §6.3.9).
// Every superior of a mailbox exists here, so only subscriptions name what does not exist.
#include <algorithm>
#include <map>
#include <set>

#include "imap/execution.h"
#include "imap/mailbox_name.h"
#include "imap/mailbox_place.h"
#include "imap/status_writer.h"
#include "store/directory_reader.h"
#include "store/grant_reader.h"

namespace posthus::imap {
namespace {

/// All superiors of a name, the nearest last: "a/b/c" gives "a" and "a/b".
template <class Visit>
void for_each_superior(std::string_view name, Visit visit) {
  for (auto at = name.find(kHierarchySeparator); at != std::string_view::npos; at = name.find(kHierarchySeparator, at + 1)) {
    visit(name.substr(0, at));
  }
}

class ListCommand : public Execution {
 public:
  explicit ListCommand(ListArguments arguments) : arguments_(std::move(arguments)) {}

  Progress run(SessionState& state, session::Output& out) override {
    if (arguments_.asks_separator) {
      write_separator(out);
      return Progress::kDone;
    }
    const auto written = list(state, out);
    return written ? Progress::kDone : failed(written.error(), "Cannot list the mailboxes");
  }

 protected:
  virtual void write_separator(session::Output& out) const { out.append("* LIST (\\Noselect) \"/\" \"\"\r\n"); }
  virtual Result<> list(SessionState& state, session::Output& out) const;

  bool matches(std::string_view name) const {
    return std::any_of(arguments_.patterns.begin(), arguments_.patterns.end(),
                       [name](const auto& pattern) { return matches_pattern(name, pattern); });
  }
  const ListArguments arguments_;
};

/// One name with what is known about it.
struct Entry {
  const store::MailboxListing* listing = nullptr;  // nothing: subscribed, but does not exist; or a level
  bool is_level = false;                           // above mailboxes of others, none itself
  bool is_subscribed = false;
  bool has_selected_child = false;
};

class Selection {
 public:
  Selection(const ListArguments& arguments, const std::vector<store::MailboxListing>& mailboxes,
            const std::vector<std::string>& subscriptions)
      : arguments_(arguments) {
    for (const auto& mailbox : mailboxes) {
      entries_[mailbox.record.name].listing = &mailbox;
      if (!store::parse_shared_name(mailbox.record.name)) continue;
      for_each_superior(mailbox.record.name,
                        [this](std::string_view superior) { entries_[std::string(superior)].is_level = true; });
    }
    for (const auto& name : subscriptions) {
      // A subscription without a mailbox is listed only when subscriptions are asked for (RFC 9051 §6.3.9.1).
      if (arguments.select_subscribed || entries_.contains(name)) entries_[name].is_subscribed = true;
    }
    if (arguments.is_recursive_match) find_selected_children();
  }
  const std::map<std::string, Entry>& entries() const { return entries_; }

  bool is_selected(const Entry& entry) const {
    if (arguments_.select_subscribed && !entry.is_subscribed) return false;
    if (!arguments_.select_special_use) return true;
    return entry.listing && entry.listing->record.special_use != store::SpecialUse::kNone;
  }

 private:
  void find_selected_children() {
    std::set<std::string> superiors;
    for (const auto& [name, entry] : entries_) {
      if (is_selected(entry)) for_each_superior(name, [&](std::string_view superior) { superiors.emplace(superior); });
    }
    for (const auto& superior : superiors) entries_[superior].has_selected_child = true;
  }
  const ListArguments& arguments_;
  std::map<std::string, Entry> entries_;
};

void add_attribute(std::string& attributes, std::string_view attribute) {
  if (attribute.empty()) return;
  if (!attributes.empty()) attributes.push_back(' ');
  attributes.append(attribute);
}

std::string attributes_of(const Entry& entry, const ListArguments& arguments, bool has_children) {
  std::string attributes;
  if (!entry.listing) add_attribute(attributes, entry.is_level ? "\\Noselect" : "\\NonExistent");
  if (entry.is_subscribed && arguments.return_subscribed) add_attribute(attributes, "\\Subscribed");
  add_attribute(attributes, has_children ? "\\HasChildren" : "\\HasNoChildren");
  if (entry.listing) add_attribute(attributes, special_use_attribute(entry.listing->record.special_use));
  return attributes;
}

/// RFC 9051 §6.3.9.6
std::string_view child_info(const ListArguments& arguments) {
  if (arguments.select_subscribed && arguments.select_special_use) return " (\"CHILDINFO\" (\"SUBSCRIBED\" \"SPECIAL-USE\"))";
  return arguments.select_subscribed ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))" : " (\"CHILDINFO\" (\"SPECIAL-USE\"))";
}

/// Mailboxes of others, under the names by which the session knows them. Their special uses are their owner's.
Result<> add_shared_mailboxes(const store::Snapshot& snapshot, AccountId self, std::vector<store::MailboxListing>& mailboxes) {
  for (const store::GrantRecord& grant : POSTHUS_TRY(store::GrantReader(snapshot).of_delegate(self))) {
    const auto owner = POSTHUS_TRY(store::DirectoryReader(snapshot).user(grant.owner));
    if (!owner || grant.access == MailboxAccess::kNone) continue;
    const std::string inbox = store::shared_name(owner->address, "INBOX");
    const auto parsed = store::parse_shared_name(inbox);
    if (!parsed || parsed->owner_address != owner->address) continue;  // no name leads there
    for (store::MailboxListing& listing : POSTHUS_TRY(store::list_mailboxes(snapshot, grant.owner))) {
      listing.record.name = store::shared_name(owner->address, listing.record.name);
      listing.record.special_use = store::SpecialUse::kNone;
      mailboxes.push_back(std::move(listing));
    }
  }
  return {};
}

Result<> ListCommand::list(SessionState& state, session::Output& out) const {
  const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
  auto mailboxes = POSTHUS_TRY(store::list_mailboxes(*snapshot, state.account));
  POSTHUS_TRY_VOID(add_shared_mailboxes(*snapshot, state.account, mailboxes));
  std::vector<std::string> subscriptions;
  if (arguments_.select_subscribed || arguments_.return_subscribed) {
    subscriptions = POSTHUS_TRY(store::list_subscriptions(*snapshot, state.account));
  }
  const Selection selection(arguments_, mailboxes, subscriptions);
  const auto& entries = selection.entries();
  for (auto at = entries.begin(); at != entries.end(); ++at) {
    const auto& [name, entry] = *at;
    const bool is_selected = selection.is_selected(entry);
    if ((!is_selected && !entry.has_selected_child) || !matches(name)) continue;
    const bool has_children = entry.has_selected_child || entry.is_level || (entry.listing && entry.listing->has_children);
    out.append("* LIST (").append(attributes_of(entry, arguments_, has_children)).append(") \"/\" ");
    append_mailbox(out, name, state.name_form());
    if (entry.has_selected_child) out.append(child_info(arguments_));
    out.append("\r\n");
    if (!arguments_.return_status || !entry.listing || !is_selected) continue;
    POSTHUS_TRY_VOID(append_status(out, *snapshot, entry.listing->record, *arguments_.return_status, state.name_form()));
  }
  return {};
}

class LsubCommand final : public ListCommand {
 public:
  using ListCommand::ListCommand;

 protected:
  void write_separator(session::Output& out) const override { out.append("* LSUB (\\Noselect) \"/\" \"\"\r\n"); }
  /// RFC 3501 §6.3.9: names behind a "%" show as superiors with \Noselect.
  Result<> list(SessionState& state, session::Output& out) const override {
    const auto snapshot = POSTHUS_TRY(state.context.store.snapshot());
    const auto subscriptions = POSTHUS_TRY(store::list_subscriptions(*snapshot, state.account));
    std::map<std::string, bool> names;  // is it subscribed itself?
    const bool has_percent = std::any_of(arguments_.patterns.begin(), arguments_.patterns.end(),
                                         [](const auto& pattern) { return pattern.ends_with('%'); });
    for (const auto& name : subscriptions) {
      if (matches(name)) names[name] = true;
      if (!has_percent) continue;
      for_each_superior(name, [&](std::string_view superior) {
        if (matches(superior)) names.try_emplace(std::string(superior), false);
      });
    }
    for (const auto& [name, is_subscribed] : names) {
      out.append(is_subscribed ? "* LSUB () \"/\" " : "* LSUB (\\Noselect) \"/\" ");
      append_mailbox(out, name, state.name_form());
      out.append("\r\n");
    }
    return {};
  }
};

}  // namespace

Making make_list(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<ListCommand>(std::get<ListArguments>(std::move(arguments)));
}

Making make_lsub(SessionState&, Arguments arguments, Numbers) {
  return std::make_unique<LsubCommand>(std::get<ListArguments>(std::move(arguments)));
}

}  // namespace posthus::imap
