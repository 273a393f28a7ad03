// Signals and the life of the server process.
#include "core/main/serve.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>

#include "core/base/log.h"
#include "core/base/log_ring.h"
#include "core/base/random.h"
#include "core/base/secret.h"
#include "core/main/resident_pages.h"
#include "core/main/server.h"
#include "core/main/version.h"

namespace posthus::main {
namespace {

constexpr int kRestart = SIGUSR1;    // from ourselves
constexpr int kTokenGroups = 6;      // of four letters: more than 100 bits, and still to be typed
constexpr unsigned kStopLimit = 10;  // seconds; what has not stopped by then is cut off, as a power cut would

log::Level log_level(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warning") return log::Level::kWarning;
  return name == "error" ? log::Level::kError : log::Level::kInfo;
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, kRestart}) sigaddset(&set, number);
  return set;
}

extern "C" void stop_took_too_long(int) {
  constexpr char kText[] = "posthus: stopping took too long, giving up\n";
  static_cast<void>(!write(STDERR_FILENO, kText, sizeof kText - 1));
  _exit(1);
}

// Every connection is a descriptor; the soft limit is often 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// The signal that ended it.
int wait_for_end(Server& server, const sigset_t& signals) {
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) {
      log::info("server.stopping", {{"signal", number}});
      return number;
    }
    const auto reloaded = server.reload_certificate();
    if (reloaded) log::info("tls.reloaded");
    if (!reloaded) log::error("tls.reload_failed", {{"context", reloaded.error().context}});
  }
}

/// The settings in use and where each comes from, for the support bundle; no passwords.
std::string describe(const std::vector<EffectiveSetting>& effective) {
  std::string out;
  for (const EffectiveSetting& setting : effective) {
    const bool is_secret = setting.name.ends_with("password") && !setting.value.empty();
    out.append(setting.name)
        .append(" = ")
        .append(is_secret ? "(set)" : setting.value)
        .append("  (")
        .append(setting.origin)
        .append(")\n");
  }
  return out;
}

enum class Ended : std::uint8_t { kInOrder, kFailed, kToRestart };

/// A server from its start to its end.
Ended serve_once(const Settings& settings, const Clock& clock, const Secret& set_up_token, const sigset_t& signals,
                 const std::string& configuration) {
  const auto began = std::chrono::steady_clock::now();
  std::atomic<bool> is_fatal = false;
  const Server::Requests requests{.end =
                                      [&is_fatal] {
                                        is_fatal = true;
                                        kill(getpid(), SIGTERM);
                                      },
                                  .restart = [] { kill(getpid(), kRestart); }};
  auto server = Server::start(settings, clock, requests, set_up_token.clone(), configuration);
  if (!server) {
    const std::string& context = server.error().context;
    // The system's words for ENOSPC and EDQUOT (strerror(3) in the C locale, which is ours).
    const bool is_full = context.contains("No space left on device") || context.contains("Disk quota exceeded");
    log::error("server.start_failed",
               {{"kind", to_string(server.error().kind)},
                {"context", is_full ? context + ": make room where " + settings.data + " lies, then start again" : context}});
    return Ended::kFailed;
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  log::info("server.ready", {{"version", version()},
                             {"hostname", (*server)->hostname()},
                             {"data", settings.data},
                             {"milliseconds", static_cast<std::int64_t>(took.count())}});
  const int number = wait_for_end(**server, signals);
  signal(SIGALRM, stop_took_too_long);
  alarm(kStopLimit);
  (*server)->stop();
  server->reset();
  alarm(0);
  log::info("server.stopped");
  if (is_fatal) return Ended::kFailed;
  return number == kRestart ? Ended::kToRestart : Ended::kInOrder;
}

}  // namespace

int serve(const LoadedSettings& loaded) {
  const Settings& settings = loaded.settings;
  // WHY for the whole process: what libraries write to standard error belongs to the log as well.
  if (settings.log_output == "stdout") dup2(STDOUT_FILENO, STDERR_FILENO);
  log::configure(log_level(settings.log_level), settings.log_format == "json" ? log::Format::kJson : log::Format::kText);
  log::keep_lines();
  umask(077);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  share_free_memory();
  const sigset_t signals = handled_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // inherited by every thread; only wait_for_end takes them

  const SystemClock clock;
  const Secret set_up_token(random_password(kTokenGroups));
  while (true) {
    const auto ended = serve_once(settings, clock, set_up_token, signals, describe(loaded.effective));
    if (ended != Ended::kToRestart) return ended == Ended::kInOrder ? 0 : 1;
  }
}

}  // namespace posthus::main
