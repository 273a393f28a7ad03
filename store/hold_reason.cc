// Codes and words of holds; see hold_reason.h.
#include "store/hold_reason.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::store {
namespace {

constexpr std::array<std::string_view, 6> kCodes{"other", "admin", "burst", "new_network", "bounces", "account"};

/// {c}: count, {l}: limit, {t}: text.
struct HoldWords {
  std::string_view admin, burst, new_network, bounces;
};
constexpr HoldWords kEnglishHold{"by an admin", "{c} copies within ten minutes, up to {l} are usual",
                                 "{c} copies within ten minutes, up to {l} are usual from a network it has never used ({t})",
                                 "{c} of {l} copies sent today could not be delivered"};
constexpr HoldWords kGermanHold{
    "durch einen Administrator", "{c} Kopien innerhalb von zehn Minuten, üblich sind bis zu {l}",
    "{c} Kopien innerhalb von zehn Minuten, üblich sind bis zu {l} aus einem Netz, das noch nie benutzt "
    "wurde ({t})",
    "{c} von {l} heute gesendeten Kopien waren unzustellbar"};
constexpr HoldWords kNorwegianHold{"av en administrator", "{c} kopier på ti minutter, opptil {l} er vanlig",
                                   "{c} kopier på ti minutter, opptil {l} er vanlig fra et nett som aldri er brukt før ({t})",
                                   "{c} av {l} kopier sendt i dag kunne ikke leveres"};

const HoldWords& hold_words(mail::ReportLanguage language) {
  switch (language) {
    case mail::ReportLanguage::kGerman: return kGermanHold;
    case mail::ReportLanguage::kNorwegian: return kNorwegianHold;
    case mail::ReportLanguage::kEnglish: break;
  }
  return kEnglishHold;
}

std::string filled(std::string_view words, const HoldReason& reason) {
  std::string out;
  while (!words.empty()) {
    const std::size_t at = std::min(words.find('{'), words.size());
    out += words.substr(0, at);
    if (at == words.size()) break;
    switch (words[at + 1]) {
      case 'c': out += std::to_string(reason.count); break;
      case 'l': out += std::to_string(reason.limit); break;
      default: out += reason.text;
    }
    words.remove_prefix(at + 3);
  }
  return out;
}

/// Up to the next colon, which goes too; nothing when there is none.
std::optional<std::string_view> take_field(std::string_view& rest) {
  const std::size_t end = rest.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return field;
}

}  // namespace

std::string_view to_string(HoldCode code) { return kCodes[static_cast<std::size_t>(code)]; }

std::string encode_hold_reason(const HoldReason& reason) {
  return ":" + std::string(to_string(reason.code)) + ":" + std::to_string(reason.count) + ":" + std::to_string(reason.limit) +
         ":" + reason.text;
}

HoldReason decode_hold_reason(std::string_view stored) {
  const HoldReason as_it_is{.code = HoldCode::kOther, .text = std::string(stored)};
  std::string_view rest = stored;
  if (take_field(rest) != "") return as_it_is;
  const auto code = take_field(rest), count = take_field(rest), limit = take_field(rest);
  if (!limit) return as_it_is;
  const auto found = std::ranges::find(kCodes, *code);
  const auto counted = ascii::parse_decimal<std::uint64_t>(*count), limited = ascii::parse_decimal<std::uint64_t>(*limit);
  if (found == kCodes.end() || !counted || !limited) return as_it_is;
  return {static_cast<HoldCode>(found - kCodes.begin()), *counted, *limited, std::string(rest)};
}

std::string hold_reason_words(const HoldReason& reason, mail::ReportLanguage language) {
  const HoldWords& words = hold_words(language);
  switch (reason.code) {
    case HoldCode::kAdmin:
    case HoldCode::kAccount: return reason.text.empty() ? std::string(words.admin) : reason.text;
    case HoldCode::kBurst: return filled(words.burst, reason);
    case HoldCode::kNewNetwork: return filled(words.new_network, reason);
    case HoldCode::kBounces: return filled(words.bounces, reason);
    case HoldCode::kOther: break;
  }
  return reason.text;
}

}  // namespace posthus::store
