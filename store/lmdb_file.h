// The data file of LMDB seen from outside: is it whole, and is there room in it for the next commit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace posthus::store {

/// Compares the file's length with what its meta pages name, before it is mapped: a page missing at the end would kill
/// the process with SIGBUS. A missing file is fine (LMDB makes it). Errors: kCorrupt, kIo.
Result<> check_lmdb_file(const std::string& path);

/// The two meta pages at the beginning of the file: with the pages they name, one state of the index and the one before.
/// Errors: kCorrupt (there are none), kIo.
Result<std::string> read_meta_pages(const std::string& path);
/// Number of the newest transaction the meta pages name; 0 when these are none.
std::uint64_t newest_transaction(std::string_view meta_pages);
/// Puts meta pages back and syncs them. REQUIRES: nobody has the file open.
Result<> write_meta_pages(const std::string& path, std::string_view meta_pages);

/// Keeps zeroed pages ahead of the last one in use. WHY: LMDB then only overwrites blocks the file has already, so its
/// sync need not commit file metadata; and when the disk is full there is still room to delete mail in.
class LmdbRoom {
 public:
  explicit LmdbRoom(std::string path) : path_(std::move(path)) {}
  ~LmdbRoom();
  LmdbRoom(const LmdbRoom&) = delete;
  LmdbRoom& operator=(const LmdbRoom&) = delete;
  /// Best effort: on a full disk the transaction itself finds out whether it fits. Whether the room is there.
  bool ensure(std::uint64_t used_bytes);

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace posthus::store
