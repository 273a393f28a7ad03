// Login blocks between the authenticator and the store. See kept_blocks.h.
#include "core/main/kept_blocks.h"

#include <algorithm>
#include <tuple>

#include "core/base/log.h"
#include "core/sasl/login_throttle.h"
#include "store/record_login_block.h"

namespace posthus::main {
namespace {

static_assert(static_cast<std::uint8_t>(sasl::LoginBlockKind::kCodes) + 1 == store::kLoginBlockKinds);

store::LoginBlockRecord block_record(const sasl::LoginBlock& one) {
  return {.kind = static_cast<std::uint8_t>(one.kind),
          .failures = one.failures,
          .last_failure = one.last_failure,
          .until = one.until,
          .login = one.login,
          .network = one.network};
}

sasl::LoginBlock from_block_record(store::LoginBlockRecord record) {
  return {.kind = static_cast<sasl::LoginBlockKind>(record.kind),
          .login = std::move(record.login),
          .network = std::move(record.network),
          .failures = record.failures,
          .last_failure = record.last_failure,
          .until = record.until};
}

/// In an order of their own, so that the same ones are the same rows.
std::vector<store::LoginBlockRecord> kept_records(std::vector<sasl::LoginBlock> blocks) {
  if (blocks.size() > store::kMaxLoginBlocks) {
    const auto end = blocks.begin() + static_cast<std::ptrdiff_t>(store::kMaxLoginBlocks);
    std::ranges::nth_element(blocks, end, std::greater(), &sasl::LoginBlock::until);
    blocks.erase(end, blocks.end());
  }
  std::ranges::sort(blocks, std::less(), [](const sasl::LoginBlock& one) { return std::tie(one.kind, one.login, one.network); });
  std::vector<store::LoginBlockRecord> records;
  for (const sasl::LoginBlock& one : blocks) records.push_back(block_record(one));
  std::erase_if(records, [](const store::LoginBlockRecord& record) { return !store::is_login_block(record); });
  return records;
}

std::vector<std::string> encoded(const std::vector<store::LoginBlockRecord>& records) {
  std::vector<std::string> all;
  for (const store::LoginBlockRecord& record : records) all.push_back(store::encode_login_block(record));
  return all;
}

}  // namespace

Result<> KeptBlocks::restore() {
  const auto snapshot = POSTHUS_TRY(store_.snapshot());
  auto records = POSTHUS_TRY(store::read_login_blocks(*snapshot));
  const std::lock_guard lock(mutex_);
  written_ = encoded(records);
  std::vector<sasl::LoginBlock> kept;
  for (store::LoginBlockRecord& record : records) kept.push_back(from_block_record(std::move(record)));
  authenticator_.restore_blocks(kept);
  return {};
}

void KeptBlocks::flush() {
  const std::lock_guard lock(mutex_);
  store::PutLoginBlocks request{kept_records(authenticator_.blocks())};
  auto now = encoded(request.blocks);
  if (now == written_) return;
  const auto written = store_.apply(std::move(request));
  if (!written) return log::warning("blocks.not_kept", {{"context", written.error().context}});
  written_ = std::move(now);
}

}  // namespace posthus::main
