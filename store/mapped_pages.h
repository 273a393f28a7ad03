// MappedPages: bounds how much of a file that is read through a map stays in this process.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/clock.h"

namespace posthus::store {

/// Who reads. Each has its own share of what may stay resident.
enum class MapReader : std::uint8_t {
  kWalk,            // lists and searches: what comes next is elsewhere
  kWriterAndQueue,  // the ends of the tables, again and again, wherever the last commit put them; what waits and when it is due
  kMail,            // what clients read of mailboxes, over and over
};

/// Pages of a map that was read stay resident until the machine lacks memory: a walk over a large index would cost as much memory
/// as the index has. Readers tell what they have touched; after so much the resident pages are counted, and given back when one
/// kind of readers has more than its share. Given back, they stay in the page cache: who reads them again pays a soft fault.
/// Mail is looked at four times a second only: a fault for each page would cost clients a fifth of their speed.
/// The writer may keep more only while it works: when a second has gone by since pages were given back, its share is as small as
/// that of walks.
/// Thread rule: touched() any thread, also while others read the map. REQUIRES: the clock outlives it.
class MappedPages {
 public:
  explicit MappedPages(const Clock& clock) : clock_(clock) {}
  ~MappedPages();
  MappedPages(const MappedPages&) = delete;
  MappedPages& operator=(const MappedPages&) = delete;

  /// Finds where this process has mapped the file. Where it has not, or nobody tells (no /proc), nothing is ever given back.
  /// REQUIRES: nobody writes through the map (what was changed there would be lost); before the first touched().
  void watch(const std::string& path);

  /// How large the file is. A part of it may always be mapped: giving back costs as the map is large. Any thread.
  void file_has(std::uint64_t bytes) {
    most_walk_.store(std::max(kMostWalkBytes, bytes / kPartOfFile), std::memory_order_relaxed);
  }

  /// `bytes`: about so many may have become resident. Best effort, no errors.
  void touched(MapReader reader, std::uint64_t bytes) {
    Share& share = shares_[static_cast<std::size_t>(reader)];
    share.touched.fetch_add(bytes, std::memory_order_relaxed);
    const bool is_mail = reader == MapReader::kMail;
    const std::uint64_t told = (is_mail ? told_mail_ : told_).fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (told < (is_mail ? kLookAfterAtMost : look_after_.load(std::memory_order_relaxed))) return;
    if (is_mail) {
      look_at_mail();
    } else {
      look();
    }
  }

  /// One read at some place: the kernel maps the sixteen pages around it, when the page cache has them.
  static constexpr std::uint64_t kPageWindow = 64 * 1024;
  static constexpr std::uint64_t kMostWalkBytes = 2 * 1024 * 1024;    // the paths into any table, and a page of each list
  static constexpr std::uint64_t kMostWriterBytes = 8 * 1024 * 1024;  // with less, mail that comes in fast would pay a tenth
  static constexpr std::int64_t kWorksFor = 1'000'000;                // microseconds since pages were given back
  static constexpr std::uint64_t kMostMailBytes = 12 * 1024 * 1024;   // after a quarter of a second
  static constexpr std::uint64_t kPartOfFile = 512;
  // A look costs two microseconds, some five reads. Looks come closer together while the map grows faster than was told.
  static constexpr std::uint64_t kFirstLookAfter = 1024 * 1024, kLookAfterAtLeast = 256 * 1024,
                                 kLookAfterAtMost = 2 * 1024 * 1024;

 private:
  struct Share {
    std::atomic<std::uint64_t> touched{0};  // since the last look(), as told
    std::atomic<std::uint64_t> grown{0};    // since pages were given back, as far as can be told
  };
  void look();
  void look_at_mail();
  bool has_grown(MapReader reader, std::uint64_t grown, double touched_by_all, std::uint64_t most);
  void give_back();

  const Clock& clock_;
  std::span<std::byte> map_;
  int statm_ = -1;
  std::array<Share, 3> shares_;  // by MapReader
  std::atomic<std::uint64_t> told_{0}, told_mail_{0}, look_after_{kFirstLookAfter}, most_walk_{kMostWalkBytes};
  std::atomic<std::int64_t> looked_at_mail_{0};    // the quarter of a second of the last look_at_mail()
  std::atomic<std::uint64_t> others_{UINT64_MAX};  // resident bytes of other files: the program, its libraries
  std::atomic<std::uint64_t> seen_{0};             // of all files, after the last look()
  std::atomic<std::int64_t> given_back_at_{0};
};

}  // namespace posthus::store
