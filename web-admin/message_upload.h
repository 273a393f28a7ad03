// MessageUpload: a message posted to /api/v1/deliver while its bytes arrive. Goes straight into the store's
// IncomingMessage (memory stays bounded), lone LFs become CRLF, trace fields stand in front (RFC 5321 §4.4).
// Thread rule: one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "store/incoming_message.h"
#include "store/write_request.h"
#include "web-admin/target.h"

namespace posthus::web_admin {

struct ServerContext;

class MessageUpload {
 public:
  /// Resolves the parameter "to" and reads "from" (optional, default the null reverse-path). Errors: kInvalid, kNotFound,
  /// kDenied (disabled), kOverQuota.
  static Result<MessageUpload> begin(const ServerContext& context, const Target& target);

  Result<> append(std::string_view bytes);
  Result<> finish();
  /// REQUIRES: finish() succeeded. Empties the upload.
  store::AddMessage take();

 private:
  explicit MessageUpload(store::IncomingMessage message) : message_(std::move(message)) {}

  store::IncomingMessage message_;
  std::vector<MailboxId> inboxes_;
  std::string reverse_path_;
  Timestamp received_;
  char last_ = '\n';
};

}  // namespace posthus::web_admin
