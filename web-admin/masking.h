// Masking of what tells who wrote to whom, for what leaves the house: the same address becomes the same mask within one text and
// another one in the next, so that a reader can follow it and cannot find out whose it is. Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>

namespace posthus::web_admin {

class Masking {
 public:
  /// With a key of its own, which is forgotten with it.
  Masking();
  explicit Masking(std::string key) : key_(std::move(key)) {}

  /// Local parts of mail addresses become "u" and eight hex digits; domains stay, because they are what goes wrong.
  std::string addresses(std::string_view text) const;
  /// A line of the log (JSON): addresses as above; all of a login that is no plain address; of clients' IP addresses the network
  /// stays.
  std::string log_line(std::string_view json) const;

 private:
  std::string mask(std::string_view text) const;
  const std::string key_;
};

}  // namespace posthus::web_admin
