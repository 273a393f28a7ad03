// The list of sign_in_log.h.
#include "core/sasl/sign_in_log.h"

#include <algorithm>

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

void SignInLog::add(SignIn sign_in) {
  sign_in.login.resize(std::min(sign_in.login.size(), kMaxSignInText));
  const std::string key = key_of(sign_in);
  const std::lock_guard lock(mutex_);
  sign_in.number = ++last_number_;
  sign_in.first = sign_in.last = clock_.now();
  Part& part = sign_in.is_success() ? accepted_ : failed_;
  if (const auto found = part.index.find(key); found != part.index.end()) {
    const SignIn& before = *found->second;
    if (sign_in.last.seconds() - before.first.seconds() < kSignInMergeSeconds) {
      sign_in.first = before.first;
      sign_in.count = before.count + 1;
      part.entries.erase(found->second);
    }
    // WHY the older entry stays otherwise: it is another hour's; it merely grows no more.
    part.index.erase(found);
  }
  part.entries.push_front(std::move(sign_in));
  part.index.emplace(key, part.entries.begin());
  if (part.entries.size() <= kMaxSignIns) return;
  const auto oldest = std::prev(part.entries.end());
  if (const auto found = part.index.find(key_of(*oldest)); found != part.index.end() && found->second == oldest) {
    part.index.erase(found);
  }
  part.entries.erase(oldest);
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
