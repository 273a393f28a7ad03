// CHECK: a broken invariant is a bug of ours; log where, and abort. Never for input from outside.
#pragma once

namespace posthus {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) ::posthus::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
