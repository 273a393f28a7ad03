// The grammar of commands. See command_parser.h.
#include "imap/command_parser.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/mail/date_time.h"
#include "imap/limits.h"
#include "imap/list_parser.h"
#include "imap/mailbox_name.h"

namespace posthus::imap {

// mailbox = "INBOX" / astring
Result<MailboxArgument> mailbox(Scanner& scanner, NameForm form) {
  const auto wire = POSTHUS_TRY(scanner.astring());
  auto written = decode_mailbox_name(wire, form);
  if (!written) return fail(ErrorKind::kDenied, "Impossible mailbox name");
  MailboxArgument argument;
  argument.name = normalise_mailbox_name(*written);
  argument.written = std::move(*written);
  return argument;
}

namespace {

// login = "LOGIN" SP userid SP password
Result<Arguments> login(Scanner& scanner) {
  LoginArguments login;
  POSTHUS_TRY_VOID(scanner.space());
  login.user = POSTHUS_TRY(scanner.astring());
  POSTHUS_TRY_VOID(scanner.space());
  login.password = Secret(POSTHUS_TRY(scanner.astring()));
  return Arguments(std::move(login));
}

// authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64) ; initial-resp = (base64 / "=")
Result<Arguments> authenticate(Scanner& scanner) {
  AuthenticateArguments authenticate;
  POSTHUS_TRY_VOID(scanner.space());
  authenticate.mechanism = POSTHUS_TRY(scanner.atom());
  if (scanner.take(' ')) authenticate.initial_response = std::string(POSTHUS_TRY(scanner.atom()));
  return Arguments(std::move(authenticate));
}

// enable = "ENABLE" 1*(SP capability)
Result<Arguments> enable(Scanner& scanner) {
  EnableArguments enable;
  POSTHUS_TRY_VOID(scanner.space());
  do {
    enable.capabilities.emplace_back(POSTHUS_TRY(scanner.atom()));
  } while (scanner.take(' '));
  return Arguments(std::move(enable));
}

// RFC 2971 §4: id = "ID" SPACE id_params_list ; id_params_list = "(" *(string SPACE nstring) ")" / nil
Result<Arguments> id(Scanner& scanner) {
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.take_word("NIL")) return Arguments(NoArguments{});
  POSTHUS_TRY_VOID(scanner.expect('('));
  for (std::size_t pairs = 0; scanner.peek() != ')'; ++pairs) {
    if (pairs == kMaxIdPairs) return syntax_error("Too many ID fields");
    POSTHUS_TRY_VOID(scanner.string());
    POSTHUS_TRY_VOID(scanner.space());
    POSTHUS_TRY_VOID(scanner.nstring());
    if (!scanner.take(' ')) break;
  }
  POSTHUS_TRY_VOID(scanner.expect(')'));
  return Arguments(NoArguments{});
}

// create = "CREATE" SP mailbox [SP "(" "USE" SP "(" use-attr *(SP use-attr) ")" ")"]        (RFC 6154 §6)
Result<Arguments> create(Scanner& scanner, NameForm form) {
  CreateArguments create;
  POSTHUS_TRY_VOID(scanner.space());
  create.mailbox = POSTHUS_TRY(mailbox(scanner, form));
  if (!scanner.take(' ')) return Arguments(std::move(create));
  POSTHUS_TRY_VOID(scanner.expect('('));
  if (!scanner.take_word("USE")) return syntax_error("Unknown CREATE parameter");
  POSTHUS_TRY_VOID(scanner.space());
  POSTHUS_TRY_VOID(scanner.expect('('));
  while (scanner.peek() != ')') {
    POSTHUS_TRY_VOID(scanner.expect('\\'));
    create.uses.push_back("\\" + std::string(POSTHUS_TRY(scanner.atom())));
    if (!scanner.take(' ')) break;
  }
  POSTHUS_TRY_VOID(scanner.expect(')'));
  POSTHUS_TRY_VOID(scanner.expect(')'));
  return Arguments(std::move(create));
}

// rename = "RENAME" SP mailbox SP mailbox
Result<Arguments> rename(Scanner& scanner, NameForm form) {
  RenameArguments rename;
  POSTHUS_TRY_VOID(scanner.space());
  rename.from = POSTHUS_TRY(mailbox(scanner, form));
  POSTHUS_TRY_VOID(scanner.space());
  rename.to = POSTHUS_TRY(mailbox(scanner, form));
  return Arguments(std::move(rename));
}

// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
Result<Arguments> status(Scanner& scanner, NameForm form) {
  StatusArguments status;
  POSTHUS_TRY_VOID(scanner.space());
  status.mailbox = POSTHUS_TRY(mailbox(scanner, form));
  POSTHUS_TRY_VOID(scanner.space());
  status.items = POSTHUS_TRY(status_att_list(scanner));
  return Arguments(std::move(status));
}

struct SystemFlag {
  std::string_view name;
  std::uint8_t bit;
};
constexpr SystemFlag kSystemFlags[] = {{"Seen", store::flag::kSeen},
                                       {"Answered", store::flag::kAnswered},
                                       {"Flagged", store::flag::kFlagged},
                                       {"Deleted", store::flag::kDeleted},
                                       {"Draft", store::flag::kDraft},
                                       // QUIRK(various): \Recent cannot be set, clients copy it from a FETCH; passed over.
                                       {"Recent", 0}};

// flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
Result<> flag(Scanner& scanner, FlagList& list) {
  if (!scanner.take('\\')) {
    const auto keyword = POSTHUS_TRY(scanner.atom());
    if (keyword.size() > store::kMaxKeywordLength) return fail(ErrorKind::kTooLarge, "Keyword is too long");
    const auto same = [keyword](const std::string& other) { return ascii::equal_ignoring_case(other, keyword); };
    if (std::none_of(list.keywords.begin(), list.keywords.end(), same)) list.keywords.emplace_back(keyword);
    return {};
  }
  const auto name = POSTHUS_TRY(scanner.atom());
  for (const auto& known : kSystemFlags) {
    if (!ascii::equal_ignoring_case(name, known.name)) continue;
    list.flags |= known.bit;
    return {};
  }
  return syntax_error("Unknown system flag");
}

// flag-list = "(" [flag *(SP flag)] ")"
Result<FlagList> flag_list(Scanner& scanner) {
  FlagList list;
  POSTHUS_TRY_VOID(scanner.expect('('));
  for (std::size_t count = 0; scanner.peek() != ')'; ++count) {
    if (count == kMaxFlags) return syntax_error("Too many flags");
    POSTHUS_TRY_VOID(flag(scanner, list));
    if (!scanner.take(' ')) break;
  }
  POSTHUS_TRY_VOID(scanner.expect(')'));
  return list;
}

// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal ; up to the literal
Result<AppendArguments> append_arguments(Scanner& scanner, NameForm form) {
  AppendArguments append;
  POSTHUS_TRY_VOID(scanner.space());
  append.mailbox = POSTHUS_TRY(mailbox(scanner, form));
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.peek() == '(') {
    append.flags = POSTHUS_TRY(flag_list(scanner));
    POSTHUS_TRY_VOID(scanner.space());
  }
  if (scanner.peek() == '"') {
    const auto date = mail::parse_imap_date_time(POSTHUS_TRY(scanner.string()));
    if (!date) return syntax_error("Malformed date-time");
    append.internal_date = Timestamp::from_seconds(date->time.seconds());
    POSTHUS_TRY_VOID(scanner.space());
  }
  return append;
}

