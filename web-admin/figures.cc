// Figures of other folders. See figures.h.
#include "web-admin/figures.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/base/metrics.h"
#include "web-admin/api.h"

namespace posthus::web_admin {
namespace {

std::string label(std::string_view name, std::string_view value) {
  return std::string(name).append("=\"").append(value).append("\"");
}

}  // namespace

// Second number of /proc/self/statm, in pages (proc_pid_statm(5)).
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return statm ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t sign_ins(std::string_view result) {
  std::uint64_t total = 0;
  for (const std::string_view protocol : {"smtp", "pop3", "imap", "http"}) {
    const std::string labels = label("protocol", protocol) + "," + label("result", result);
    total += metrics::counter("posthus_logins_total", "Login attempts by protocol and result", labels).value();
  }
  return total;
}

std::uint64_t refused_sign_ins() { return sign_ins("rejected") + sign_ins("disabled") + sign_ins("throttled"); }

std::uint64_t messages(std::string_view result) {
  return metrics::counter("posthus_smtp_messages_total", "Messages by result", label("result", result)).value();
}

std::uint64_t messages_from(std::string_view source) {
  return metrics::counter("posthus_smtp_accepted_total", "Messages accepted, by whom they came from", label("from", source))
      .value();
}

std::uint64_t recipients_refused(std::string_view result) {
  return metrics::counter("posthus_smtp_recipients_refused_total", "Refused recipients", label("class", result)).value();
}

std::uint64_t copies(std::string_view result) {
  return metrics::counter("posthus_queue_recipients_total", "Attempts by result", label("result", result)).value();
}

std::uint64_t open_connections(std::string_view listener) {
  const metrics::Gauge& gauge = metrics::gauge("posthus_connections_open", "Connections open now.", label("listener", listener));
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, gauge.value()));
}

std::uint64_t open_connections(const ServerContext& context) {
  std::uint64_t total = 0;
  std::string_view before;
  for (const ListenerStatus& listener : context.listeners) {
    // WHY: one name may listen on several addresses, which stand side by side and share a gauge.
    if (listener.name == "admin" || listener.name == before) continue;
    total += open_connections(listener.name);
    before = listener.name;
  }
  return total;
}

DiskRoom disk_room(const std::string& directory) {
  struct statvfs disk{};
  if (directory.empty() || statvfs(directory.c_str(), &disk) != 0) return {};
  return {.total = disk.f_frsize * disk.f_blocks, .available = disk.f_frsize * disk.f_bavail};
}

}  // namespace posthus::web_admin
