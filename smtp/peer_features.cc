// See peer_features.h. Words that say nothing to us are passed over. Thread rule: pure functions.
#include "smtp/peer_features.h"

#include <array>

#include "core/base/ascii.h"

namespace posthus::smtp {
namespace {

struct Flag {
  std::string_view keyword;
  bool PeerFeatures::* member;
};
constexpr std::array kFlags{
    Flag{"PIPELINING", &PeerFeatures::pipelining},  Flag{"8BITMIME", &PeerFeatures::eight_bit_mime},
    Flag{"BINARYMIME", &PeerFeatures::binary_mime}, Flag{"CHUNKING", &PeerFeatures::chunking},
    Flag{"SMTPUTF8", &PeerFeatures::smtputf8},      Flag{"DSN", &PeerFeatures::dsn},
    Flag{"STARTTLS", &PeerFeatures::starttls},      Flag{"REQUIRETLS", &PeerFeatures::requiretls},
};

struct Limit {
  std::string_view keyword;
  std::uint32_t PeerFeatures::* member;
};
constexpr std::array kLimits{
    Limit{"MAILMAX", &PeerFeatures::max_transactions},
    Limit{"RCPTMAX", &PeerFeatures::max_recipients},
    Limit{"RCPTDOMAINMAX", &PeerFeatures::max_recipient_domains},
};

// The next word of `rest`, which is taken off.
std::string_view next_word(std::string_view& rest) {
  rest = ascii::trim(rest);
  const std::size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

void take_limits(PeerFeatures& features, std::string_view rest) {
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto value = ascii::parse_decimal<std::uint32_t>(word.substr(equals + 1));
    for (const Limit& limit : kLimits) {
      if (value && ascii::equal_ignoring_case(word.substr(0, equals), limit.keyword)) features.*limit.member = *value;
    }
  }
}

void take_mechanisms(PeerFeatures& features, std::string_view rest) {
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    features.auth_plain |= ascii::equal_ignoring_case(word, "PLAIN");
    features.auth_login |= ascii::equal_ignoring_case(word, "LOGIN");
  }
}

// ehlo-line = ehlo-keyword *( SP ehlo-param )
void ehlo_line(PeerFeatures& features, std::string_view line) {
  std::string_view rest = line;
  const std::string_view keyword = next_word(rest);
  for (const Flag& flag : kFlags) {
    if (ascii::equal_ignoring_case(keyword, flag.keyword)) features.*flag.member = true;
  }
  if (ascii::equal_ignoring_case(keyword, "SIZE")) {
    features.size = true;
    features.max_size = ascii::parse_decimal<std::uint64_t>(next_word(rest)).value_or(0);
  } else if (ascii::equal_ignoring_case(keyword, "AUTH")) {
    take_mechanisms(features, rest);
  } else if (keyword.size() > 5 && ascii::equal_ignoring_case(keyword.substr(0, 5), "AUTH=")) {
    // QUIRK(old servers): "AUTH=LOGIN PLAIN", from before RFC 2554.
    take_mechanisms(features, line.substr(line.find('=') + 1));
  } else if (ascii::equal_ignoring_case(keyword, "LIMITS")) {
    take_limits(features, rest);
  }
}

}  // namespace

PeerFeatures parse_ehlo_answer(std::string_view lines) {
  PeerFeatures features;
  bool is_first = true;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (!is_first) ehlo_line(features, line);
    is_first = false;
  }
  // RFC 3030 §3: BINARYMIME is of no use without CHUNKING.
  features.binary_mime = features.binary_mime && features.chunking;
  return features;
}

}  // namespace posthus::smtp
