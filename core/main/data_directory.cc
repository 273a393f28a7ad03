// Making the data directory.
#include "core/main/data_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/base/file.h"

namespace posthus::main {

bool has_store(const Settings& settings) {
  std::error_code error;
  return std::filesystem::is_directory(settings.data + "/segments", error);
}

namespace {

/// Why `path` cannot be written, and what to do; nothing when it can. `number`: errno.
Error not_writable(const std::string& path, int number) {
  if (number == EROFS) {
    return {ErrorKind::kDenied,
            path + " is on a read-only file system: mount it for writing (in a container a volume, without \":ro\")"};
  }
  if (number != EACCES) return error_from_errno(number, path);
  struct stat found{};
  const std::string owner = stat(path.c_str(), &found) == 0 ? " belongs to user " + std::to_string(found.st_uid) : " is closed";
  const std::string self = std::to_string(geteuid()) + ":" + std::to_string(getegid());
  return {ErrorKind::kDenied, path + owner + ", and user " + std::to_string(geteuid()) +
                                  ", who this server runs as, may not write there: `chown -R " + self +
                                  "` the directory that is mounted there, or run the server as its owner"};
}

/// The directory and what lies in it: a volume that was filled by somebody else is told at once, not by the first mail.
Result<> check_writable(const std::string& directory) {
  if (access(directory.c_str(), R_OK | W_OK | X_OK) != 0) return std::unexpected(not_writable(directory, errno));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    const bool is_ours = name == "index" || name == "segments" || name == "spool" || name == "tls";
    if (is_ours && access(entry.path().c_str(), R_OK | W_OK | X_OK) != 0) {
      return std::unexpected(not_writable(entry.path().string(), errno));
    }
  }
  return {};
}

}  // namespace

Result<> make_data_directory(const Settings& settings) {
  std::error_code error;
  if (std::filesystem::is_directory(settings.data, error)) return check_writable(settings.data);
  if (!std::filesystem::create_directories(settings.data, error) || error) {
    const std::string hint = error.value() == EROFS ? ": mount a volume there" : "";
    return fail(ErrorKind::kIo, "the data directory " + settings.data + " cannot be made: " + error.message() + hint);
  }
  if (chmod(settings.data.c_str(), 0700) != 0) return fail(ErrorKind::kIo, "the mode of " + settings.data + " cannot be set");
  return {};
}

store::StoreOptions store_options(const Settings& settings) {
  return {.directory = settings.data,
          .map_bytes = settings.map_bytes,
          .budget_bytes = settings.budget_bytes,
          .segment_bytes = settings.segment_bytes};
}

}  // namespace posthus::main
