// FailingEngine and SlowEngine: see the header.
#include "store/wrapped_engine.h"

#include <string>
#include <utility>

namespace posthus::store {
namespace {

using Trap = FailingEngine::Trap;

class FailingSnapshot final : public Snapshot {
 public:
  FailingSnapshot(std::unique_ptr<Snapshot> inner, const Trap& read) : inner_(std::move(inner)), read_(read) {}
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    POSTHUS_TRY_VOID(read_.trip("get"));
    return inner_->get(table, key);
  }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    POSTHUS_TRY_VOID(read_.trip("scan"));
    return inner_->scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    POSTHUS_TRY_VOID(read_.trip("scan"));
    return inner_->scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return inner_->size(table); }

 private:
  std::unique_ptr<Snapshot> inner_;
  const Trap& read_;
};

class FailingTransaction final : public WriteTransaction {
 public:
  FailingTransaction(WriteTransaction& inner, const Trap& put, const Trap& read) : inner_(inner), put_(put), read_(read) {}
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const override {
    POSTHUS_TRY_VOID(read_.trip("get"));
    return inner_.get(table, key);
  }
  Result<> scan(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    POSTHUS_TRY_VOID(read_.trip("scan"));
    return inner_.scan(table, from, to, visit);
  }
  Result<> scan_backward(Table table, std::string_view from, std::string_view to, RowVisitor visit) const override {
    POSTHUS_TRY_VOID(read_.trip("scan"));
    return inner_.scan_backward(table, from, to, visit);
  }
  Result<TableSize> size(Table table) const override { return inner_.size(table); }
  Result<> put(Table table, std::string_view key, std::string_view value) override {
    POSTHUS_TRY_VOID(put_.trip("put"));
    return inner_.put(table, key, value);
  }
  Result<> erase(Table table, std::string_view key) override {
    POSTHUS_TRY_VOID(put_.trip("erase"));
    return inner_.erase(table, key);
  }

 private:
  WriteTransaction& inner_;
  const Trap &put_, &read_;
};

}  // namespace

void FailingEngine::Trap::set(std::uint64_t nth, ErrorKind kind) {
  kind_ = kind;
  left_ = nth;
  is_for_all_ = false;
}

void FailingEngine::Trap::set_for_all(ErrorKind kind) {
  kind_ = kind;
  is_for_all_ = true;
}

Result<> FailingEngine::Trap::trip(const char* what) const {
  std::uint64_t left = left_.load();
  while (left != 0 && !left_.compare_exchange_weak(left, left - 1)) {
  }
  if (left != 1 && !is_for_all_) return {};
  return fail(kind_.load(), std::string("told to fail: ") + what);
}

void FailingEngine::fail_put(std::uint64_t nth, ErrorKind kind) { put_.set(nth, kind); }
void FailingEngine::fail_commits(ErrorKind kind) { commit_.set_for_all(kind); }
void FailingEngine::fail_read(std::uint64_t nth, ErrorKind kind) { read_.set(nth, kind); }
void FailingEngine::fail_commit(std::uint64_t nth, ErrorKind kind) { commit_.set(nth, kind); }
void FailingEngine::fail_snapshot(std::uint64_t nth, ErrorKind kind) { snapshot_.set(nth, kind); }
void FailingEngine::fail_after_commit(std::uint64_t nth, ErrorKind kind) { after_commit_.set(nth, kind); }

Result<std::unique_ptr<Snapshot>> FailingEngine::snapshot() {
  POSTHUS_TRY_VOID(snapshot_.trip("snapshot"));
  auto inner = POSTHUS_TRY(inner_->snapshot());
  return std::make_unique<FailingSnapshot>(std::move(inner), read_);
}

Result<> FailingEngine::commit(FunctionRef<Result<>(WriteTransaction&)> apply) {
  POSTHUS_TRY_VOID(inner_->commit([&](WriteTransaction& inner) -> Result<> {
    FailingTransaction transaction(inner, put_, read_);
    POSTHUS_TRY_VOID(apply(transaction));
    return commit_.trip("commit");
  }));
  return after_commit_.trip("after commit");
}

void SlowEngine::hold() {
  const std::lock_guard lock(mutex_);
  is_held_ = true;
}

void SlowEngine::let_pass(std::uint64_t commits) {
  const std::lock_guard lock(mutex_);
  passes_ += commits;
  changed_.notify_all();
}

void SlowEngine::let_go() {
  const std::lock_guard lock(mutex_);
  is_held_ = false;
  changed_.notify_all();
}

void SlowEngine::wait_until_held() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_waiting_; });
}

Result<> SlowEngine::commit(FunctionRef<Result<>(WriteTransaction&)> apply) {
  {
    std::unique_lock lock(mutex_);
    is_waiting_ = is_held_ && passes_ == 0;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !is_held_ || passes_ > 0; });
    is_waiting_ = false;
    if (is_held_) --passes_;
  }
  return inner_->commit(apply);
}

}  // namespace posthus::store
