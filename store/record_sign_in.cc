// Encoding and reading of sign-ins. See record_sign_in.h.
#include "store/record_sign_in.h"

#include <algorithm>

#include "core/base/bytes.h"

namespace posthus::store {
namespace {

constexpr std::uint8_t kSignInVersion = 1;

void append_short(std::string& out, std::string_view text) {
  const std::size_t size = std::min(text.size(), kMaxSignInFieldBytes);
  append_u8(out, static_cast<std::uint8_t>(size));
  out.append(text.substr(0, size));
}

}  // namespace

// version, is success u8, slot u16, number u64, first, last, count u32, is TLS u8; login, protocol, mechanism, remote address,
// result, reason, app password: each a length u8 and the text
std::string encode_sign_in(const SignInRecord& record) {
  std::string out;
  append_u8(out, kSignInVersion);
  append_u8(out, record.is_success ? 1 : 0);
  append_u16(out, record.slot);
  append_u64(out, record.number);
  append_u64(out, static_cast<std::uint64_t>(record.first.microseconds));
  append_u64(out, static_cast<std::uint64_t>(record.last.microseconds));
  append_u32(out, record.count);
  append_u8(out, record.is_tls ? 1 : 0);
  for (const std::string* text : {&record.login, &record.protocol, &record.mechanism, &record.remote_address, &record.result,
                                  &record.reason, &record.app_password}) {
    append_short(out, *text);
  }
  return out;
}

Result<SignInRecord> decode_sign_in(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool is_version = reader.u8() == kSignInVersion;
  SignInRecord record;
  const std::uint8_t success = reader.u8();
  record.is_success = success == 1;
  record.slot = reader.u16();
  record.number = reader.u64();
  record.first.microseconds = static_cast<std::int64_t>(reader.u64());
  record.last.microseconds = static_cast<std::int64_t>(reader.u64());
  record.count = reader.u32();
  const std::uint8_t tls = reader.u8();
  record.is_tls = tls == 1;
  for (std::string* text : {&record.login, &record.protocol, &record.mechanism, &record.remote_address, &record.result,
                            &record.reason, &record.app_password}) {
    *text = reader.take(reader.u8());
  }
  const bool is_known = is_version && success <= 1 && tls <= 1 && record.slot < kSignInSlots;
  if (!is_known || !reader.ok() || !reader.at_end()) return fail(ErrorKind::kCorrupt, "sign-in");
  return record;
}

std::string sign_in_key(const SignInRecord& record) {
  std::string key;
  append_u8(key, record.is_success ? 1 : 0);
  append_u16(key, record.slot);
  return key;
}

Result<std::vector<SignInRecord>> read_sign_ins(const Snapshot& snapshot) {
  std::vector<SignInRecord> all;
  POSTHUS_TRY_VOID(snapshot.scan(Table::kSignIns, {}, {}, [&all](std::string_view, std::string_view value) {
    if (auto record = decode_sign_in(value)) all.push_back(*std::move(record));
    return Visit::kContinue;
  }));
  return all;
}

}  // namespace posthus::store
