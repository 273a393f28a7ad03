// Making the data directory.
#include "core/main/data_directory.h"

#include <sys/stat.h>

#include <filesystem>

namespace posthus::main {

bool has_store(const Settings& settings) {
  std::error_code error;
  return std::filesystem::is_directory(settings.data + "/segments", error);
}

Result<> make_data_directory(const Settings& settings) {
  std::error_code error;
  if (std::filesystem::is_directory(settings.data, error)) return {};
  if (!std::filesystem::create_directories(settings.data, error) || error) {
    return fail(ErrorKind::kIo, "the data directory " + settings.data + " cannot be made: " + error.message());
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
