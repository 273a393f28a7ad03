// MemoryResolver: reading zone-like text, following aliases. RFC 1034 §3.6.2, RFC 1035 §5.1 (the shape of the lines).
#include "core/dns/memory_resolver.h"

#include <algorithm>
#include <optional>

#include "core/base/ascii.h"

namespace posthus::dns {
namespace {

constexpr std::chrono::seconds kTimeToLive{300};

std::string normal_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  return ascii::to_lower(text);
}

std::optional<RecordType> type_named(std::string_view text) {
  constexpr std::pair<std::string_view, RecordType> kNames[] = {
      {"A", RecordType::kA},     {"AAAA", RecordType::kAaaa}, {"CNAME", RecordType::kCname},
      {"PTR", RecordType::kPtr}, {"MX", RecordType::kMx},     {"TXT", RecordType::kTxt},
      {"SRV", RecordType::kSrv}, {"TLSA", RecordType::kTlsa}, {"CAA", RecordType::kCaa},
  };
  for (const auto& [name, type] : kNames) {
    if (ascii::equal_ignoring_case(text, name)) return type;
  }
  return std::nullopt;
}

struct Word {
  std::string text;
  bool is_quoted = false;
};

/// Words apart by white space, quoted strings without their quotes; nothing when a quote stays open.
std::optional<std::vector<Word>> words_of(std::string_view line) {
  std::vector<Word> words;
  std::size_t i = 0;
  while (i < line.size()) {
    if (ascii::is_space_or_tab(line[i]) || line[i] == '\r') {
      ++i;
    } else if (line[i] == ';') {
      break;
    } else if (line[i] == '"') {
      const std::size_t end = line.find('"', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      words.push_back({std::string(line.substr(i + 1, end - i - 1)), true});
      i = end + 1;
    } else {
      const std::size_t end = std::min(line.find_first_of(" \t\r;\"", i), line.size());
      words.push_back({std::string(line.substr(i, end - i)), false});
      i = end;
    }
  }
  return words;
}

std::optional<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) { return ascii::is_digit(c) ? c - '0' : ascii::to_lower(c) - 'a' + 10; };
  std::string out;
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) out.push_back(static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1])));
  return out;
}

template <class T>
bool put_number(const std::vector<Word>& words, std::size_t index, T& into) {
  const auto number = index < words.size() ? ascii::parse_decimal<T>(words[index].text) : std::nullopt;
  if (number) into = *number;
  return number.has_value();
}

bool put_address(const Word& word, RecordType type, Answer& into) {
  const auto address = parse_ip_address(word.text);
  if (!address || address->is_v6 != (type == RecordType::kAaaa)) return false;
  into.addresses.push_back(*address);
  return true;
}

/// The words of one record's data; false when they are none of `type`.
bool put_record(RecordType type, const std::vector<Word>& words, Answer& into) {
  const std::string last = words.empty() ? std::string() : normal_name(words.back().text);
  switch (type) {
    case RecordType::kA:
    case RecordType::kAaaa: return words.size() == 1 && put_address(words[0], type, into);
    case RecordType::kCname:
    case RecordType::kPtr: into.names.push_back(last); return words.size() == 1;
    case RecordType::kTxt: {
      std::string joined;
      for (const Word& word : words) joined += word.text;
      into.texts.push_back(joined);
      return !words.empty();
    }
    case RecordType::kMx: {
      MxRecord record{.preference = 0, .exchange = last};
      const bool is_good = words.size() == 2 && put_number(words, 0, record.preference);
      into.exchanges.push_back(record);
      return is_good;
    }
    case RecordType::kSrv: {
      SrvRecord record{.target = last};
      const bool is_good = words.size() == 4 && put_number(words, 0, record.priority) && put_number(words, 1, record.weight) &&
                           put_number(words, 2, record.port);
      into.services.push_back(record);
      return is_good;
    }
    case RecordType::kTlsa: {
      TlsaRecord record;
      const auto data = words.size() == 4 ? from_hex(words[3].text) : std::nullopt;
      const bool is_good = data && put_number(words, 0, record.usage) && put_number(words, 1, record.selector) &&
                           put_number(words, 2, record.matching_type);
      record.data = data.value_or("");
      into.tlsa.push_back(record);
      return is_good;
    }
    case RecordType::kCaa: {
      CaaRecord record;
      const bool is_good = words.size() == 3 && put_number(words, 0, record.flags);
      if (is_good) record.tag = ascii::to_lower(words[1].text), record.value = words[2].text;
      into.authorities.push_back(record);
      return is_good;
    }
  }
  return false;
}

}  // namespace

void MemoryResolver::add(std::string name, RecordType type, Answer answer) {
  const std::lock_guard lock(mutex_);
  given_.insert_or_assign({normal_name(name), type}, std::move(answer));
}

