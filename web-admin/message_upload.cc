// Messages posted by the admin. RFC 5321 §4.4 (trace), §2.3.8 (line ends).
#include "web-admin/message_upload.h"

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/mail/address.h"
#include "core/mail/trace.h"
#include "store/directory_reader.h"
#include "web-admin/api.h"
#include "web-admin/lists.h"

namespace posthus::web_admin {
namespace {

Result<std::vector<MailboxId>> resolve(const ServerContext& context, const mail::Address& recipient) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  store::Resolution resolution = POSTHUS_TRY(store::DirectoryReader(*snapshot).resolve(recipient, 0));
  const std::string text = mail::to_string(recipient);
  using Kind = store::Resolution::Kind;
  switch (resolution.kind) {
    case Kind::kLocal:
      // WHY all or nobody: what is posted here has no queue to wait in.
      if (!resolution.full_members.empty()) {
        return fail(ErrorKind::kOverQuota, "the mailbox of " + resolution.full_members.front() + " is full");
      }
      return std::move(resolution.inboxes);
    case Kind::kNoSuchDomain:
    case Kind::kNoSuchUser: return fail(ErrorKind::kNotFound, "nobody here has the address " + text);
    case Kind::kDisabled: return fail(ErrorKind::kDenied, text + " is disabled");
    case Kind::kOverQuota: return fail(ErrorKind::kOverQuota, "the mailbox of " + text + " is full");
    case Kind::kRelay: return fail(ErrorKind::kDenied, text + " is of a relay domain; only local mailboxes are delivered to");
    case Kind::kRemoteAlias:
      return fail(ErrorKind::kDenied, text + " is forwarded elsewhere; only local mailboxes are delivered to");
    case Kind::kOnlyMembers:
    case Kind::kOnlyDomain: return fail(ErrorKind::kDenied, text + " leads to a group that is not open to all");
    case Kind::kAliasLoop: return fail(ErrorKind::kInvalid, "the aliases of " + text + " are nested too deeply");
  }
  return fail(ErrorKind::kInvalid, text);
}

}  // namespace

Result<MessageUpload> MessageUpload::begin(const ServerContext& context, const Target& target) {
  POSTHUS_TRY_VOID(check_parameters(target, {"to", "from"}));
  const std::string* to = target.parameter("to");
  if (!to) return fail(ErrorKind::kInvalid, "parameter 'to' is missing");
  const auto recipient = mail::parse_mailbox(*to, mail::Utf8::kAllow);
  if (!recipient) return fail(ErrorKind::kInvalid, "parameter 'to' is not a mail address");
  std::optional<mail::Address> reverse_path;
  if (const std::string* from = target.parameter("from"); from && !from->empty()) {
    const auto sender = mail::parse_mailbox(*from, mail::Utf8::kAllow);
    if (!sender) return fail(ErrorKind::kInvalid, "parameter 'from' is not a mail address");
    reverse_path = *sender;
  }
  MessageUpload upload(context.store.begin_message());
  upload.inboxes_ = POSTHUS_TRY(resolve(context, *recipient));
  upload.received_ = context.clock.now();
  if (reverse_path) upload.reverse_path_ = mail::to_string(*reverse_path);
  const std::string trace = mail::return_path_field(reverse_path) + mail::received_field({.hostname = context.hostname,
                                                                                          .with = "HTTP",
                                                                                          .id = to_hex(random_bytes(8)),
                                                                                          .recipient = *recipient,
                                                                                          .time = upload.received_});
  POSTHUS_TRY_VOID(upload.message_.append(trace));
  return upload;
}

Result<> MessageUpload::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t feed = bytes.find('\n');
    const std::string_view line = bytes.substr(0, feed);
    if (!line.empty()) {
      POSTHUS_TRY_VOID(message_.append(line));
      last_ = line.back();
    }
    if (feed == std::string_view::npos) break;
    POSTHUS_TRY_VOID(message_.append(last_ == '\r' ? "\n" : "\r\n"));
    last_ = '\n';
    bytes.remove_prefix(feed + 1);
  }
  return {};
}

Result<> MessageUpload::finish() {
  if (last_ != '\n') POSTHUS_TRY_VOID(append("\n"));
  return message_.finish();
}

store::AddMessage MessageUpload::take() {
  store::AddMessage request{.message = std::move(message_), .internal_date = received_, .reverse_path = reverse_path_};
  for (const MailboxId inbox : inboxes_) request.targets.push_back({.mailbox = inbox});
  return request;
}

}  // namespace posthus::web_admin
