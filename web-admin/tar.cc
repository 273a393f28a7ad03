// Tar. See tar.h.
#include "web-admin/tar.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/base/check.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kBlock = 512;

// The header of POSIX.1-1988; numbers are octal digits.
struct Head {
  char name[100], mode[8], owner[8], group[8], size[12], time[12], sum[8], kind, link[100], magic[6], version[2], owner_name[32],
      group_name[32], major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(Head) == kBlock);

void put_octal(char* field, std::size_t width, std::uint64_t value) {
  std::snprintf(field, width, "%0*llo", static_cast<int>(width - 1), static_cast<unsigned long long>(value));
}

}  // namespace

void Tar::add(std::string_view name, std::string_view bytes) {
  Head head{};
  CHECK(name.size() < sizeof head.name);
  std::memcpy(head.name, name.data(), name.size());
  put_octal(head.mode, sizeof head.mode, 0600);
  put_octal(head.owner, sizeof head.owner, 0);
  put_octal(head.group, sizeof head.group, 0);
  put_octal(head.size, sizeof head.size, bytes.size());
  put_octal(head.time, sizeof head.time, static_cast<std::uint64_t>(std::max<std::int64_t>(0, time_.seconds())));
  head.kind = '0';
  std::memcpy(head.magic, "ustar", 6);
  std::memcpy(head.version, "00", 2);
  std::memset(head.sum, ' ', sizeof head.sum);  // counts as spaces while it is summed
  std::uint64_t sum = 0;
  const auto* const all = reinterpret_cast<const unsigned char*>(&head);
  for (std::size_t i = 0; i < kBlock; ++i) sum += all[i];
  put_octal(head.sum, 7, sum);
  out_.append(reinterpret_cast<const char*>(&head), kBlock).append(bytes);
  out_.append((kBlock - bytes.size() % kBlock) % kBlock, '\0');
}

std::string Tar::take() {
  out_.append(2 * kBlock, '\0');
  return std::move(out_);
}

}  // namespace posthus::web_admin
