// The XML of an autodiscover request. XML 1.0 §2.4 (text), §2.5 (comments), §2.6 (processing instructions), §2.7 (CDATA),
// §3.1 (tags), §4.1 (references).
#include "web-admin/autodiscover_request.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ascii.h"

namespace posthus::web_admin {
namespace {

constexpr std::size_t kMaxText = 1000;  // of an element; an address has at most 320 bytes

std::unexpected<Error> broken(std::string what) {
  return fail(ErrorKind::kInvalid, "the request is no valid XML: " + std::move(what));
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

std::optional<std::uint32_t> character_number(std::string_view text) {
  const bool is_hex = text.starts_with('x');
  if (is_hex) text.remove_prefix(1);
  if (text.empty() || text.size() > 7) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : text) {
    const char lower = ascii::to_lower(c);
    const bool is_letter = is_hex && lower >= 'a' && lower <= 'f';
    if (!ascii::is_digit(c) && !is_letter) return std::nullopt;
    number = number * (is_hex ? 16 : 10) + static_cast<std::uint32_t>(is_letter ? lower - 'a' + 10 : c - '0');
  }
  const bool is_character = number >= 0x20 && number <= 0x10FFFF && (number < 0xD800 || number > 0xDFFF);
  return is_character ? std::optional(number) : std::nullopt;
}

// Reference = "&" Name ";" | "&#" [0-9]+ ";" | "&#x" [0-9a-fA-F]+ ";" (XML 1.0 §4.1), without "&" and ";"
bool append_reference(std::string& out, std::string_view name) {
  constexpr std::pair<std::string_view, char> kKnown[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kKnown) {
    if (name == known) return out.push_back(c), true;
  }
  const auto number = name.starts_with('#') ? character_number(name.substr(1)) : std::nullopt;
  if (number) append_utf8(out, *number);
  return number.has_value();
}

class Reader {
 public:
  explicit Reader(std::string_view body) : left_(body) {}
  Result<AutodiscoverRequest> read();

 private:
  Result<> markup();
  Result<> text();
  Result<> start_tag(std::string_view tag);
  Result<> end_tag(std::string_view tag);
  Result<> skip(std::string_view end);
  /// The local name of a tag's name.
  static std::string_view local(std::string_view name) {
    return name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
  }

  std::string_view left_;
  std::vector<std::string_view> open_;  // names with their prefixes
  std::string text_;                    // of the innermost element
  bool had_root_ = false;
  AutodiscoverRequest request_;
};

Result<> Reader::skip(std::string_view end) {
  const std::size_t at = left_.find(end);
  if (at == std::string_view::npos) return broken("it is cut off");
  left_.remove_prefix(at + end.size());
  return {};
}

Result<> Reader::text() {
  const std::size_t end = std::min(left_.find('<'), left_.size());
  std::string_view run = left_.substr(0, end);
  left_.remove_prefix(end);
  if (open_.empty()) return ascii::trim(run).empty() ? Result<>{} : broken("text outside of the root element");
  while (!run.empty() && text_.size() <= kMaxText) {
    const std::size_t ampersand = std::min(run.find('&'), run.size());
    text_ += run.substr(0, ampersand);
    run.remove_prefix(ampersand);
    if (run.empty()) break;
    const std::size_t semicolon = run.substr(0, 12).find(';');
    if (semicolon == std::string_view::npos || !append_reference(text_, run.substr(1, semicolon - 1)))
      return broken("an unknown entity");
    run.remove_prefix(semicolon + 1);
  }
  return text_.size() <= kMaxText ? Result<>{} : broken("an element is too long");
}

// STag = "<" Name (S Attribute)* S? ">" ; EmptyElemTag ends with "/>". WHY attributes are not looked at: namespaces come in them,
// but Outlook's names are unmistakable.
Result<> Reader::start_tag(std::string_view tag) {
  const bool is_empty = tag.ends_with('/');
  if (is_empty) tag.remove_suffix(1);
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n"));
  if (name.empty() || name.find_first_of("<&\"'=/") != std::string_view::npos) return broken("a tag is malformed");
  if (open_.empty() && had_root_) return broken("there is more than one root element");
  had_root_ = true;
  text_.clear();
  if (is_empty) return {};
  if (open_.size() >= kMaxXmlDepth) return broken("elements nest too deep");
  open_.push_back(name);
  return {};
}

Result<> Reader::end_tag(std::string_view tag) {
  const std::string_view name = ascii::trim(tag);
  if (open_.empty() || open_.back() != name) return broken("tags do not match");
  open_.pop_back();
  if (local(name) == "EMailAddress") request_.address = ascii::trim(text_);
  if (local(name) == "AcceptableResponseSchema") request_.schema = ascii::trim(text_);
  text_.clear();
  return {};
}

Result<> Reader::markup() {
  left_.remove_prefix(1);
  if (left_.starts_with("?")) return skip("?>");
  if (left_.starts_with("!--")) return skip("-->");
  constexpr std::string_view kCdata = "![CDATA[";
  if (left_.starts_with(kCdata) && !open_.empty()) {
    left_.remove_prefix(kCdata.size());
    const std::size_t end = left_.find("]]>");
    if (end == std::string_view::npos || text_.size() + end > kMaxText) return broken("a CDATA section is too long");
    text_ += left_.substr(0, end);
    return skip("]]>");
  }
  // WHY: a document type can define entities, which is how small requests become large ones and files get read.
  if (left_.starts_with("!")) return broken("document types are not accepted");
  // '>' may stand in a quoted attribute value; '<' may not stand in a tag at all.
  char quote = '\0';
  for (std::size_t i = 0; i < left_.size(); ++i) {
    const char c = left_[i];
    if (c == '<') return broken("a tag is malformed");
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      const std::string_view tag = left_.substr(0, i);
      left_.remove_prefix(i + 1);
      return tag.starts_with('/') ? end_tag(tag.substr(1)) : start_tag(tag);
    }
  }
  return broken("it is cut off");
}

Result<AutodiscoverRequest> Reader::read() {
  if (left_.starts_with("\xEF\xBB\xBF")) left_.remove_prefix(3);
  while (!left_.empty()) POSTHUS_TRY_VOID(left_.front() == '<' ? markup() : text());
  if (!open_.empty() || !had_root_) return broken("it is cut off");
  if (request_.address.empty()) return fail(ErrorKind::kInvalid, "the request names no address");
  return std::move(request_);
}

}  // namespace

Result<AutodiscoverRequest> parse_autodiscover_request(std::string_view body) {
  if (body.size() > kMaxAutodiscover) return fail(ErrorKind::kTooLarge, "the request is too large");
  return Reader(body).read();
}

}  // namespace posthus::web_admin
