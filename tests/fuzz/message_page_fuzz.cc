// LINK: posthus_store
// Arbitrary bytes as a message page: reading, searching and changing it never leaves the page.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "store/message_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthus;
  using namespace posthus::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto view = MessagePageView::open(bytes);
  MessagePage page;
  CHECK(page.load(bytes).has_value() == view.has_value());
  if (!view) return 0;
  bool keep[kPageMessages] = {};
  for (std::size_t i = 0; i < view->size(); ++i) {
    const MessageRecord record = view->record(i);
    CHECK(view->lower_bound(record.uid) == i);
    page.set_flags(i, record.flags, record.keywords, record.modseq);
    keep[i] = (record.flags & flag::kSeen) != 0;
  }
  CHECK(page.bytes().substr(kPageHeader) == bytes.substr(kPageHeader));
  page.retain(keep);
  CHECK(MessagePageView::open(page.bytes()).has_value());
  return 0;
}
