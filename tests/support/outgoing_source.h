// OutgoingSource: a MessageSource for tests that watches over its contract: every message that was taken gets one result
// with each of its recipients in it, the end comes once and last. A breach aborts, under a fuzzer too.
// Thread rule: one thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "smtp/client_session.h"

namespace posthus::testing {

class OutgoingSource final : public smtp::MessageSource {
 public:
  /// `text` with CRLF; size and read are set from it.
  void add(smtp::OutgoingMessage message, std::string text) {
    message.size = text.size();
    message.read = [this, text = std::move(text)](std::uint64_t offset, std::uint64_t length, std::string& out) -> Result<> {
      CHECK(offset + length <= text.size());
      CHECK(length <= 256 * 1024);
      if (offset + length > readable) return fail(ErrorKind::kIo, "unreadable");
      out.append(text, offset, length);
      return {};
    };
    messages.push_back(std::move(message));
  }

  void ready(const smtp::ConnectionResult& result) override {
    CHECK(!is_ready && !connection && result.was_ready);
    is_ready = true;
  }
  std::optional<smtp::OutgoingMessage> next() override {
    CHECK(is_ready && !connection && !in_hand_);
    if (messages.empty()) return std::nullopt;
    smtp::OutgoingMessage message = std::move(messages.front());
    messages.pop_front();
    in_hand_.emplace();
    for (const auto& recipient : message.recipients) CHECK(in_hand_->insert(recipient.number).second);
    in_hand_id_ = message.id;
    return message;
  }
  bool may_stand_by() override {
    CHECK(is_ready && !connection && !in_hand_);
    return stands_by;
  }
  void finished(smtp::MessageResult result) override {
    CHECK(!connection && in_hand_);
    CHECK(result.id == in_hand_id_);
    for (const auto& recipient : result.recipients) {
      CHECK(in_hand_->erase(recipient.number) == 1);
      CHECK(!recipient.stage.empty());
      CHECK(recipient.reply.text.size() <= store::kMaxRemoteWords);
      CHECK(recipient.verdict != smtp::RecipientResult::Verdict::kDelivered || recipient.reply.code / 100 == 2);
    }
    CHECK(in_hand_->empty());
    in_hand_.reset();
    results.push_back(std::move(result));
  }
  void ended(smtp::ConnectionResult result) override {
    CHECK(!connection && !in_hand_);
    CHECK(result.was_ready == is_ready);
    CHECK(result.was_ready || !result.stage.empty());
    connection = std::move(result);
  }

  std::deque<smtp::OutgoingMessage> messages;  // not taken yet
  std::uint64_t readable = UINT64_MAX;         // reading beyond this offset fails
  bool is_ready = false;
  bool stands_by = false;
  std::vector<smtp::MessageResult> results;
  std::optional<smtp::ConnectionResult> connection;

 private:
  std::optional<std::set<std::uint16_t>> in_hand_;
  QueueId in_hand_id_;
};

}  // namespace posthus::testing
