// MappedPages: see the header.
#include "store/mapped_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

namespace posthus::store {
namespace {

/// Where this process has mapped the file, by /proc; nothing when it does not tell. (LMDB only tells of fixed maps.)
std::span<std::byte> map_of(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  std::FILE* const file = real ? std::fopen("/proc/self/maps", "re") : nullptr;
  if (!file) return {};
  const std::string wanted = " " + std::string(real.get()) + "\n";
  std::span<std::byte> found;
  std::array<char, 8192> line;  // a path has at most 4096 bytes
  while (found.empty() && std::fgets(line.data(), line.size(), file)) {
    std::uintptr_t begin = 0, end = 0;
    if (!std::string_view(line.data()).ends_with(wanted) || std::sscanf(line.data(), "%lx-%lx", &begin, &end) != 2) continue;
    found = {reinterpret_cast<std::byte*>(begin), reinterpret_cast<std::byte*>(end)};
  }
  std::fclose(file);
  return found;
}

/// Bytes of files that are resident in this process, programs and libraries with them.
std::optional<std::uint64_t> resident_file_bytes(int statm) {
  if (statm < 0) return std::nullopt;
  std::array<char, 128> text{};
  const ssize_t size = ::pread(statm, text.data(), text.size() - 1, 0);  // "SIZE RESIDENT FILES ...", in pages
  unsigned long pages = 0;
  if (size <= 0 || std::sscanf(text.data(), "%*u %*u %lu", &pages) != 1) return std::nullopt;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MappedPages::~MappedPages() {
  if (statm_ >= 0) ::close(statm_);
}

void MappedPages::watch(const std::string& path) {
  map_ = map_of(path);
  if (!map_.empty()) statm_ = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  seen_.store(resident_file_bytes(statm_).value_or(0), std::memory_order_relaxed);
}

void MappedPages::look() {
  const std::uint64_t after = look_after_.load(std::memory_order_relaxed);
  const std::uint64_t told = told_.exchange(0, std::memory_order_relaxed);
  const auto resident = told < after ? std::nullopt : resident_file_bytes(statm_);  // else another thread was first
  if (!resident) return;
  const std::uint64_t seen = seen_.exchange(*resident, std::memory_order_relaxed);
  const std::uint64_t grown = *resident - std::min(*resident, seen);
  look_after_.store(
      grown > kMostWalkBytes / 4 ? std::max(after / 2, kLookAfterAtLeast) : std::min(after + after / 8, kLookAfterAtMost),
      std::memory_order_relaxed);
  double all = 0;
  for (const Share& share : shares_) all += static_cast<double>(share.touched.load(std::memory_order_relaxed));
  const bool walks = has_grown(MapReader::kWalk, grown, all, most_walk_.load(std::memory_order_relaxed));
  const std::int64_t rest = clock_.now().microseconds - given_back_at_.load(std::memory_order_relaxed);
  const bool works = rest >= 0 && rest < kWorksFor;
  const bool writer = has_grown(MapReader::kWriterAndQueue, grown, all, works ? kMostWriterBytes : kMostWalkBytes);
  has_grown(MapReader::kMail, grown, all, 0);
  if (walks || writer) give_back();
}

// WHY by what was told: that a page has become resident does not tell who read it.
bool MappedPages::has_grown(MapReader reader, std::uint64_t grown, double touched_by_all, std::uint64_t most) {
  Share& share = shares_[static_cast<std::size_t>(reader)];
  const double part = static_cast<double>(share.touched.exchange(0, std::memory_order_relaxed)) / std::max(touched_by_all, 1.0);
  const auto mine = static_cast<std::uint64_t>(static_cast<double>(grown) * std::min(part, 1.0));
  return share.grown.fetch_add(mine, std::memory_order_relaxed) + mine >= most;
}

// WHY others_ is learned: statm does not tell the files apart, and what does (smaps) walks over every page.
void MappedPages::look_at_mail() {
  told_mail_.store(0, std::memory_order_relaxed);
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(250);
  if (looked_at_mail_.exchange(now, std::memory_order_relaxed) == now) return;
  const auto resident = resident_file_bytes(statm_);
  if (!resident) return;
  const std::uint64_t others = std::min(others_.load(std::memory_order_relaxed), *resident);
  others_.store(others, std::memory_order_relaxed);
  if (*resident - others >= kMostMailBytes) give_back();
}

void MappedPages::give_back() {
  ::madvise(map_.data(), map_.size(), MADV_DONTNEED);
  given_back_at_.store(clock_.now().microseconds, std::memory_order_relaxed);
  const std::uint64_t left = resident_file_bytes(statm_).value_or(0);
  others_.store(left, std::memory_order_relaxed);
  seen_.store(left, std::memory_order_relaxed);
  for (Share& share : shares_) share.grown.store(0, std::memory_order_relaxed);
}

}  // namespace posthus::store
