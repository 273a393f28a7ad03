// MemoryResolver: the resolver's test twin. Zones in memory, answered before resolve() returns, every question counted.
// RFC 1034 §3.6.2 (aliases). A name with records answers kNoData to other types, one without any kNoName.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/dns/resolver.h"

namespace posthus::dns {

class MemoryResolver final : public Resolver {
 public:
  /// From now on this is the answer to exactly this question, whatever the zones say.
  void add(std::string name, RecordType type, Answer answer);

  /// Lines of zone-like text; empty lines and what follows ';' are passed over. Names without final dot, any case.
  ///   example.org    MX 10 mx.example.org      (MX 0 . is a null MX)
  ///   mx.example.org A 127.0.0.5               mx.example.org AAAA ::1
  ///   www.example.org CNAME mx.example.org     5.0.0.127.in-addr.arpa PTR mx.example.org
  ///   example.org    TXT "v=STSv1; " "id=1"    _imap._tcp.example.org SRV 0 1 143 mx.example.org
  ///   _25._tcp.mx.example.org TLSA 3 1 1 00112233   example.org CAA 0 issue "letsencrypt.org"
  /// A mark ends a line: "!secure" behind a record makes its set secure; "!secure", "!bogus", "!temporary", "!noname"
  /// behind a lone name hold for that name and all below it, behind name and type for that question.
  /// Errors: kInvalid with the line.
  Result<> add_zone(std::string_view text);
  /// Forgets all answers, not the counts.
  void clear();

  void resolve(std::string name, RecordType type, AnswerDone done) override;

  /// From now on questions wait; release() answers those that do, in order, and ends it.
  void hold();
  void release();

  /// How often this was asked; of all questions without arguments.
  std::uint64_t questions(std::string_view name, RecordType type) const;
  std::uint64_t questions() const;

  static constexpr int kMaxAliases = 8;  // then the chain is taken for a loop: kTemporary, as real resolvers do

 private:
  enum class Mark : std::uint8_t { kNone, kSecure, kBogus, kTemporary, kNoName };
  using Question = std::pair<std::string, RecordType>;
  struct Waiting {
    Question question;
    AnswerDone done;
  };
  Result<> add_line(std::string_view line);
  Answer answer(const Question& question) const;
  Mark mark_of(const std::string& name) const;
  bool exists(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<Question, Answer> given_;    // by add()
  std::map<Question, Answer> records_;  // by add_zone()
  std::map<std::string, Mark> marks_;   // of names and what is below
  std::map<Question, std::uint64_t> counts_;
  std::vector<Waiting> waiting_;
  bool is_held_ = false;
};

}  // namespace posthus::dns
