// Answers known so far, and what is still lacking: what lets a check be a pure function. It is called with the answers there
// are, asks for what it needs with ask(), and is called again until nothing is lacking. gather() fetches what lacks, all at once.
// Thread rule: one thread at a time; gather() blocks, so workers only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include "core/dns/resolver.h"

namespace posthus::dns {

class Answers {
 public:
  using Question = std::pair<std::string, RecordType>;
  /// Questions of one check; further ones are answered kTemporary. Bounds what a hostile SPF record can make us ask.
  static constexpr std::size_t kMaxQuestions = 400;

  /// The answer, or nullptr: not known yet, and noted as lacking. `name`: A-labels, any case, final dot or not; what is no name
  /// is answered kNoName. The pointer holds until the next put().
  const Answer* ask(std::string_view name, RecordType type);
  void put(const Question& question, Answer answer) { known_.insert_or_assign(question, std::move(answer)); }
  const std::set<Question>& lacking() const { return lacking_; }
  void forget_lacking() { lacking_.clear(); }

 private:
  std::map<Question, Answer> known_;
  std::set<Question> lacking_;
};

/// Asks what is lacking, at once, and waits until all is there, `deadline`, or `stop`. What did not come is kTemporary.
void gather(Resolver& resolver, Answers& answers, std::chrono::steady_clock::time_point deadline, std::stop_token stop = {});

/// Calls `check` until nothing is lacking, or `deadline` is over: then once more with what lacks as kTemporary.
void ask_until_complete(Resolver& resolver, Answers& answers, std::chrono::steady_clock::time_point deadline,
                        std::stop_token stop, const std::function<void(Answers&)>& check);
inline constexpr int kMaxRounds = 24;  // an SPF record with ten lookups in a row takes some twelve

}  // namespace posthus::dns
