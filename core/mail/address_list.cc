// Lenient reader of address lists (RFC 5322 §3.4, §4.4; comments as names as RFC 822 §3.4.3 had them).
// Thread rule: pure functions. Known limit: a second '@' in an addr-spec stays in the host.
#include "core/mail/address_list.h"

#include <array>
#include <utility>

#include "core/base/ascii.h"

namespace posthus::mail {
namespace {

/// A set of bytes, looked up at once.
constexpr std::array<bool, 256> byte_set_of(std::string_view members) {
  std::array<bool, 256> set{};
  for (const char c : members) set[static_cast<unsigned char>(c)] = true;
  return set;
}

using ByteSet = std::array<bool, 256>;
constexpr ByteSet kSpecials = byte_set_of("()<>@,;:\".\\ \t\r\n");
// What a dot-atom consists of; "[" may begin a literal.
constexpr ByteSet kPlain = [] {
  ByteSet set{};
  for (std::size_t c = 0; c < set.size(); ++c) set[c] = c == '.' || (c != '[' && !kSpecials[c]);
  return set;
}();
// Where the text of a domain pauses: CFWS, a literal, and what ends the address (in a list, in angle brackets).
constexpr ByteSet kDomainStops = byte_set_of(",;<([ \t\r\n");
constexpr ByteSet kAngleDomainStops = byte_set_of(",;>([ \t\r\n");

bool contains(const ByteSet& set, char c) { return set[static_cast<unsigned char>(c)]; }

class AddressListReader {
 public:
  AddressListReader(std::string_view text, FunctionRef<void(const ListedAddress&)> visit) : text_(text), visit_(visit) {}

  // address-list = (address *("," address)) / obs-addr-list
  void address_list() {
    while (at_ < text_.size()) {
      skip_cfws();
      if (at_ == text_.size()) break;
      if (text_[at_] == ',') {
        ++at_;
      } else if (text_[at_] == ';') {
        ++at_;
        end_group();
      } else if (!plain_address()) {
        address();
      }
    }
    end_group();
  }

 private:
  // mailbox = dot-atom "@" dot-atom / [display-name [" "]] "<" dot-atom "@" dot-atom ">"
  /// An address as nearly all are written, taken out of the text as it stands; false, and nothing is read, for any other.
  /// WHY: a listing of a large mailbox has half a million of them. Says what address() would say.
  bool plain_address() {
    ListedAddress address;
    std::size_t at = at_;
    if (!plain_addr_spec(at, address)) {
      if (!plain_name(at, address)) return false;
      ++at;
      if (!plain_addr_spec(at, address) || at == text_.size() || text_[at] != '>') return false;
      ++at;
    }
    if (at < text_.size() && text_[at] != ',' && text_[at] != ';') return false;
    at_ = at;
    visit_(address);
    return true;
  }

  std::size_t past_plain(std::size_t at) const {
    while (at < text_.size() && contains(kPlain, text_[at])) ++at;
    return at;
  }

  /// Moves `at` past the address.
  bool plain_addr_spec(std::size_t& at, ListedAddress& address) const {
    const std::size_t sign = past_plain(at);
    if (sign == at || sign == text_.size() || text_[sign] != '@') return false;
    const std::size_t end = past_plain(sign + 1);
    if (end == sign + 1) return false;
    address.mailbox = text_.substr(at, sign - at);
    address.host = text_.substr(sign + 1, end - sign - 1);
    at = end;
    return true;
  }

  // display-name = *(atom [" "]) / DQUOTE *qtext DQUOTE
  /// Moves `at` to the "<" behind the name.
  bool plain_name(std::size_t& at, ListedAddress& address) const {
    std::size_t end = at;
    if (text_[at] == '"') {
      end = text_.find_first_of("\"\\\r\n", at + 1);
      if (end == std::string_view::npos || text_[end] != '"') return false;
      address.name = text_.substr(at + 1, end - at - 1);
      ++end;
    } else {
      end = past_plain(at);
      // A space before a dot is not kept.
      while (end + 1 < text_.size() && text_[end] == ' ' && text_[end + 1] != '.' && contains(kPlain, text_[end + 1]))
        end = past_plain(end + 1);
      address.name = text_.substr(at, end - at);
    }
    if (end < text_.size() && text_[end] == ' ') ++end;
    if (end == text_.size() || text_[end] != '<') return false;
    at = end;
    return true;
  }

