// ChangeFlags (STORE): pages are rewritten only when a message in them really changes; each slice that changes something
// has a ModSeq of its own, so that nobody who looks between two slices misses the later one. RFC 7162 §3.1.3.
#include <limits>

#include "store/apply_kinds.h"
#include "store/keyword_names.h"
#include "store/page_walk.h"
#include "store/rows.h"
#include "store/uid_set.h"

namespace posthus::store {

namespace {

/// WHY pages and not kSliceMessages: a page is one put whatever changes in it. 24 000 messages take about 5 ms, as 1000
/// messages do where each costs rows of its own, and each slice is a commit with a sync.
constexpr std::size_t kSlicePages = 500;

struct Masks {
  std::uint8_t flags = 0;
  std::uint64_t keywords = 0;
};

template <class Bits>
Bits changed_bits(FlagChange change, Bits before, Bits mask) {
  switch (change) {
    case FlagChange::kReplace: return mask;
    case FlagChange::kAdd: return static_cast<Bits>(before | mask);
    case FlagChange::kRemove: return static_cast<Bits>(before & ~mask);
  }
  return before;
}

void count_change(MailboxRecord& mailbox, std::uint8_t before, std::uint8_t after) {
  const std::uint8_t difference = before ^ after;
  if ((difference & flag::kSeen) != 0) mailbox.unseen += (after & flag::kSeen) != 0 ? -1u : 1u;
  if ((difference & flag::kDeleted) != 0) mailbox.deleted += (after & flag::kDeleted) != 0 ? 1u : -1u;
}

/// Applies the change to the page the walk stands on; true when a record changed.
bool change_page(PageWalk& walk, const ChangeFlags& request, const Masks& masks, MailboxRecord& mailbox, UidSet& refused) {
  const ModSeq unchanged_since = request.unchanged_since.value_or(ModSeq(std::numeric_limits<std::uint64_t>::max()));
  const ModSeq modseq(mailbox.highest_modseq.value + 1);
  bool has_changed = false;
  const MessagePageView view = walk.page().view();
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (!walk.names(i)) continue;
    if (view.modseq(i) > unchanged_since) {
      append_uid(refused, view.uid(i));
      continue;
    }
    const std::uint8_t flags_before = view.flags(i), flags = changed_bits(request.change, flags_before, masks.flags);
    const std::uint64_t keywords_before = view.keywords(i),
                        keywords = changed_bits(request.change, keywords_before, masks.keywords);
    if (flags == flags_before && keywords == keywords_before) continue;
    walk.page().set_flags(i, flags, keywords, modseq);
    count_change(mailbox, flags_before, flags);
    has_changed = true;
  }
  return has_changed;
}

/// The bits of the request; unknown names are added, except when they are to be removed.
Result<Masks> masks_of(ApplyContext& context, const ChangeFlags& request) {
  Masks masks;
  masks.flags = request.flags & (flag::kSeen | flag::kAnswered | flag::kFlagged | flag::kDeleted | flag::kDraft);
  if (request.keywords.empty()) return masks;
  KeywordNames keywords = POSTHUS_TRY(KeywordNames::load(context.transaction, request.mailbox));
  for (const std::string& name : request.keywords) {
    if (request.change == FlagChange::kRemove) {
      masks.keywords |= keywords.find(name).value_or(0);
    } else {
      masks.keywords |= POSTHUS_TRY(keywords.find_or_add(name));
    }
  }
  POSTHUS_TRY_VOID(keywords.store(context.transaction, request.mailbox));
  return masks;
}

}  // namespace

Result<WriteOutcome> apply_kind(ApplyContext& context, const ChangeFlags& request) {
  auto mailbox = POSTHUS_TRY(get_mailbox(context.transaction, request.mailbox));
  if (!mailbox) return fail(ErrorKind::kNotFound, "mailbox " + std::to_string(request.mailbox.value));
  const Masks masks = POSTHUS_TRY(masks_of(context, request));
  WriteOutcome outcome;
  outcome.mailbox = request.mailbox;
  outcome.uid_validity = mailbox->uid_validity;
  const Uid from(context.progress ? static_cast<std::uint32_t>(context.progress->position) : 1);
  PageWalk walk(context.transaction, request.mailbox, request.uids, from);
  bool has_changed = false;
  for (std::size_t pages = 0; pages < kSlicePages && POSTHUS_TRY(walk.next()); ++pages) {
    if (!change_page(walk, request, masks, *mailbox, outcome.uids)) continue;
    has_changed = true;
    POSTHUS_TRY_VOID(context.transaction.put(Table::kMessages, walk.key(), walk.page().bytes()));
  }
  if (const auto next = walk.position()) context.next = SliceProgress{0, next->value, 0};
  if (has_changed) {
    mailbox->highest_modseq.value += 1;
    POSTHUS_TRY_VOID(put_mailbox(context.transaction, *mailbox));
    context.changed.push_back(request.mailbox);
  }
  outcome.modseq = mailbox->highest_modseq;
  return outcome;
}

}  // namespace posthus::store
