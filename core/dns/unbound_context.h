// UnboundContext: one libunbound context with its configuration, and its results as Answers. RFC 4035 §4.3 (secure,
// insecure, bogus). The only file pair that includes libunbound. Thread rule: one thread, the one that made it.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/dns/resolver.h"

struct ub_ctx;

namespace posthus::dns {

/// What waits for an answer; answered() is called from UnboundContext::process(), once, unless it was cancelled.
class UnboundQuestion {
 public:
  virtual ~UnboundQuestion() = default;
  virtual void answered(Answer answer) = 0;

  RecordType type = RecordType::kA;
  std::string name;
  int number = 0;  // libunbound's
};

class UnboundContext {
 public:
  /// Errors: kUnavailable, why libunbound does not start.
  static Result<std::unique_ptr<UnboundContext>> create(const std::string& configuration);
  ~UnboundContext();
  UnboundContext(const UnboundContext&) = delete;
  UnboundContext& operator=(const UnboundContext&) = delete;

  /// Readable when there is something for process().
  int descriptor() const { return descriptor_; }
  /// Calls answered() of what has its answer. Errors: kUnavailable, the context is broken and must be replaced.
  Result<> process();
  /// REQUIRES: `question` lives until it is answered, cancelled, or the context dies. Errors: kInvalid (the name is
  /// none), kUnavailable (the context is broken and must be replaced).
  Result<> ask(UnboundQuestion& question);
  void cancel(UnboundQuestion& question);

 private:
  explicit UnboundContext(ub_ctx* context) : context_(context) {}
  ub_ctx* context_;
  int descriptor_ = -1;
};

}  // namespace posthus::dns
