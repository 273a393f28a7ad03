// The list of sign_in_log.h.
#include "core/sasl/sign_in_log.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/bytes.h"

namespace posthus::sasl {
namespace {

std::string key_of(const SignIn& sign_in) {
  std::string key;
  for (const std::string* part : {&sign_in.login, &sign_in.protocol, &sign_in.mechanism, &sign_in.remote_address, &sign_in.result,
                                  &sign_in.reason, &sign_in.app_password}) {
    append_text(key, *part);
  }
  return key;
}

}  // namespace

SignInLog::SignInLog(const Clock& clock) : clock_(clock) {
  for (Part* part : {&accepted_, &failed_}) {
    for (std::size_t slot = kMaxSignIns; slot > 0; --slot) part->free.push_back(static_cast<std::uint16_t>(slot - 1));
  }
}

std::uint16_t SignInLog::make_room(Part& part) {
  if (!part.free.empty()) {
    const std::uint16_t slot = part.free.back();
    part.free.pop_back();
    return slot;
  }
  const auto oldest = std::prev(part.entries.end());
  if (const auto found = part.index.find(key_of(*oldest)); found != part.index.end() && found->second == oldest) {
    part.index.erase(found);
  }
  const std::uint16_t slot = oldest->slot;
  part.entries.erase(oldest);
  return slot;
}

void SignInLog::add(SignIn sign_in) {
  sign_in.login.resize(std::min(sign_in.login.size(), kMaxSignInText));
  const std::string key = key_of(sign_in);
  const std::lock_guard lock(mutex_);
  sign_in.number = ++last_number_;
  sign_in.first = sign_in.last = clock_.now();
  Part& part = part_of(sign_in);
  bool is_merged = false;
  if (const auto found = part.index.find(key); found != part.index.end()) {
    const Entry& before = *found->second;
    is_merged = sign_in.last.seconds() - before.first.seconds() < kSignInMergeSeconds;
    if (is_merged) {
      sign_in.first = before.first;
      sign_in.count = before.count + 1;
      sign_in.slot = before.slot;
      if (before.is_unsaved) --unsaved_;
      part.entries.erase(found->second);
    }
    // WHY the older entry stays otherwise: it is another hour's; it merely grows no more.
    part.index.erase(found);
  }
  if (!is_merged) {
    if (part.free.empty() && part.entries.back().is_unsaved) --unsaved_;
    sign_in.slot = make_room(part);
  }
  part.entries.push_front({std::move(sign_in)});
  part.index.emplace(key, part.entries.begin());
  ++unsaved_;
}

void SignInLog::restore(std::vector<SignIn> kept) {
  std::ranges::sort(kept, std::greater(), &SignIn::number);
  const std::lock_guard lock(mutex_);
  for (SignIn& one : kept) {
    Part& part = part_of(one);
    if (std::erase(part.free, one.slot) == 0) continue;  // no slot, or another's
    last_number_ = std::max(last_number_, one.number);
    std::string key = key_of(one);
    part.entries.push_back({std::move(one), false});
    part.index.emplace(std::move(key), std::prev(part.entries.end()));
  }
}

std::vector<SignIn> SignInLog::take_unsaved(std::size_t most) {
  std::vector<SignIn> taken;
  const std::lock_guard lock(mutex_);
  for (Part* part : {&accepted_, &failed_}) {
    for (auto entry = part->entries.begin(); entry != part->entries.end() && unsaved_ > 0 && taken.size() < most; ++entry) {
      if (!entry->is_unsaved) continue;
      entry->is_unsaved = false;
      --unsaved_;
      taken.push_back(*entry);
    }
  }
  return taken;
}

void SignInLog::put_back(const std::vector<SignIn>& taken) {
  std::unordered_set<std::uint64_t> numbers;
  for (const SignIn& one : taken) numbers.insert(one.number);
  const std::lock_guard lock(mutex_);
  for (Part* part : {&accepted_, &failed_}) {
    for (Entry& entry : part->entries) {
      if (entry.is_unsaved || !numbers.contains(entry.number)) continue;
      entry.is_unsaved = true;
      ++unsaved_;
    }
  }
}

std::vector<SignIn> SignInLog::all() const {
  std::vector<SignIn> all;
  const std::lock_guard lock(mutex_);
  all.reserve(accepted_.entries.size() + failed_.entries.size());
  std::ranges::merge(accepted_.entries, failed_.entries, std::back_inserter(all), std::greater(), &SignIn::number,
                     &SignIn::number);
  return all;
}

}  // namespace posthus::sasl
