// Forward addresses: what we make is read back to the same sender and is a mailbox by our own grammar; what a stranger sends is
// refused unless it is of our making.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "core/mail/forward_address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus;
  using namespace posthus::mail;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Timestamp now = Timestamp::from_seconds(1'795'302'346);
  // As somebody's forward address to us: a stranger does not know the secret.
  CHECK(!original_sender({std::string(text), "ours.test"}, {"the secret", "an older one"}, now));
  const auto sender = parse_mailbox(text, Utf8::kAllow);
  if (!sender) return 0;
  CHECK(sender->local_part.size() <= kMaxLocalPart || is_forward_address(sender->local_part));
  const auto forwarded = forward_address(*sender, "ours.test", "the secret", now);
  if (!forwarded) return 0;
  CHECK(to_string(*forwarded).size() <= kMaxForwardPath);
  CHECK(parse_mailbox(to_string(*forwarded), Utf8::kAllow).value() == *forwarded);
  const auto original = original_sender(*forwarded, {"the secret"}, now);
  if (!is_forward_address(sender->local_part)) CHECK(original && *original == *sender);
  const auto again = forward_address(*forwarded, "next.test", "their secret", now);
  if (again && forwarded->local_part.starts_with("SRS0")) {
    CHECK(original_sender(*again, {"their secret"}, now).value() == *forwarded);
  }
  return 0;
}