  // CFWS = (1*([FWS] comment) [FWS]) / FWS
  /// Skips white space and comments; the text of the last comment stays in comment_. True when there was any.
  bool skip_cfws() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      if (text_[at_] == '(') {
        comment();
      } else if (ascii::is_white_space(text_[at_])) {
        ++at_;
      } else {
        break;
      }
    }
    return at_ != begin;
  }

  // comment = "(" *([FWS] ccontent) [FWS] ")"
  void comment() {
    comment_.clear();
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        comment_.push_back(text_[at_++]);
        continue;
      }
      if (c == '(' && depth++ == 0) continue;
      if (c == ')' && --depth == 0) return;
      if (c != '\r' && c != '\n') comment_.push_back(c);
    }
  }

  // quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS]
  void quoted_string(std::string& out) {
    ++at_;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return;
      if (c == '\\' && at_ < text_.size()) c = text_[at_++];
      if (c != '\r' && c != '\n') out.push_back(c);
    }
  }

  void atom(std::string& out) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !contains(kSpecials, text_[at_])) ++at_;
    if (at_ == begin) ++at_;  // a special nobody expects here: taken as it is, so that reading goes on
    out.append(text_.substr(begin, at_ - begin));
  }

  /// One word or dot. `words_` keeps a single space where there was white space; `local_` is the last run of words joined by
  /// dots, without the white space obs-local-part allows around them ("a . b" is "a.b").
  void word(bool after_space) {
    const bool is_dot = text_[at_] == '.';
    if (after_space && !words_.empty()) {
      if (!is_dot && !ends_with_dot_) {
        local_.clear();
        local_begin_ = words_.size() + 1;
      }
      if (!is_dot) words_.push_back(' ');
    }
    const std::size_t begin = words_.size();
    if (text_[at_] == '"') {
      quoted_string(words_);
    } else {
      atom(words_);
    }
    local_.append(words_, begin);
    ends_with_dot_ = is_dot;
  }

  void clear_words() {
    words_.clear();
    local_.clear();
    local_begin_ = 0;
    ends_with_dot_ = false;
  }

  // address = mailbox / group ; mailbox = name-addr / addr-spec ; group = display-name ":" [group-list] ";" [CFWS]
  void address() {
    clear_words();
    comment_.clear();
    bool after_space = false;
    while (true) {
      after_space |= skip_cfws();
      const char c = at_ < text_.size() ? text_[at_] : ',';
      if (c == ',' || c == ';') return lone_words();
      if (c == '<') return name_addr();
      if (c == '@') return addr_spec();
      if (c == ':') {
        ++at_;
        if (!in_group_) return start_group();
        clear_words();  // groups do not nest
        continue;
      }
      word(after_space);
      after_space = false;
    }
  }

  void start_group() {
    ListedAddress group;
    group.kind = ListedKind::kGroupStart;
    group.name = words_;
    in_group_ = true;
    visit_(group);
  }

  void end_group() {
    if (!in_group_) return;
    in_group_ = false;
    ListedAddress group;
    group.kind = ListedKind::kGroupEnd;
    visit_(group);
  }

  /// Words without '@' or '<': one word is a mailbox without a host, several are a name.
  void lone_words() {
    if (words_.empty() && comment_.empty()) return;
    ListedAddress address;
    if (local_begin_ == 0) {
      address.mailbox = words_;
      address.name = comment_;
    } else {
      address.name = words_;
    }
    visit_(address);
  }

  // addr-spec = local-part "@" domain ; obs-local-part = word *("." word)
  void addr_spec() {
    ListedAddress address;
    address.mailbox = local_;
    if (local_begin_ > 0) address.name = ascii::trim(std::string_view(words_).substr(0, local_begin_));
    comment_.clear();
    ++at_;
    domain(kDomainStops);
    if (at_ < text_.size() && text_[at_] == '<') {  // QUIRK(many): an unquoted address as display name, "a@b <a@b>"
      words_ += "@" + host_;
      return name_addr();
    }
    address.host = host_;
    skip_to_end_of_address();
    if (address.name.empty()) address.name = comment_;
    visit_(address);
  }

  // name-addr = [display-name] angle-addr ; angle-addr = [CFWS] "<" [obs-route] addr-spec ">" [CFWS]
  void name_addr() {
    ListedAddress address;
    name_ = std::move(words_);
    address.name = name_;
    comment_.clear();
    ++at_;
    skip_cfws();
    route_.clear();
    if (at_ < text_.size() && (text_[at_] == '@' || text_[at_] == ',')) obs_route();
    address.route = route_;
    clear_words();
    while (at_ < text_.size() && text_[at_] != '@' && text_[at_] != '>' && text_[at_] != ',') {
      if (!skip_cfws()) word(false);
    }
    address.mailbox = words_;
    if (at_ < text_.size() && text_[at_] == '@') {
      ++at_;
      domain(kAngleDomainStops);
      address.host = host_;
    }
    if (at_ < text_.size() && text_[at_] == '>') ++at_;
    skip_to_end_of_address();
    if (address.name.empty()) address.name = comment_;
    visit_(address);
  }

  // obs-route = obs-domain-list ":" ; obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
  void obs_route() {
    const std::size_t begin = at_;
    // WHY '<': without it every "<@" of a hostile list would search the rest of the text for its colon.
    while (at_ < text_.size() && text_[at_] != ':' && text_[at_] != '>' && text_[at_] != '<') {
      if (skip_cfws()) continue;
      route_.push_back(text_[at_++]);
    }
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      return;
    }
    route_.clear();
    at_ = begin;  // no colon: "<@host>", an address without local part
  }

  // domain = dot-atom / domain-literal / obs-domain
  /// Into host_.
  void domain(const ByteSet& stops) {
    host_.clear();
    while (true) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && !contains(stops, text_[at_])) ++at_;
      host_.append(text_.substr(begin, at_ - begin));
      if (at_ == text_.size()) return;
      if (text_[at_] == '[') {
        domain_literal();
      } else if (!skip_cfws()) {
        return;
      }
    }
  }

  // domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS]
  void domain_literal() {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '>') {
      const char c = text_[at_++];
      if (!ascii::is_white_space(c)) host_.push_back(c);
      if (c == ']') return;
    }
  }

  /// Past whatever stands before the comma or semicolon that ends this address.
  void skip_to_end_of_address() {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ';') {
      if (skip_cfws()) continue;
      std::string ignored;
      if (text_[at_] == '"') {
        quoted_string(ignored);
      } else {
        ++at_;
      }
    }
  }

  std::string_view text_;                          // owned by the caller of for_each_listed_address
  FunctionRef<void(const ListedAddress&)> visit_;  // WHY a member: the reader lives within one call of for_each_listed_address
  std::size_t at_ = 0;
  bool in_group_ = false;
  std::string words_;            // phrase of the address being read
  std::string local_;            // its last run of words: the local part, should '@' follow
  std::size_t local_begin_ = 0;  // where that run begins in words_
  bool ends_with_dot_ = false;
  std::string comment_;
  std::string name_, route_, host_;  // of an address in angle brackets; the host of any
};

}  // namespace

void for_each_listed_address(std::string_view value, FunctionRef<void(const ListedAddress&)> visit) {
  AddressListReader(value, visit).address_list();
}

}  // namespace posthus::mail
