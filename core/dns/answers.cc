// Gathering answers. See answers.h.
#include "core/dns/answers.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/ascii.h"
#include "core/dns/record.h"

namespace posthus::dns {
namespace {

/// What the asker and the resolver's thread share; an answer that comes too late finds nobody and is dropped.
struct Shared {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::pair<Answers::Question, Answer>> came;
  std::size_t expected = 0;
};

Answer temporary(std::string reason) { return {.status = Status::kTemporary, .reason = std::move(reason)}; }

}  // namespace

const Answer* Answers::ask(std::string_view name, RecordType type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  Question question(ascii::to_lower(name), type);
  if (const auto found = known_.find(question); found != known_.end()) return &found->second;
  if (!is_question_name(question.first)) {
    return &known_.emplace(std::move(question), Answer{.status = Status::kNoName, .reason = "not a name"}).first->second;
  }
  if (known_.size() + lacking_.size() >= kMaxQuestions) {
    return &known_.emplace(std::move(question), temporary("too many questions")).first->second;
  }
  lacking_.insert(std::move(question));
  return nullptr;
}

void gather(Resolver& resolver, Answers& answers, std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  const auto shared = std::make_shared<Shared>();
  shared->expected = answers.lacking().size();
  for (const Answers::Question& question : answers.lacking()) {
    resolver.resolve(question.first, question.second, [shared, question](Answer answer) {
      const std::lock_guard lock(shared->mutex);
      shared->came.emplace_back(question, std::move(answer));
      shared->changed.notify_all();
    });
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_until(lock, stop, deadline, [&] { return shared->came.size() == shared->expected; });
  for (const Answers::Question& question : answers.lacking()) answers.put(question, temporary("no answer in time"));
  for (auto& [question, answer] : shared->came) answers.put(question, std::move(answer));
  answers.forget_lacking();
}

void ask_until_complete(Resolver& resolver, Answers& answers, std::chrono::steady_clock::time_point deadline,
                        std::stop_token stop, const std::function<void(Answers&)>& check) {
  for (int round = 0; round < kMaxRounds; ++round) {
    check(answers);
    if (answers.lacking().empty()) return;
    gather(resolver, answers, deadline, stop);
  }
  check(answers);
}

}  // namespace posthus::dns
