// MessageMatcher: does a message match a search program? (RFC 9051 §6.4.4.) Cheap keys are asked first; headers come from
// the stored summary where it has them, bodies are read only by keys that need them. Thread rule: as its session.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "imap/message_source.h"
#include "imap/search_program.h"
#include "imap/selected_mailbox.h"

namespace posthus::imap {

class MessageMatcher {
 public:
  /// Resolves the sets in `program` against the mailbox as the session sees it. Both must outlive the matcher.
  /// Errors: kInvalid for sequence numbers that do not exist.
  static Result<MessageMatcher> create(const SearchProgram& program, const SelectedMailbox& selected);

  /// Bit positions of the keywords, anew for each snapshot.
  void set_keywords(const std::vector<std::string>& names) { keywords_ = &names; }
  Result<bool> matches(MessageSource& source);
  /// Bytes of messages read so far.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  MessageMatcher(const SearchProgram& program, const SelectedMailbox& selected) : program_(&program), selected_(&selected) {}
  Result<> resolve_sets(const SearchKey& key);
  Result<bool> evaluate(const SearchKey& key, MessageSource& source);
  Result<bool> evaluate_children(const SearchKey& key, MessageSource& source);
  bool has_keyword(const store::MessageRecord& record, std::string_view name) const;
  Result<bool> sent_matches(const SearchKey& key, MessageSource& source);
  Result<bool> header_matches(const SearchKey& key, MessageSource& source);
  Result<bool> text_matches(const SearchKey& key, MessageSource& source);
  Result<bool> part_matches(const SearchKey& key, MessageSource& source, const mail::Part& part);

  const SearchProgram* program_;
  const SelectedMailbox* selected_;
  const std::vector<std::string>* keywords_ = nullptr;
  std::vector<std::pair<const SearchKey*, store::UidSet>> sets_;  // of kSequence and kUid keys, as uids
  std::uint64_t bytes_read_ = 0;
};

}  // namespace posthus::imap
