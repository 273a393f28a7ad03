// What of a message's trace somebody may see who is no server admin. Who sent it sees all of it; a recipient sees that it came
// and what happened to his own copy, but neither other recipients nor where its sender sat. Addresses that anybody may claim (the
// envelope's sender) count for nothing. Thread rule: not shared between threads.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace posthus::web_admin {

class TraceView {
 public:
  /// Is this his own address, or of a domain of his?
  using IsMine = std::function<bool(std::string_view address)>;
  explicit TraceView(IsMine is_mine) : is_mine_(std::move(is_mine)) {}

  /// A message's first event (number 0): may he see anything of it?
  bool begin(const std::string& first_event);
  /// An event of that message as he may see it; nothing when he may not.
  std::optional<std::string> narrowed(const std::string& event) const;

 private:
  IsMine is_mine_;
  bool is_sender_ = false;
  std::set<std::string, std::less<>> mine_;  // recipients of the message that are his, as written
};

}  // namespace posthus::web_admin
