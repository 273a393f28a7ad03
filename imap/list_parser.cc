// The grammar of LIST, LSUB and STATUS items. See list_parser.h.
#include "imap/list_parser.h"

#include "core/base/ascii.h"
#include "imap/limits.h"
#include "imap/mailbox_name.h"

namespace posthus::imap {
namespace {

// list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
// list-select-opt = "SUBSCRIBED" / "REMOTE" / "RECURSIVEMATCH" / "SPECIAL-USE"
Result<> list_select_opts(Scanner& scanner, ListArguments& list) {
  while (scanner.peek() != ')') {
    if (scanner.take_word("SUBSCRIBED")) {
      list.select_subscribed = true;
      list.return_subscribed = true;
    } else if (scanner.take_word("SPECIAL-USE")) {
      list.select_special_use = true;
      list.return_special_use = true;
    } else if (scanner.take_word("RECURSIVEMATCH")) {
      list.is_recursive_match = true;
    } else if (!scanner.take_word("REMOTE")) {  // there are no remote mailboxes here
      return syntax_error("Unknown LIST selection option");
    }
    if (!scanner.take(' ')) break;
  }
  POSTHUS_TRY_VOID(scanner.expect(')'));
  if (list.is_recursive_match && !list.select_subscribed && !list.select_special_use) {
    return syntax_error("RECURSIVEMATCH needs another selection option");
  }
  return {};
}

// list-return-opts = "RETURN" SP "(" [list-return-opt *(SP list-return-opt)] ")"
// return-option = "SUBSCRIBED" / "CHILDREN" / status-option / "SPECIAL-USE"
Result<> list_return_opts(Scanner& scanner, ListArguments& list) {
  if (!scanner.take_word("RETURN")) return syntax_error("Expected RETURN");
  POSTHUS_TRY_VOID(scanner.space());
  POSTHUS_TRY_VOID(scanner.expect('('));
  while (scanner.peek() != ')') {
    if (scanner.take_word("SUBSCRIBED")) {
      list.return_subscribed = true;
    } else if (scanner.take_word("CHILDREN")) {
      list.return_children = true;
    } else if (scanner.take_word("SPECIAL-USE")) {
      list.return_special_use = true;
    } else if (scanner.take_word("STATUS")) {
      POSTHUS_TRY_VOID(scanner.space());
      list.return_status = POSTHUS_TRY(status_att_list(scanner));
    } else {
      return syntax_error("Unknown LIST return option");
    }
    if (!scanner.take(' ')) break;
  }
  return scanner.expect(')');
}

/// Reference and pattern to one pattern in the inner form. One that can match nothing is left out (RFC 9051 §6.3.9).
void add_pattern(ListArguments& list, std::string_view wire, NameForm form) {
  if (wire.empty()) return;
  auto pattern = to_mailbox_name(list.reference + std::string(wire), form);
  if (pattern) list.patterns.push_back(std::move(*pattern));
}

// mbox-or-pat = list-mailbox / patterns ; patterns = "(" list-mailbox *(SP list-mailbox) ")"        (RFC 5258 §6)
Result<> mbox_or_pat(Scanner& scanner, ListArguments& list, NameForm form) {
  if (!scanner.take('(')) {
    const auto pattern = POSTHUS_TRY(scanner.list_mailbox());
    list.asks_separator = pattern.empty();
    add_pattern(list, pattern, form);
    return {};
  }
  list.is_extended = true;
  std::size_t count = 0;
  do {
    if (++count > kMaxListPatterns) return syntax_error("Too many LIST patterns");
    add_pattern(list, POSTHUS_TRY(scanner.list_mailbox()), form);
  } while (scanner.take(' '));
  return scanner.expect(')');
}

}  // namespace

// status-att = "MESSAGES" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" / "DELETED" / "SIZE"        (RFC 3501: / "RECENT")
Result<StatusItems> status_att_list(Scanner& scanner) {
  StatusItems items;
  POSTHUS_TRY_VOID(scanner.expect('('));
  do {
    if (scanner.take_word("MESSAGES")) {
      items.messages = true;
    } else if (scanner.take_word("UIDNEXT")) {
      items.uid_next = true;
    } else if (scanner.take_word("UIDVALIDITY")) {
      items.uid_validity = true;
    } else if (scanner.take_word("UNSEEN")) {
      items.unseen = true;
    } else if (scanner.take_word("DELETED")) {
      items.deleted = true;
    } else if (scanner.take_word("SIZE")) {
      items.size = true;
    } else if (scanner.take_word("RECENT")) {
      items.recent = true;
    } else {
      return syntax_error("Unknown STATUS item");
    }
  } while (scanner.take(' '));
  POSTHUS_TRY_VOID(scanner.expect(')'));
  return items;
}

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
Result<ListArguments> list(Scanner& scanner, NameForm form) {
  ListArguments list;
  POSTHUS_TRY_VOID(scanner.space());
  if (scanner.take('(')) {
    list.is_extended = true;
    POSTHUS_TRY_VOID(list_select_opts(scanner, list));
    POSTHUS_TRY_VOID(scanner.space());
  }
  list.reference = POSTHUS_TRY(scanner.list_mailbox());
  POSTHUS_TRY_VOID(scanner.space());
  POSTHUS_TRY_VOID(mbox_or_pat(scanner, list, form));
  if (scanner.take(' ')) {
    list.is_extended = true;
    POSTHUS_TRY_VOID(list_return_opts(scanner, list));
  }
  list.asks_separator = list.asks_separator && !list.is_extended;
  return list;
}

// RFC 3501 §9: lsub = "LSUB" SP mailbox SP list-mailbox
Result<ListArguments> lsub(Scanner& scanner, NameForm form) {
  ListArguments list;
  POSTHUS_TRY_VOID(scanner.space());
  list.reference = POSTHUS_TRY(scanner.list_mailbox());
  POSTHUS_TRY_VOID(scanner.space());
  const auto pattern = POSTHUS_TRY(scanner.list_mailbox());
  list.asks_separator = pattern.empty();
  add_pattern(list, pattern, form);
  return list;
}

}  // namespace posthus::imap
