// How a connection from a proxy begins: with the PROXY header, before TLS and before a session exists (core/net/proxy_header.h).
#include <utility>

#include "core/net/driver.h"

namespace posthus::net {
namespace {

// Section 2: at least 3 seconds, for a lost segment. Proxies send it with the first bytes.
constexpr std::chrono::seconds kHeaderPatience{10};

}  // namespace

void Driver::start_introduced(Introduction introduction) {
  begin();
  drive_introduced(shared_from_this(), std::move(introduction));
}

Detached Driver::drive_introduced(std::shared_ptr<Driver> self, Introduction introduction) {
  const bool may_go_on = co_await self->be_introduced(introduction);
  introduction = {};  // an idle connection holds nothing of it
  if (may_go_on) co_await self->converse();
  self->finish();
}

Task<bool> Driver::be_introduced(const Introduction& introduction) {
  std::string header;
  const auto until = std::chrono::steady_clock::now() + kHeaderPatience;
  for (;;) {
    const HeaderState state = read_header(introduction, header);
    if (state == HeaderState::kOver) co_return false;
    if (state == HeaderState::kRead && session_) co_return true;
    if (state == HeaderState::kRead) continue;
    // WHY: one deadline for all of it, or a byte now and then would hold the connection for ever.
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - std::chrono::steady_clock::now());
    if (left.count() > 0 && co_await wait_for_socket(IoStatus::kWantRead, left, kCut | kShutdown)) continue;
    introduction.failed("it did not come in time");
    co_return false;
  }
}

// What has come of the header. REQUIRES: nothing behind the header is taken from the socket; it is the client's, and TLS reads
// the socket by itself.
Driver::HeaderState Driver::read_header(const Introduction& introduction, std::string& header) {
  const std::span<char> buffer = thread_.read_buffer().first(kMaxProxyHeader);
  const IoResult got = stream_.peek(buffer);
  if (got.status == IoStatus::kClosed) {
    introduction.failed(header.empty() ? "" : "the connection ended within it");
    return HeaderState::kOver;
  }
  if (got.status != IoStatus::kDone) return HeaderState::kWaits;
  const std::size_t before = header.size();
  header.append(buffer.data(), got.bytes);
  const auto parsed = parse_proxy_header(header);
  if (!parsed) {
    introduction.failed(parsed.error().context);
    return HeaderState::kOver;
  }
  stream_.discard(buffer.first(*parsed ? (*parsed)->size - before : got.bytes));
  if (!*parsed) return HeaderState::kRead;
  session_ = introduction.introduced(**parsed);
  return session_ ? HeaderState::kRead : HeaderState::kOver;
}

}  // namespace posthus::net
