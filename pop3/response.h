// POP3 responses: status, response code (RFC 2449 §8, RFC 3206, RFC 6856 §5) and text for people in the languages of
// LANG (RFC 6856 §3). Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::pop3 {

enum class Language : std::uint8_t { kEnglish, kGerman, kNorwegian };
inline constexpr std::size_t kLanguages = 3;

/// Everything a person may get to read. One row each in response.cc.
enum class Text : std::uint8_t {
  // +OK
  kReady,
  kGoodbye,
  kCapabilities,
  kSendPassword,
  kMaildropHas,
  kUniqueIds,
  kTopFollows,
  kDeleted,
  kNothingDone,
  kBeginTls,
  kUtf8On,
  kLanguagesFollow,
  kLanguageChosen,
  // -ERR
  kUnknownCommand,
  kBadArguments,
  kLineTooLong,
  kNotInThisState,
  kTlsNeeded,
  kTlsActive,
  kTlsNotOffered,
  kSendUserFirst,
  kWrongLogin,
  kAccountDisabled,
  kTooManyFailures,
  kMaildropInUse,
  kLoginTooSoon,
  kNoSuchMessage,
  kMessageGone,
  kTemporaryFailure,
  kNothingWasDeleted,
  kUnknownMechanism,
  kNotBase64,
  kAborted,
  kUnknownLanguage,
  kTooManyErrors,
  kShuttingDown,
  kCount
};

/// Response codes; kNone writes none.
enum class Code : std::uint8_t { kNone, kAuth, kInUse, kLoginDelay, kSysTemp };

/// "%1" and "%2" of the text are not filled in.
std::string_view text_of(Text text, Language language);

/// Appends "+OK text".
void append_ok(std::string& out, Text text, Language language);
/// Appends "+OK text" with the two numbers filled in.
void append_ok(std::string& out, Text text, Language language, std::uint64_t first, std::uint64_t second);
/// Appends "-ERR [code] text".
void append_error(std::string& out, Code code, Text text, Language language);
/// Decimal digits.
void append_number(std::string& out, std::uint64_t number);
/// Appends "+OK 8192 octets".
void append_octets(std::string& out, std::uint64_t octets, Language language);

/// The language a basic language range (RFC 4647 §2.1) asks for: "de-AT" finds "de", "*" the default.
std::optional<Language> match_language(std::string_view range);
std::string_view tag_of(Language language);
/// Its own name for itself, in UTF-8.
std::string_view name_of(Language language);

}  // namespace posthus::pop3
