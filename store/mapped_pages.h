// MappedPages: bounds how much of a file that is read through a map stays in this process.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace posthus::store {

/// Pages of a map that was read stay resident until the machine lacks memory: a walk over a large index would cost as much memory
/// as the index has. Readers tell what they have touched; now and then the resident pages are counted, and given back when more
/// than kMostMappedBytes of them came that way. Given back, they stay in the page cache: who reads them again pays a soft fault.
/// What clients read of mailboxes, over and over, is looked at four times a second only, and may be kMostMailBytes then: a fault
/// for each page would cost them a fifth of their speed.
/// Thread rule: touched() any thread, also while others read the map.
class MappedPages {
 public:
  MappedPages() = default;
  ~MappedPages();
  MappedPages(const MappedPages&) = delete;
  MappedPages& operator=(const MappedPages&) = delete;

  /// Finds where this process has mapped the file. Where it has not, or nobody tells (no /proc), nothing is ever given back.
  /// REQUIRES: nobody writes through the map (what was changed there would be lost); before the first touched().
  void watch(const std::string& path);

  /// How large the file is. A part of it may always be mapped: giving back costs as the map is large. Any thread.
  void file_has(std::uint64_t bytes) { most_.store(std::max(kMostMappedBytes, bytes / kPartOfFile), std::memory_order_relaxed); }

  /// `bytes`: about so many may have become resident. Best effort, no errors.
  void touched(std::uint64_t bytes) {
    const std::uint64_t all = touched_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (all >= look_after_.load(std::memory_order_relaxed)) look();
  }
  /// The same, for what clients read of mailboxes.
  void touched_mail(std::uint64_t bytes) {
    mail_since_look_.fetch_add(bytes, std::memory_order_relaxed);
    const std::uint64_t all = touched_mail_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (all >= kLookAfterAtMost) look_at_mail();
  }

  /// One read at some place: the kernel maps the sixteen pages around it, when the page cache has them.
  static constexpr std::uint64_t kPageWindow = 64 * 1024;
  static constexpr std::uint64_t kMostMailBytes = 12 * 1024 * 1024;
  static constexpr std::uint64_t kMostMappedBytes = 2 * 1024 * 1024;  // the paths into any table, and a page of each list
  static constexpr std::uint64_t kPartOfFile = 512;
  // A look costs two microseconds, some five reads. Looks come closer together while the map grows faster than was told.
  static constexpr std::uint64_t kFirstLookAfter = 1024 * 1024, kLookAfterAtLeast = 256 * 1024,
                                 kLookAfterAtMost = 4 * 1024 * 1024;

 private:
  void look();
  void look_at_mail();
  void give_back();

  std::span<std::byte> map_;
  int statm_ = -1;
  std::atomic<std::uint64_t> touched_{0}, touched_mail_{0}, mail_since_look_{0}, look_after_{kFirstLookAfter};
  std::atomic<std::uint64_t> most_{kMostMappedBytes};
  std::atomic<std::int64_t> looked_at_mail_{0};    // the quarter of a second of the last look_at_mail()
  std::atomic<std::uint64_t> others_{UINT64_MAX};  // resident bytes of other files: the program, its libraries
  std::atomic<std::uint64_t> seen_{0};             // of all files, after the last look()
  std::atomic<std::uint64_t> walked_{0};           // of the map, not for mail, as far as can be told
};

}  // namespace posthus::store
