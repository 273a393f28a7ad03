// Walking and appending to pages; see page_walk.h.
#include "store/page_walk.h"

#include <algorithm>

#include "store/key.h"
#include "store/rows.h"

namespace posthus::store {

namespace {

/// A wanted uid this near behind a page is looked for by going to the next page, farther ones by a search.
constexpr std::uint64_t kNear = 4 * kPageMessages;

}  // namespace

std::optional<Uid> PageWalk::position() const {
  for (std::size_t i = range_; i < uids_.size(); ++i) {
    if (uids_[i].last.value >= cursor_)
      return Uid(static_cast<std::uint32_t>(std::max<std::uint64_t>(cursor_, uids_[i].first.value)));
  }
  return std::nullopt;
}

Result<bool> PageWalk::next() {
  while (true) {
    while (range_ < uids_.size() && uids_[range_].last.value < cursor_) ++range_;
    if (range_ == uids_.size()) return false;
    const std::uint64_t wanted = std::max<std::uint64_t>(cursor_, uids_[range_].first.value);
    if (!POSTHUS_TRY(load(wanted))) {
      cursor_ = std::uint64_t{1} << 32;
      range_ = uids_.size();
      return false;
    }
    mark();
    const MessagePageView view = page_.view();
    const std::uint64_t last =
        view.size() > 0 ? view.uid(view.size() - 1).value : first_uid_of_page_key(key_).value_or(Uid(0)).value;
    cursor_ = behind_page_ = last + 1;
    if (named_count_ > 0) return true;
  }
}

/// The page that may hold `uid`, or else the next one.
Result<bool> PageWalk::load(std::uint64_t uid) {
  const Uid wanted(static_cast<std::uint32_t>(uid));
  if (behind_page_ != 0 && uid - behind_page_ <= kNear) {
    return next_page(snapshot_, mailbox_, Uid(static_cast<std::uint32_t>(behind_page_)), key_, page_);
  }
  if (POSTHUS_TRY(find_page(snapshot_, mailbox_, wanted, key_, page_)) && !page_.is_empty()) {
    const MessagePageView view = page_.view();
    if (view.uid(view.size() - 1) >= wanted) return true;
  }
  return next_page(snapshot_, mailbox_, wanted, key_, page_);
}

void PageWalk::mark() {
  const MessagePageView view = page_.view();
  named_count_ = 0;
  std::size_t range = range_;
  for (std::size_t i = 0; i < view.size(); ++i) {
    const Uid uid = view.uid(i);
    while (range < uids_.size() && uids_[range].last < uid) ++range;
    named_[i] = range < uids_.size() && uid >= uids_[range].first && uid.value >= cursor_;
    if (named_[i]) ++named_count_;
  }
}

Result<> PageAppender::append(const MessageRecord& record) {
  if (!is_loaded_) {
    is_loaded_ = true;
    if (!POSTHUS_TRY(find_page(transaction_, mailbox_, Uid(UINT32_MAX), key_, page_))) key_.clear();
  }
  if (page_.is_full()) {
    POSTHUS_TRY_VOID(flush());
    page_.clear();
    key_.clear();
  }
  if (key_.empty()) key_ = page_key(mailbox_, record.uid);
  page_.append(record);
  is_changed_ = true;
  return {};
}

Result<> PageAppender::flush() {
  if (!is_changed_) return {};
  is_changed_ = false;
  return transaction_.put(Table::kMessages, key_, page_.bytes());
}

}  // namespace posthus::store
