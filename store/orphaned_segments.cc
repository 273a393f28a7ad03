// Segments put aside: see the header.
#include "store/orphaned_segments.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "store/segment_format.h"
#include "store/storage_error.h"

namespace posthus::store {
namespace {

constexpr std::size_t kUuidDigits = 4;

}  // namespace

std::string orphaned_directory(const std::string& segments_directory) { return segments_directory + "/orphaned"; }

std::string orphan_name(std::uint32_t segment, std::string_view store_uuid, Timestamp when) {
  return segment_file_name(segment) + "." + to_hex(store_uuid).substr(0, kUuidDigits) + std::to_string(when.seconds());
}

std::optional<Timestamp> orphaned_at(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !parse_segment_file_name(name.substr(0, dot))) return std::nullopt;
  std::string_view digits = name.substr(dot + 1);
  digits.remove_prefix(std::min(digits.size(), kUuidDigits));
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Timestamp::from_seconds(seconds);
}

Result<> remove_orphans(const std::string& segments_directory, Timestamp before) {
  const std::string away = orphaned_directory(segments_directory);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(away.c_str()), ::closedir);
  if (!directory && errno == ENOENT) return {};
  if (!directory) return storage_error(away);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::optional<Timestamp> when = orphaned_at(entry->d_name);
    if (!when || !(*when < before)) continue;
    const std::string path = away + "/" + entry->d_name;
    struct stat info{};
    const bool is_known = ::stat(path.c_str(), &info) == 0;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return storage_error(path);
    log::info("store.orphan_removed", {{"path", path}, {"bytes", static_cast<std::int64_t>(is_known ? info.st_size : 0)}});
  }
  return {};
}

}  // namespace posthus::store