// fetch = "FETCH" SP sequence-set SP …
Result<Arguments> fetch(Scanner& scanner) {
  FetchArguments fetch;
  POSTHUS_TRY_VOID(scanner.space());
  fetch.set = POSTHUS_TRY(sequence_set(scanner));
  POSTHUS_TRY_VOID(scanner.space());
  fetch.items = POSTHUS_TRY(fetch_items(scanner));
  return Arguments(std::move(fetch));
}

// store = "STORE" SP sequence-set SP store-att-flags
// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
Result<Arguments> store(Scanner& scanner) {
  StoreArguments store;
  POSTHUS_TRY_VOID(scanner.space());
  store.set = POSTHUS_TRY(sequence_set(scanner));
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.take('+')) {
    store.change = store::FlagChange::kAdd;
  } else if (scanner.take('-')) {
    store.change = store::FlagChange::kRemove;
  }
  store.is_silent = scanner.take_word("FLAGS.SILENT");
  if (!store.is_silent && !scanner.take_word("FLAGS")) return syntax_error("Expected FLAGS");
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.peek() == '(') {
    store.flags = POSTHUS_TRY(flag_list(scanner));
    return Arguments(std::move(store));
  }
  std::size_t flags = 0;
  do {
    if (++flags > kMaxFlags) return syntax_error("Too many flags");
    POSTHUS_TRY_VOID(flag(scanner, store.flags));
  } while (scanner.take(' '));
  return Arguments(std::move(store));
}

