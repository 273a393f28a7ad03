// A tar archive in memory: plain files only, ustar (POSIX.1-1988), which every tar and every desktop opens. Thread rule: one
// thread.
#pragma once

#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace posthus::web_admin {

class Tar {
 public:
  explicit Tar(Timestamp time) : time_(time) {}
  /// REQUIRES: a name of at most 100 bytes.
  void add(std::string_view name, std::string_view bytes);
  std::string take();

 private:
  const Timestamp time_;
  std::string out_;
};

}  // namespace posthus::web_admin
