// Secret: a string that wipes itself, is never copied by accident and cannot be streamed or logged.
#pragma once

#include <string>
#include <string_view>

namespace posthus {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(other.value_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = other.value_;
      other.wipe();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// The only way to the bytes; the name makes uses easy to find. The view dies with the Secret.
  std::string_view reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  Secret clone() const { return Secret(value_); }
  void wipe();

 private:
  std::string value_;
};

/// Overwrites the bytes of `text` in a way the compiler may not remove, then clears it.
void wipe(std::string& text);
/// Compares in time that depends on the lengths only.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace posthus
