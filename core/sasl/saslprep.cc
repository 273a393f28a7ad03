// SASLprep (RFC 4013) through ICU's stringprep profile; plain ASCII never reaches it.
#include "core/sasl/saslprep.h"

#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "core/base/check.h"
#include "core/base/secret.h"

namespace posthus::sasl {
namespace {

// NFKC makes one code point at most 18 UTF-16 units (U+FDFA).
constexpr std::size_t kMaxGrowth = 18;

UStringPrepProfile* profile() {
  // WHY: opened once; usprep_prepare is read-only on it, so all threads may share it.
  static UStringPrepProfile* const opened = [] {
    UErrorCode error = U_ZERO_ERROR;
    UStringPrepProfile* made = usprep_openByType(USPREP_RFC4013_SASLPREP, &error);
    CHECK(U_SUCCESS(error) && made != nullptr);
    return made;
  }();
  return opened;
}

/// UTF-16 that wipes itself: it holds passwords.
struct Units {
  explicit Units(std::size_t count) : units(count) {}
  ~Units() {
    volatile UChar* p = units.data();
    for (std::size_t i = 0; i < units.size(); ++i) p[i] = 0;
  }
  Units(const Units&) = delete;
  Units& operator=(const Units&) = delete;
  std::int32_t capacity() const { return static_cast<std::int32_t>(units.size()); }
  std::vector<UChar> units;
};

std::optional<std::string> saslprep_unicode(std::string_view utf8) {
  UErrorCode error = U_ZERO_ERROR;
  Units source(utf8.size() + 1);
  std::int32_t source_length = 0;
  u_strFromUTF8(source.units.data(), source.capacity(), &source_length, utf8.data(),
                static_cast<std::int32_t>(utf8.size()), &error);
  if (U_FAILURE(error)) return std::nullopt;
  Units prepared(static_cast<std::size_t>(source_length) * kMaxGrowth + 1);
  UParseError where;
  const std::int32_t length = usprep_prepare(profile(), source.units.data(), source_length, prepared.units.data(),
                                             prepared.capacity(), USPREP_ALLOW_UNASSIGNED, &where, &error);
  if (U_FAILURE(error)) return std::nullopt;
  std::string out(static_cast<std::size_t>(length) * 3 + 1, '\0');
  std::int32_t out_length = 0;
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &out_length, prepared.units.data(), length, &error);
  if (U_FAILURE(error)) return std::nullopt;
  out.resize(static_cast<std::size_t>(out_length));
  return out;
}

}  // namespace

std::optional<std::string> saslprep(std::string_view utf8) {
  if (utf8.size() > kMaxPreparedText) return std::nullopt;
  bool is_ascii = true;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;  // RFC 3454 table C.2.1
    if (byte >= 0x80) is_ascii = false;
  }
  if (is_ascii) return std::string(utf8);
  return saslprep_unicode(utf8);
}

std::string prepare_password(std::string_view password) {
  auto prepared = saslprep(password);
  return prepared ? *std::move(prepared) : std::string(password);
}

}  // namespace posthus::sasl
