// How far a check of the world outside is: what it has asked for and what has come. A person waits for it and wants to know.
// Thread rule: any; the callbacks of a resolver count on its threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "core/dns/resolver.h"

namespace posthus::web_admin {

struct CheckProgress {
  explicit CheckProgress(std::string of) : subject(std::move(of)) {}
  const std::string subject;  // a domain; empty: the delivery check
  /// Grows while the check goes on: one answer may lead to further questions.
  std::atomic<std::size_t> asked{0}, answered{0};
};

/// Counts what goes through it.
class CountedResolver final : public dns::Resolver {
 public:
  CountedResolver(std::unique_ptr<dns::Resolver> inner, std::shared_ptr<CheckProgress> progress)
      : inner_(std::move(inner)), progress_(std::move(progress)) {}
  void resolve(std::string name, dns::RecordType type, dns::AnswerDone done) override {
    ++progress_->asked;
    inner_->resolve(std::move(name), type, [progress = progress_, done = std::move(done)](dns::Answer answer) mutable {
      ++progress->answered;
      done(std::move(answer));
    });
  }

 private:
  std::unique_ptr<dns::Resolver> inner_;
  const std::shared_ptr<CheckProgress> progress_;
};

struct Outside;
/// The check is the one under way as long as this lives. REQUIRES: Outside::one_at_a_time is held.
class ProgressShown {
 public:
  ProgressShown(Outside& outside, std::string subject);
  ~ProgressShown();
  ProgressShown(const ProgressShown&) = delete;
  ProgressShown& operator=(const ProgressShown&) = delete;
  const std::shared_ptr<CheckProgress>& progress() const { return progress_; }

 private:
  Outside& outside_;
  const std::shared_ptr<CheckProgress> progress_;
};

}  // namespace posthus::web_admin
