// Every text POP3 clients may show, in three languages.
#include "pop3/response.h"

#include <array>
#include <charconv>

#include "core/base/ascii.h"

namespace posthus::pop3 {
namespace {

struct Row {
  Text text;
  std::array<std::string_view, kLanguages> in;
};

// No text begins with "[" (RFC 2449 §6.4) or holds "<" in the greeting (RFC 1939 §7).
constexpr Row kRows[] = {
    {Text::kReady, {"POP3 server ready", "POP3-Server bereit", "POP3-tjener klar"}},
    {Text::kGoodbye, {"goodbye", "auf Wiedersehen", "ha det"}},
    {Text::kCapabilities, {"capability list follows", "Fähigkeiten folgen", "liste over funksjoner følger"}},
    {Text::kSendPassword, {"send the password", "bitte Passwort senden", "send passordet"}},
    {Text::kMaildropHas, {"%1 messages (%2 octets)", "%1 Nachrichten (%2 Oktette)", "%1 meldinger (%2 oktetter)"}},
    {Text::kUniqueIds, {"unique-id listing follows", "eindeutige Kennungen folgen", "unike kjennetegn følger"}},
    {Text::kTopFollows, {"top of message follows", "Anfang der Nachricht folgt", "begynnelsen av meldingen følger"}},
    {Text::kDeleted, {"message marked as deleted", "Nachricht als gelöscht markiert", "meldingen er merket som slettet"}},
    {Text::kNothingDone, {"nothing done", "nichts getan", "ingenting gjort"}},
    {Text::kBeginTls, {"begin TLS negotiation", "TLS-Aushandlung beginnen", "begynn TLS-forhandling"}},
    {Text::kUtf8On, {"UTF-8 enabled", "UTF-8 eingeschaltet", "UTF-8 er slått på"}},
    {Text::kLanguagesFollow, {"language listing follows", "Sprachen folgen", "liste over språk følger"}},
    {Text::kLanguageChosen, {"language changed", "Sprache gewechselt", "språket er endret"}},
    {Text::kUnknownCommand, {"unknown command", "unbekannter Befehl", "ukjent kommando"}},
    {Text::kBadArguments, {"bad arguments", "falsche Argumente", "ugyldige argumenter"}},
    {Text::kLineTooLong, {"line too long", "Zeile zu lang", "linjen er for lang"}},
    {Text::kNotInThisState, {"not allowed in this state", "in diesem Zustand nicht erlaubt", "ikke tillatt i denne tilstanden"}},
    {Text::kTlsNeeded, {"log in over TLS only", "Anmeldung nur über TLS", "innlogging bare over TLS"}},
    {Text::kTlsActive, {"TLS is active already", "TLS ist bereits aktiv", "TLS er allerede i bruk"}},
    {Text::kTlsNotOffered, {"TLS is not available", "TLS ist nicht verfügbar", "TLS er ikke tilgjengelig"}},
    {Text::kSendUserFirst, {"send USER first", "zuerst USER senden", "send USER først"}},
    {Text::kWrongLogin, {"wrong login name or password", "Anmeldename oder Passwort falsch", "feil brukernavn eller passord"}},
    {Text::kAccountDisabled, {"this account is disabled", "dieses Konto ist gesperrt", "denne kontoen er sperret"}},
    {Text::kTooManyFailures,
     {"too many failed logins, try again later", "zu viele Fehlversuche, bitte später versuchen",
      "for mange mislykkede forsøk, prøv igjen senere"}},
    {Text::kMaildropInUse,
     {"another session has the maildrop open", "eine andere Sitzung hat das Postfach geöffnet",
      "en annen økt har postboksen åpen"}},
    {Text::kLoginTooSoon,
     {"the last login was too recent", "die letzte Anmeldung ist zu kurz her", "siste innlogging er for nylig"}},
    {Text::kNoSuchMessage, {"no such message", "keine solche Nachricht", "ingen slik melding"}},
    {Text::kMessageGone,
     {"the message was deleted meanwhile", "die Nachricht wurde inzwischen gelöscht", "meldingen er slettet i mellomtiden"}},
    {Text::kTemporaryFailure,
     {"temporary failure, try again later", "vorübergehende Störung, bitte später versuchen",
      "midlertidig feil, prøv igjen senere"}},
    {Text::kNothingWasDeleted,
     {"nothing was deleted, try again later", "nichts wurde gelöscht, bitte später versuchen",
      "ingenting ble slettet, prøv igjen senere"}},
    {Text::kUnknownMechanism, {"unknown authentication mechanism", "unbekanntes Anmeldeverfahren", "ukjent innloggingsmåte"}},
    {Text::kNotBase64, {"not base64", "kein Base64", "ikke base64"}},
    {Text::kAborted, {"authentication aborted", "Anmeldung abgebrochen", "innloggingen er avbrutt"}},
    {Text::kUnknownLanguage, {"language not available", "Sprache nicht verfügbar", "språket er ikke tilgjengelig"}},
    {Text::kTooManyErrors, {"too many errors", "zu viele Fehler", "for mange feil"}},
    {Text::kShuttingDown, {"the server is shutting down", "der Server wird beendet", "tjeneren avsluttes"}},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (static_cast<std::size_t>(kRows[i].text) != i) return false;
  }
  return std::size(kRows) == static_cast<std::size_t>(Text::kCount);
}
static_assert(is_in_order(), "one row per text, in the order of the enumeration");

constexpr std::string_view kCodes[] = {"", "[AUTH] ", "[IN-USE] ", "[LOGIN-DELAY] ", "[SYS/TEMP] "};
constexpr std::string_view kTags[] = {"en", "de", "nb"};
constexpr std::string_view kNames[] = {"English", "Deutsch", "Norsk bokmål"};
constexpr std::string_view kOctets[] = {" octets\r\n", " Oktette\r\n", " oktetter\r\n"};

}  // namespace

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