// copy = "COPY" SP sequence-set SP mailbox ; move = "MOVE" SP sequence-set SP mailbox
Result<Arguments> copy(Scanner& scanner, NameForm form) {
  CopyArguments copy;
  POSTHUS_TRY_VOID(scanner.space());
  copy.set = POSTHUS_TRY(sequence_set(scanner));
  POSTHUS_TRY_VOID(scanner.space());
  copy.mailbox = POSTHUS_TRY(mailbox(scanner, form));
  return Arguments(std::move(copy));
}

// uid-expunge = "EXPUNGE" SP sequence-set
Result<Arguments> uid_expunge(Scanner& scanner) {
  POSTHUS_TRY_VOID(scanner.space());
  return Arguments(ExpungeArguments{POSTHUS_TRY(sequence_set(scanner))});
}

Result<Arguments> mailbox_only(Scanner& scanner, NameForm form) {
  POSTHUS_TRY_VOID(scanner.space());
  return Arguments(POSTHUS_TRY(mailbox(scanner, form)));
}

Result<Arguments> by_grammar(Scanner& scanner, Grammar grammar, NameForm form) {
  switch (grammar) {
    case Grammar::kNone: return Arguments(NoArguments{});
    case Grammar::kLogin: return login(scanner);
    case Grammar::kAuthenticate: return authenticate(scanner);
    case Grammar::kEnable: return enable(scanner);
    case Grammar::kId: return id(scanner);
    case Grammar::kMailbox: return mailbox_only(scanner, form);
    case Grammar::kCreate: return create(scanner, form);
    case Grammar::kRename: return rename(scanner, form);
    case Grammar::kStatus: return status(scanner, form);
    case Grammar::kList: return Arguments(POSTHUS_TRY(list(scanner, form)));
    case Grammar::kLsub: return Arguments(POSTHUS_TRY(lsub(scanner, form)));
    // A complete APPEND whose last argument was no literal, or was swallowed as one of an earlier argument.
    case Grammar::kAppend: return syntax_error("APPEND needs a message literal");
    case Grammar::kFetch: return fetch(scanner);
    case Grammar::kStore: return store(scanner);
    case Grammar::kCopy: return copy(scanner, form);
    case Grammar::kExpunge: return Arguments(ExpungeArguments{});
    case Grammar::kUidExpunge: return uid_expunge(scanner);
    case Grammar::kSearch: return Arguments(POSTHUS_TRY(search_program(scanner)));
  }
  return syntax_error("Unknown command");
}

}  // namespace

Result<Arguments> arguments(Scanner& scanner, Grammar grammar, NameForm form) {
  auto parsed = by_grammar(scanner, grammar, form);
  if (parsed) POSTHUS_TRY_VOID(scanner.end());
  return parsed;
}

std::string_view without_line_end(std::string_view command) {
  if (!command.empty() && command.back() == '\n') command.remove_suffix(1);
  if (!command.empty() && command.back() == '\r') command.remove_suffix(1);
  return command;
}

AppendHead append_head(std::string_view text, NameForm form) {
  AppendHead head;
  Scanner scanner(text);
  const auto parse = [&]() -> Result<> {
    head.tag = POSTHUS_TRY(scanner.tag());
    POSTHUS_TRY_VOID(scanner.space());
    if (!scanner.take_word("APPEND")) return syntax_error("Expected APPEND");
    if (scanner.rest().starts_with(" {")) {
      const auto line_end = scanner.rest().find('\n');
      // The announcement at the end of the text belongs to the mailbox name.
      if (line_end + 1 == scanner.rest().size()) return fail(ErrorKind::kBusy);
    }
    head.arguments = POSTHUS_TRY(append_arguments(scanner, form));
    return {};
  };
  const auto parsed = parse();
  if (!parsed) {
    head.outcome = parsed.error().kind == ErrorKind::kBusy ? AppendOutcome::kIncomplete : AppendOutcome::kError;
    head.error = parsed.error();
    return head;
  }
  const auto rest = without_line_end(scanner.rest());
  if (rest.starts_with('{') && rest.find('\n') == std::string_view::npos) {
    head.outcome = AppendOutcome::kHead;
  } else {
    head.error = Error{ErrorKind::kInvalid, "Malformed APPEND"};
  }
  return head;
}

bool has_verb(std::string_view text, std::string_view verb) {
  Scanner scanner(text);
  return scanner.tag() && scanner.take(' ') && scanner.take_word(verb);
}

}  // namespace posthus::imap