Result<> MemoryResolver::add_zone(std::string_view text) {
  const std::lock_guard lock(mutex_);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    POSTHUS_TRY_VOID(add_line(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Result<> MemoryResolver::add_line(std::string_view line) {
  const auto wrong = [&] { return fail(ErrorKind::kInvalid, "zone line: " + std::string(line)); };
  auto words = words_of(line);
  if (!words) return wrong();
  if (words->empty()) return {};
  Mark mark = Mark::kNone;
  if (const Word& word = words->back(); !word.is_quoted && word.text.starts_with('!')) {
    mark = word.text == "!secure"      ? Mark::kSecure
           : word.text == "!bogus"     ? Mark::kBogus
           : word.text == "!temporary" ? Mark::kTemporary
           : word.text == "!noname"    ? Mark::kNoName
                                       : Mark::kNone;
    if (mark == Mark::kNone) return wrong();
    words->pop_back();
  }
  if (words->empty()) return wrong();
  const std::string name = normal_name(words->front().text);
  if (words->size() == 1) {
    if (mark == Mark::kNone) return wrong();
    marks_[name] = mark;
    return {};
  }
  const auto type = type_named((*words)[1].text);
  if (!type) return wrong();
  words->erase(words->begin(), words->begin() + 2);
  Answer& set = records_[{name, *type}];
  set.canonical_name = name;
  set.time_to_live = kTimeToLive;
  if (words->empty()) {
    if (mark == Mark::kNone) return wrong();
    set.status = mark == Mark::kBogus ? Status::kBogus : mark == Mark::kTemporary ? Status::kTemporary : Status::kNoName;
    if (mark == Mark::kSecure) set.status = Status::kNoData;
    set.is_secure = mark == Mark::kSecure;
    return {};
  }
  set.status = Status::kFound;
  set.is_secure = set.is_secure || mark == Mark::kSecure;
  if (!put_record(*type, *words, set)) return wrong();
  return {};
}

void MemoryResolver::clear() {
  const std::lock_guard lock(mutex_);
  given_.clear();
  records_.clear();
  marks_.clear();
}

MemoryResolver::Mark MemoryResolver::mark_of(const std::string& name) const {
  for (std::string_view rest = name;;) {
    if (const auto found = marks_.find(std::string(rest)); found != marks_.end()) return found->second;
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return Mark::kNone;
    rest.remove_prefix(dot + 1);
  }
}

bool MemoryResolver::exists(const std::string& name) const {
  const std::string below = "." + name;
  return std::any_of(records_.begin(), records_.end(),
                     [&](const auto& entry) { return entry.first.first == name || entry.first.first.ends_with(below); });
}

Answer MemoryResolver::answer(const Question& question) const {
  if (const auto found = given_.find(question); found != given_.end()) return found->second;
  Answer out;
  bool is_chain_secure = true;
  std::string name = question.first;
  for (int aliases = 0; aliases <= kMaxAliases; ++aliases) {
    const Mark mark = mark_of(name);
    if (const auto found = records_.find({name, question.second}); found != records_.end()) out = found->second;
    const auto alias = records_.find({name, RecordType::kCname});
    const bool is_alias = alias != records_.end() && question.second != RecordType::kCname;
    if (out.canonical_name != name) out = Answer{.status = exists(name) ? Status::kNoData : Status::kNoName};
    out.canonical_name = name;
    is_chain_secure = is_chain_secure && (mark == Mark::kSecure || out.is_secure || (is_alias && alias->second.is_secure));
    if (mark == Mark::kBogus) return {.status = Status::kBogus, .canonical_name = name, .reason = "signature is wrong"};
    if (mark == Mark::kTemporary) return {.status = Status::kTemporary, .canonical_name = name, .reason = "SERVFAIL"};
    if (mark == Mark::kNoName) return {.status = Status::kNoName, .is_secure = false, .canonical_name = name};
    if (!is_alias) {
      out.is_secure = is_chain_secure && out.status <= Status::kNoName;
      out.time_to_live = kTimeToLive;
      if (out.status == Status::kTemporary) out.reason = "SERVFAIL";
      if (out.status == Status::kBogus) out.reason = "signature is wrong";
      return out;
    }
    name = alias->second.names.front();
  }
  return {.status = Status::kTemporary, .canonical_name = question.first, .reason = "too many aliases"};
}

void MemoryResolver::resolve(std::string name, RecordType type, AnswerDone done) {
  std::optional<Answer> found;
  {
    const std::lock_guard lock(mutex_);
    Question question{normal_name(name), type};
    ++counts_[question];
    if (is_held_) {
      waiting_.push_back({std::move(question), std::move(done)});
      return;
    }
    found = answer(question);
  }
  done(std::move(*found));
}

void MemoryResolver::hold() {
  const std::lock_guard lock(mutex_);
  is_held_ = true;
}

void MemoryResolver::release() {
  std::vector<std::pair<AnswerDone, Answer>> answers;
  {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    for (Waiting& waiting : waiting_) answers.emplace_back(std::move(waiting.done), answer(waiting.question));
    waiting_.clear();
  }
  for (auto& [done, found] : answers) done(std::move(found));
}

std::uint64_t MemoryResolver::questions(std::string_view name, RecordType type) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find({normal_name(name), type});
  return found == counts_.end() ? 0 : found->second;
}

std::uint64_t MemoryResolver::questions() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& [question, count] : counts_) sum += count;
  return sum;
}

}  // namespace posthus::dns
