// UnboundContext: libunbound's calls, and ub_result into Answer.
#include "core/dns/unbound_context.h"

#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/file.h"
#include "core/dns/record.h"

namespace posthus::dns {
namespace {

constexpr int kInternetClass = 1;
constexpr int kServerFailure = 2, kRefused = 5;  // RFC 1035 §4.1.1
constexpr std::size_t kMaxReason = 300;          // libunbound's explanations quote names; a log line has room for this

std::string canonical_name(const ub_result& result, const std::string& asked) {
  if (!result.canonname) return asked;
  std::string_view name = result.canonname;
  if (name.ends_with('.')) name.remove_suffix(1);
  return name.empty() ? asked : ascii::to_lower(name);
}

std::string failure_name(const ub_result& result) {
  if (result.rcode == kServerFailure) return "SERVFAIL";
  if (result.rcode == kRefused) return "REFUSED";
  return "response code " + std::to_string(result.rcode);
}

void read_records(const ub_result& result, RecordType type, Answer& answer) {
  std::size_t readable = 0;
  // All of them, at most the 64 KiB of a DNS message: which to keep is append_record's to say.
  for (std::size_t i = 0; result.data[i]; ++i) {
    if (append_record(type, {result.data[i], static_cast<std::size_t>(std::max(result.len[i], 0))}, answer)) ++readable;
  }
  // WHY: not kNoData: an MX set nobody can read must not become an implicit MX (RFC 5321 §5.1).
  answer.status = readable > 0 ? Status::kFound : Status::kTemporary;
  if (readable == 0) answer.reason = "no record could be read";
}

Answer answer_of(const ub_result& result, const std::string& name, RecordType type) {
  Answer answer;
  answer.canonical_name = canonical_name(result, name);
  answer.time_to_live = std::chrono::seconds(std::max(result.ttl, 0));
  if (result.bogus) {
    answer.status = Status::kBogus;
    answer.reason = std::string(result.why_bogus ? result.why_bogus : "DNSSEC validation failed").substr(0, kMaxReason);
    return answer;
  }
  answer.is_secure = result.secure != 0;
  if (result.havedata && result.data) {
    read_records(result, type, answer);
  } else if (result.nxdomain) {
    answer.status = Status::kNoName;
  } else if (result.rcode == 0) {
    answer.status = Status::kNoData;
  } else {
    answer.reason = failure_name(result);
  }
  answer.is_secure = answer.is_secure && answer.status <= Status::kNoName;
  return answer;
}

void deliver(void* question, int error, ub_result* result) {
  auto& asked = *static_cast<UnboundQuestion*>(question);
  Answer answer;
  if (error == 0 && result) {
    answer = answer_of(*result, asked.name, asked.type);
  } else if (error == UB_SYNTAX) {
    answer.status = Status::kNoName;
    answer.reason = "not a domain name";
  } else {
    answer.reason = ub_strerror(error);
  }
  ub_resolve_free(result);
  asked.answered(std::move(answer));
}

// libunbound reads its configuration from a file only; this one has no name and leaves nothing behind.
Result<UniqueFd> memory_file(const std::string& text) {
  UniqueFd file(memfd_create("unbound.conf", MFD_CLOEXEC));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(ErrorKind::kUnavailable, "no memory for the configuration of libunbound");
  }
  return file;
}

}  // namespace

Result<std::unique_ptr<UnboundContext>> UnboundContext::create(const std::string& configuration) {
  const UniqueFd file = POSTHUS_TRY(memory_file(configuration));
  ub_ctx* raw = ub_ctx_create();
  if (!raw) return fail(ErrorKind::kUnavailable, "libunbound has no memory, descriptors or random numbers");
  std::unique_ptr<UnboundContext> context(new UnboundContext(raw));
  ub_ctx_debugout(raw, nullptr);
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  if (const int error = ub_ctx_config(raw, path.c_str()); error != 0) {
    return fail(ErrorKind::kUnavailable, std::string("libunbound refuses its configuration: ") + ub_strerror(error));
  }
  if (const int error = ub_ctx_async(raw, 1); error != 0) return fail(ErrorKind::kUnavailable, ub_strerror(error));
  context->descriptor_ = ub_fd(raw);
  if (context->descriptor_ < 0) return fail(ErrorKind::kUnavailable, "libunbound has no descriptor");
  return context;
}

UnboundContext::~UnboundContext() { ub_ctx_delete(context_); }

Result<> UnboundContext::process() {
  const int error = ub_process(context_);
  return error == 0 ? Result<>{} : fail(ErrorKind::kUnavailable, ub_strerror(error));
}

Result<> UnboundContext::ask(UnboundQuestion& question) {
  const int error = ub_resolve_async(context_, question.name.c_str(), static_cast<int>(question.type), kInternetClass, &question,
                                     &deliver, &question.number);
  if (error == 0) return {};
  return fail(error == UB_SYNTAX ? ErrorKind::kInvalid : ErrorKind::kUnavailable, ub_strerror(error));
}

void UnboundContext::cancel(UnboundQuestion& question) { ub_cancel(context_, question.number); }

}  // namespace posthus::dns
