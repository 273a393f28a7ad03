// Strong identifier types. Mixing an account with a mailbox does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace posthus {

template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

using AccountId = Id<struct AccountTag, std::uint32_t>;  // 0 is never assigned
using MailboxId = Id<struct MailboxTag, std::uint32_t>;  // unique in the whole store; 0 is never assigned
using BlobId = Id<struct BlobTag, std::uint64_t>;        // one stored message text; 0 is never assigned
using QueueId = Id<struct QueueTag, std::uint64_t>;  // one accepted message: microseconds << 12 | counter; 0 is never assigned
using Uid = Id<struct UidTag, std::uint32_t>;        // RFC 9051 §2.3.1.1; 1..2^32-1
using ModSeq = Id<struct ModSeqTag, std::uint64_t>;  // RFC 7162 §3.1: per-mailbox change number, 1..2^63-1

}  // namespace posthus

template <class Tag, class Rep>
struct std::hash<posthus::Id<Tag, Rep>> {
  std::size_t operator()(const posthus::Id<Tag, Rep>& id) const noexcept { return std::hash<Rep>{}(id.value); }
};
