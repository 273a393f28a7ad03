// Pieces of responses. See response_writer.h.
#include "imap/response_writer.h"

#include "core/mail/date_time.h"
#include "core/mail/summary.h"
#include "imap/mailbox_name.h"
#include "imap/scanner.h"

namespace posthus::imap {

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_astring(std::string& out, std::string_view text) {
  bool is_atom = !text.empty() && text != "NIL" && text != "nil";
  for (const char c : text) is_atom = is_atom && is_astring_char(c);
  if (is_atom) {
    out.append(text);
  } else {
    mail::append_imap_string(out, text);
  }
}

void append_uid_set(std::string& out, const store::UidSet& set) {
  bool is_first = true;
  for (const auto& range : set) {
    if (!is_first) out.push_back(',');
    is_first = false;
    append_number(out, range.first.value);
    if (range.last == range.first) continue;
    out.push_back(':');
    append_number(out, range.last.value);
  }
}

namespace {
struct FlagName {
  std::uint8_t bit;
  std::string_view name;
};
constexpr FlagName kFlagNames[] = {{store::flag::kAnswered, "\\Answered "},
                                   {store::flag::kFlagged, "\\Flagged "},
                                   {store::flag::kDeleted, "\\Deleted "},
                                   {store::flag::kSeen, "\\Seen "},
                                   {store::flag::kDraft, "\\Draft "}};
}  // namespace

void append_flags(std::string& out, std::uint8_t flags, std::uint64_t keywords, const std::vector<std::string>& keyword_names) {
  const std::size_t before = out.size();
  for (const auto& [bit, name] : kFlagNames) {
    if (flags & bit) out.append(name);
  }
  for (std::size_t i = 0; keywords != 0 && i < keyword_names.size() && i < 64; ++i, keywords >>= 1) {
    if (!(keywords & 1)) continue;
    out.append(keyword_names[i]);
    out.push_back(' ');
  }
  if (out.size() > before) out.pop_back();
}

void append_date_time(std::string& out, Timestamp time) {
  out.push_back('"');
  out.append(mail::format_imap_date_time(time));
  out.push_back('"');
}

void append_mailbox(std::string& out, std::string_view utf8_name, NameForm form) {
  if (form == NameForm::kUtf8) return append_quoted(out, utf8_name);
  append_quoted(out, to_modified_utf7(utf8_name));
}

std::string_view special_use_attribute(store::SpecialUse use) {
  switch (use) {
    case store::SpecialUse::kDrafts: return "\\Drafts";
    case store::SpecialUse::kSent: return "\\Sent";
    case store::SpecialUse::kJunk: return "\\Junk";
    case store::SpecialUse::kTrash: return "\\Trash";
    case store::SpecialUse::kArchive: return "\\Archive";
    case store::SpecialUse::kNone: break;
  }
  return {};
}

std::string_view refusal_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "NO [CANNOT] ";
    case ErrorKind::kNotFound: return "NO [NONEXISTENT] ";
    case ErrorKind::kExists: return "NO [ALREADYEXISTS] ";
    case ErrorKind::kDenied: return "NO [NOPERM] ";
    case ErrorKind::kTooLarge: return "NO [LIMIT] ";
    case ErrorKind::kOverQuota: return "NO [OVERQUOTA] ";
    case ErrorKind::kBusy:
    case ErrorKind::kTimeout:
    case ErrorKind::kUnavailable: return "NO [UNAVAILABLE] ";
    case ErrorKind::kCorrupt:
    case ErrorKind::kIo: return "NO [SERVERBUG] ";
  }
  return "NO [SERVERBUG] ";
}

}  // namespace posthus::imap