std::string_view text_of(Text text, Language language) {
  return kRows[static_cast<std::size_t>(text)].in[static_cast<std::size_t>(language)];
}

void append_ok(std::string& out, Text text, Language language) {
  out.append("+OK ").append(text_of(text, language)).append("\r\n");
}

void append_ok(std::string& out, Text text, Language language, std::uint64_t first, std::uint64_t second) {
  std::string_view pattern = text_of(text, language);
  out.append("+OK ");
  for (std::size_t percent; (percent = pattern.find('%')) != std::string_view::npos; pattern.remove_prefix(percent + 2)) {
    out.append(pattern.substr(0, percent));
    append_number(out, pattern[percent + 1] == '1' ? first : second);
  }
  out.append(pattern).append("\r\n");
}

void append_error(std::string& out, Code code, Text text, Language language) {
  out.append("-ERR ").append(kCodes[static_cast<std::size_t>(code)]).append(text_of(text, language)).append("\r\n");
}

void append_octets(std::string& out, std::uint64_t octets, Language language) {
  out.append("+OK ");
  append_number(out, octets);
  out.append(kOctets[static_cast<std::size_t>(language)]);
}

// language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*"
std::optional<Language> match_language(std::string_view range) {
  if (range == "*") return Language::kEnglish;
  const std::string_view primary = range.substr(0, range.find('-'));
  // WHY: "no" is what most systems still call Bokmål (RFC 5646 registry: macrolanguage of nb).
  if (ascii::equal_ignoring_case(primary, "no")) return Language::kNorwegian;
  for (std::size_t i = 0; i < kLanguages; ++i) {
    if (ascii::equal_ignoring_case(primary, kTags[i])) return static_cast<Language>(i);
  }
  return std::nullopt;
}

std::string_view tag_of(Language language) { return kTags[static_cast<std::size_t>(language)]; }
std::string_view name_of(Language language) { return kNames[static_cast<std::size_t>(language)]; }

}  // namespace posthus::pop3
