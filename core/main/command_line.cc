// Parses the command line with CLI11; its exceptions end here.
#include "core/main/command_line.h"

#include <sstream>

#include <CLI/CLI.hpp>

namespace posthus::main {
namespace {

// A subcommand; chosen, it sets `command` to its whole name.
CLI::App* add_command(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& whole,
                      const std::string& help) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->fallthrough();
  command->footer("All commands also take --data, --config, --json and --set; see posthus --help.");
  command->final_callback([&line, whole] { line.command = whole; });
  return command;
}

CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& help) {
  CLI::App* group = app.add_subcommand(name, help);
  group->require_subcommand(1);
  group->fallthrough();
  return group;
}

void add_password_options(CLI::App* command, CommandLine& line) {
  auto* from_input = command->add_flag_callback(
      "--password-stdin", [&line] { line.password = PasswordSource::kStandardInput; },
      "read the password from the first line of standard input");
  command->add_flag_callback(
             "--generate", [&line] { line.password = PasswordSource::kGenerate; }, "make a password and print it")
      ->excludes(from_input);
}

void add_domain_commands(CLI::App& app, CommandLine& line) {
  CLI::App* domain = add_group(app, "domain", "mail domains");
  CLI::App* added = add_command(*domain, line, "add", "domain add", "add a domain");
  added->add_option("NAME", line.name)->required();
  auto* relay = added->add_flag("--relay", line.is_relay, "its mailboxes are on another server: be its backup MX");
  added->add_option("--alias-of", line.alias_of, "another name of this domain: each address is the same one there")
      ->excludes(relay);
  added->add_flag("--check-recipients", line.checks_recipients, "of a relay domain: ask its server before taking a recipient")
      ->needs("--relay");
  add_command(*domain, line, "list", "domain list", "list domains");
  CLI::App* limits = add_command(*domain, line, "limits", "domain limits",
                                 "what a domain may send to other servers in a day; its --messages also bound what it forwards");
  limits->add_option("DOMAIN", line.name)->required();
  limits->add_option("--messages", line.messages_per_day, "of all its accounts together: a number, or 'default'");
  limits->add_option("--new-recipients", line.new_recipients_per_day, "likewise");
  limits->add_option("--account-messages", line.account_messages_per_day, "of each account: a number, or 'default'");
  limits->add_option("--account-new-recipients", line.account_new_recipients_per_day, "likewise");
  add_command(*domain, line, "remove", "domain remove", "remove a domain without users, aliases and groups")
      ->add_option("NAME", line.name)
      ->required();
  CLI::App* own = add_command(*domain, line, "own-aliases", "domain own-aliases",
                              "how many addresses each user of a domain may make for himself");
  own->add_option("NAME", line.name)->required();
  own->add_option("NUMBER", line.number, "0: none; at most 100")->required();
  CLI::App* retention = add_command(*domain, line, "retention", "domain retention",
                                    "how many days mail stays in the INBOX of each user, read or not");
  retention->add_option("NAME", line.name)->required();
  retention->add_option("DAYS", line.number, "0: for ever; at most 36500")->required();
  CLI::App* renamed = add_command(*domain, line, "rename", "domain rename",
                                  "give a domain another name, with all its addresses; the old one becomes an alias domain");
  renamed->add_option("NAME", line.name)->required();
  renamed->add_option("NEW", line.new_name, "the new name; an alias domain of it changes places with it")->required();
}

void add_dkim_commands(CLI::App& app, CommandLine& line) {
  CLI::App* dkim = add_group(app, "dkim", "keys that mail of a domain is signed with");
  add_command(*dkim, line, "show", "dkim show", "the keys of a domain and the DNS records they need")
      ->add_option("DOMAIN", line.name)
      ->required();
  add_command(*dkim, line, "rotate", "dkim rotate", "make new keys; publish their records, then activate them")
      ->add_option("DOMAIN", line.name)
      ->required();
  CLI::App* activate = add_command(*dkim, line, "activate", "dkim activate",
                                   "sign with the new keys; the records of the old ones stay for 7 days");
  activate->add_option("DOMAIN", line.name)->required();
  activate->add_flag("--force", line.is_forced, "even when the DNS does not have the new keys");
  CLI::App* removed = add_command(*dkim, line, "remove", "dkim remove", "remove a key at once");
  removed->add_option("DOMAIN", line.name)->required();
  removed->add_option("SELECTOR", line.operands)->required()->expected(1);
}

void add_dns_commands(CLI::App& app, CommandLine& line) {
  using Action = CommandLine::DnsAction;
  CLI::App* dns = add_command(app, line, "dns", "dns", "the DNS records a domain needs");
  dns->add_option("DOMAIN", line.name)->required();
  auto* zone = dns->add_flag_callback("--zone", [&line] { line.dns_action = Action::kZone; }, "as lines of a zone file");
  auto* check = dns->add_flag_callback(
      "--check", [&line] { line.dns_action = Action::kCheck; }, "ask the DNS whether it has them; exit code 1 when not");
  check->excludes(zone);
  dns->add_flag_callback(
         "--publish", [&line] { line.dns_action = Action::kPublish; },
         "write what is missing or wrong, by dynamic update or a plug-in (settings dns.update_server and dns.update_key, or "
         "dns.update_url)")
      ->excludes(zone)
      ->excludes(check);
  dns->add_flag("--optional", line.takes_optional, "with --publish: optional records as well");
}

void add_delivery_commands(CLI::App& app, CommandLine& line) {
  CLI::App* check = add_command(app, line, "check-delivery", "check-delivery",
                                "what others see of this server; exit code 1 when something is wrong");
  check->add_flag("--probe", line.probes, "also try whether port 25 of well-known receivers can be reached");
}

void add_user_commands(CLI::App& app, CommandLine& line) {
  CLI::App* user = add_group(app, "user", "users and their mailboxes");
  CLI::App* added = add_command(*user, line, "add", "user add", "add a user");
  added->add_option("ADDRESS", line.name)->required();
  auto* admin = added->add_flag("--admin", line.is_admin, "may use the admin API");
  added->add_flag("--shared", line.is_shared, "nobody signs in to it: for delegates, without a password")->excludes(admin);
  added->add_option("--quota", line.quota, "bytes, or with K, M, G; 0 is unlimited");
  add_password_options(added, line);
  add_command(*user, line, "list", "user list", "list users")->add_option("--domain", line.domain, "only this domain");
  add_command(*user, line, "remove", "user remove", "remove a user and all mail of the account")
      ->add_option("ADDRESS", line.name)
      ->required();
  CLI::App* renamed =
      add_command(*user, line, "rename", "user rename", "give a user another address; the old one becomes an alias");
  renamed->add_option("ADDRESS", line.name)->required();
  renamed->add_option("NEW", line.new_name, "the new address, also the new login name")->required();
  CLI::App* password = add_command(*user, line, "password", "user password", "set the password");
  password->add_option("ADDRESS", line.name)->required();
  add_password_options(password, line);
  CLI::App* quota = add_command(*user, line, "quota", "user quota", "set the quota");
  quota->add_option("ADDRESS", line.name)->required();
  quota->add_option("BYTES", line.quota, "bytes, or with K, M, G; 0 is unlimited")->required();
  CLI::App* retention = add_command(*user, line, "retention", "user retention", "how many days mail stays in the INBOX");
  retention->add_option("ADDRESS", line.name)->required();
  retention->add_option("DAYS", line.retention, "a number, 0: for ever; or 'default': as the domain has it")->required();
  CLI::App* role = add_command(*user, line, "role", "user role", "what somebody may do in the panel and with the API");
  role->add_option("ADDRESS", line.name)->required();
  role->add_option("ROLE", line.role, "user, domain_admin or server_admin")
      ->required()
      ->check(CLI::IsMember({"user", "domain_admin", "server_admin"}));
  role->add_option("--domain", line.domains, "of a domain admin: a domain to look after; may be repeated")
      ->allow_extra_args(false);
  add_command(*user, line, "disable", "user disable", "no logins and no mail")->add_option("ADDRESS", line.name)->required();
  add_command(*user, line, "enable", "user enable", "undo disable")->add_option("ADDRESS", line.name)->required();
}

void add_account_commands(CLI::App& app, CommandLine& line) {
  CLI::App* user = app.get_subcommand("user");
  CLI::App* forward =
      add_command(*user, line, "forward", "user forward", "send mail on to other addresses; without --to no longer");
  forward->add_option("ADDRESS", line.name)->required();
  forward->add_option("--to", line.forward_to, "an address; may be repeated")->allow_extra_args(false);
  auto* keep = forward->add_flag_callback("--keep-copy", [&line] { line.keeps_copy = true; }, "also into the inbox");
  forward->add_flag_callback("--no-copy", [&line] { line.keeps_copy = false; }, "not into the inbox")->excludes(keep);
  CLI::App* limits = add_command(*user, line, "limits", "user limits", "what the account may send to other servers in a day");
  limits->add_option("ADDRESS", line.name)->required();
  limits->add_option("--messages", line.messages_per_day, "a number, or 'default'");
  limits->add_option("--new-recipients", line.new_recipients_per_day, "a number, or 'default'");
  add_command(*user, line, "reset-second-factor", "user reset-second-factor",
              "switch the second factor off of somebody who has lost it")
      ->add_option("ADDRESS", line.name)
      ->required();
  add_command(app, line, "audit", "audit", "what admins did, newest first");
  CLI::App* sign_in = add_group(app, "sign-in", "who signed in or tried to");
  add_command(*sign_in, line, "list", "sign-in list", "newest first");
  CLI::App* block = add_group(app, "block", "who may not try to sign in for now");
  add_command(*block, line, "list", "block list", "list blocks");
  add_command(*block, line, "remove", "block remove", "let somebody try again at once")->add_option("ID", line.name)->required();
  CLI::App* account = add_group(app, "account", "accounts whose outgoing mail waits");
  CLI::App* hold = add_command(*account, line, "hold", "account hold",
                               "mail of the account to other servers waits from now on, what is in the queue already too");
  hold->add_option("ADDRESS", line.name)->required();
  hold->add_option("--reason", line.reason, "for people");
  add_command(*account, line, "release", "account release",
              "take an account off hold and send what waits for that; what queue hold holds stays")
      ->add_option("ADDRESS", line.name)
      ->required();
}

void add_alias_commands(CLI::App& app, CommandLine& line) {
  CLI::App* alias = add_group(app, "alias", "addresses whose mail goes to other addresses");
  CLI::App* added = add_command(*alias, line, "add", "alias add", "add an alias; @domain is a catch-all");
  added->add_option("ADDRESS", line.name)->required();
  added->add_option("TARGET", line.operands)->required();
  add_command(*alias, line, "list", "alias list", "list aliases")->add_option("--domain", line.domain, "only this domain");
  add_command(*alias, line, "remove", "alias remove", "remove an alias")->add_option("ADDRESS", line.name)->required();
}

void add_group_commands(CLI::App& app, CommandLine& line) {
  CLI::App* group = add_group(app, "group", "addresses with members, closed to others if you like");
  const auto traits = [&line](CLI::App* command) {
    command->add_option("--name", line.display_name, "how people call it");
    command->add_option("--writers", line.writers, "who may write to it: anyone, members, or its domain")
        ->check(CLI::IsMember({"anyone", "members", "domain"}));
  };
  CLI::App* added = add_command(*group, line, "add", "group add", "add a group");
  added->add_option("ADDRESS", line.name)->required();
  added->add_option("MEMBER", line.operands)->required();
  traits(added);
  CLI::App* changed = add_command(*group, line, "change", "group change", "change its name, or who may write to it");
  changed->add_option("ADDRESS", line.name)->required();
  traits(changed);
  add_command(*group, line, "list", "group list", "list groups")->add_option("--domain", line.domain, "only this domain");
  add_command(*group, line, "remove", "group remove", "remove a group")->add_option("ADDRESS", line.name)->required();
  CLI::App* member = add_group(*group, "member", "the members of a group");
  for (const auto& [name, help] : {std::pair("add", "make somebody a member"), std::pair("remove", "take a member out")}) {
    CLI::App* command = add_command(*member, line, name, std::string("group member ") + name, help);
    command->add_option("ADDRESS", line.name, "the group")->required();
    command->add_option("MEMBER", line.operands)->required()->expected(1);
  }
}

void add_delegate_commands(CLI::App& app, CommandLine& line) {
  CLI::App* delegate = add_group(app, "delegate", "who else uses somebody's mailboxes, or sends in his name");
  CLI::App* put = add_command(*delegate, line, "put", "delegate put", "make somebody a delegate, or change what is granted");
  put->add_option("OWNER", line.name, "whose mailboxes")->required();
  put->add_option("DELEGATE", line.operands)->required()->expected(1);
  put->add_option("--access", line.access, "none, read or full")->required()->check(CLI::IsMember({"none", "read", "full"}));
  put->add_flag("--send-as", line.may_send, "may use the owner's addresses as sender");
  add_command(*delegate, line, "list", "delegate list", "list the delegates of a mailbox")
      ->add_option("OWNER", line.name)
      ->required();
  CLI::App* removed = add_command(*delegate, line, "remove", "delegate remove", "take back all that was granted");
  removed->add_option("OWNER", line.name)->required();
  removed->add_option("DELEGATE", line.operands)->required()->expected(1);
}

void add_token_commands(CLI::App& app, CommandLine& line) {
  CLI::App* token = add_group(app, "token", "tokens for the admin API");
  CLI::App* created = add_command(*token, line, "create", "token create", "make a token and print it, this once");
  created->add_option("NAME", line.name)->required();
  created->add_option("--scope", line.scopes, "admin, read or metrics; may be repeated")->required();
  created->add_option("--expires", line.expires, "a time like 2030-01-31T12:00:00Z");
  add_command(*token, line, "list", "token list", "list tokens");
  add_command(*token, line, "revoke", "token revoke", "revoke a token")->add_option("ID", line.name)->required();
}

/// Which mail of the queue an action concerns.
enum class QueueActionTakes : bool { kWholeMessages, kRecipients };
void add_queue_filter(CLI::App* command, CommandLine& line, QueueActionTakes takes) {
  if (takes == QueueActionTakes::kRecipients) {
    command->add_option("--recipient", line.recipient, "only this recipient, by its number in queue show");
    command->add_option("--domain", line.domain, "all mail for this domain");
  } else {
    command->add_option("--domain", line.domain, "all messages with a recipient at this domain, with their other recipients");
  }
  command->add_option("--sender", line.sender, "all mail of this reverse-path; <> is the null reverse-path");
  command->add_option("--account", line.account, "all mail this user sent");
  command->add_flag("--all", line.is_everything, "all mail of the queue");
}

void add_queue_commands(CLI::App& app, CommandLine& line) {
  CLI::App* queue = add_group(app, "queue", "mail that waits for other servers");
  CLI::App* list = add_command(*queue, line, "list", "queue list", "list messages, oldest first");
  list->add_option("--domain", line.domain, "only with a recipient there");
  list->add_option("--sender", line.sender, "only of this reverse-path");
  list->add_option("--state", line.state, "held, deferred or queued");
  add_command(*queue, line, "show", "queue show", "one message and its recipients")->add_option("ID", line.name)->required();
  add_command(*queue, line, "destinations", "queue destinations", "destinations with mail waiting and what they said last");
  using enum QueueActionTakes;
  const auto action = [&](const std::string& name, const std::string& help, QueueActionTakes takes = kRecipients) {
    CLI::App* command = add_command(*queue, line, name, "queue " + name, help);
    add_queue_filter(command, line, takes);
    return command;
  };
  CLI::App* hold = action("hold", "attempt nothing until it is released; whole messages only", kWholeMessages);
  hold->add_option("ID", line.name);
  hold->add_option("--reason", line.reason, "shown in queue show");
  action("release", "attempt at once what is held; whole messages only", kWholeMessages)->add_option("ID", line.name);
  action("retry", "attempt at once what waits for its time")->add_option("ID", line.name);
  action("remove", "drop it without telling anybody")->add_option("ID", line.name);
  action("bounce", "return it to the sender")->add_option("ID", line.name);
  CLI::App* reroute = action("reroute", "send it to a named server instead; without --route its usual way again");
  reroute->add_option("ID", line.name);
  reroute->add_option("--route", line.route, "smtp://HOST:PORT or smtps://HOST:PORT");
}

void add_trace_commands(CLI::App& app, CommandLine& line) {
  CLI::App* trace = add_command(app, line, "trace", "trace", "what happened to a message, or to the mail of an address");
  trace->add_option("WHAT", line.name, "a queue id, an address, @DOMAIN, or with --message-id a Message-ID");
  trace->add_flag("--message-id", line.is_message_id, "WHAT is a Message-ID");
  trace->add_option("--subject", line.subject, "a part of the subject");
  trace->add_option("--since", line.since, "a time like 2026-01-31T12:00:00Z");
  trace->add_option("--until", line.until, "a time like 2026-01-31T12:00:00Z");
}

void add_watch_commands(CLI::App& app, CommandLine& line) {
  CLI::App* alert = add_group(app, "alert", "what needs an admin, and who is told of it");
  CLI::App* list = add_command(*alert, line, "list", "alert list", "list alerts that are open");
  list->add_flag("--all", line.is_everything, "those that are over as well");
  add_command(*alert, line, "test", "alert test", "send a test by mail and webhook and say what came of it");
  CLI::App* bundle = add_command(app, line, "support-bundle", "support-bundle",
                                 "write what somebody who helps needs to see, without secrets and mail, as a tar archive");
  bundle->add_option("FILE", line.name)->required();
}

void add_send_test_command(CLI::App& app, CommandLine& line) {
  CLI::App* test = add_command(app, line, "send-test", "send-test",
                               "try the way to an address, from the DNS to QUIT, without sending anything");
  test->add_option("ADDRESS", line.name)->required();
  test->add_option_function<std::string>(
      "--from",
      [&line](const std::string& from) {
        line.from = from;
        line.is_from_given = true;
      },
      "the reverse-path; <> is the null one");
}

void add_route_commands(CLI::App& app, CommandLine& line) {
  CLI::App* route = add_group(app, "route", "mail that goes to named servers instead of the MX of its domain");
  add_command(*route, line, "list", "route list", "list routes");
  CLI::App* set = add_command(*route, line, "set", "route set", "make or replace a route");
  set->add_option("NAME", line.name, "a recipient domain, from:DOMAIN for a sender domain, or * for all other mail")->required();
  set->add_option("SERVER", line.operands, "smtp://HOST:PORT, smtps://HOST:PORT, smtp://HOST:PORT?tls=required; tried in order")
      ->required();
  auto* login = set->add_option("--login", line.login, "log in there, inside TLS only");
  set->add_flag_callback(
         "--password-stdin", [&line] { line.password = PasswordSource::kStandardInput; },
         "read the password from the first line of standard input")
      ->needs(login);
  add_command(*route, line, "remove", "route remove", "remove a route")->add_option("NAME", line.name)->required();
}

void add_setting_commands(CLI::App& app, CommandLine& line) {
  CLI::App* setting = add_group(app, "setting", "settings that change without a restart");
  add_command(*setting, line, "list", "setting list", "list settings with their defaults");
  CLI::App* set = add_command(*setting, line, "set", "setting set", "change a setting");
  set->add_option("NAME", line.name, "a name of setting list; many may be given for one destination, NAME@DOMAIN")->required();
  set->add_option("VALUE", line.operands)->required()->expected(1);
  add_command(*setting, line, "remove", "setting remove", "let its default hold again")
      ->add_option("NAME", line.name)
      ->required();
}

void add_certificate_commands(CLI::App& app, CommandLine& line) {
  CLI::App* certificate = add_group(app, "certificate", "certificates of our hostnames, for TLS");
  add_command(*certificate, line, "list", "certificate list", "list certificates, how long they hold, and what went wrong");
  CLI::App* order =
      add_command(*certificate, line, "order", "certificate order", "obtain one from the CA, now; it is renewed by itself");
  order->add_option("HOST", line.name)->required();
  order->add_flag("--no-wait", line.returns_at_once, "do not wait until it is there");
  CLI::App* upload = add_command(*certificate, line, "upload", "certificate upload", "use a certificate of your own");
  upload->add_option("HOST", line.name, "a hostname, or *.DOMAIN")->required();
  upload->add_option("--chain", line.chain_file, "PEM file: the certificate, then its intermediates")->required();
  upload->add_option("--key", line.key_file, "PEM file: its key, not encrypted")->required();
  add_command(*certificate, line, "remove", "certificate remove", "remove one and order no other")
      ->add_option("HOST", line.name)
      ->required();
}

void add_other_commands(CLI::App& app, CommandLine& line) {
  add_command(app, line, "serve", "serve", "run the server");
  CLI::App* deliver = add_command(app, line, "deliver", "deliver", "put the message on standard input into a local inbox");
  deliver->add_option("ADDRESS", line.name)->required();
  deliver->add_option("--from", line.from, "the reverse-path");
  CLI::App* check = add_command(app, line, "check", "check", "check that the store is consistent");
  check->add_flag("--bytes", line.reads_bytes, "also read every message and compare its checksum");
  check->add_flag("--rebuild", line.rebuilds, "first build the index anew from the message files; the server must be stopped");
  add_command(app, line, "backup", "backup", "write a consistent copy into a directory")
      ->add_option("DIRECTORY", line.name)
      ->required();
  CLI::App* config = add_group(app, "config", "settings");
  add_command(*config, line, "show", "config show", "every setting, its value and where it comes from");
  add_command(app, line, "health", "health", "exit code 0 if the server answers");
  add_command(app, line, "version", "version", "print the version");
}

void add_common_options(CLI::App& app, CommandLine& line) {
  app.add_option_function<std::string>(
      "--data", [&line](const std::string& path) { line.options.emplace_back("data", path); }, "the data directory");
  app.add_option("--config", line.config, "the settings file, instead of posthus.toml in the data directory");
  app.add_flag("--json", line.is_json, "print JSON");
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&line](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) {
             const std::size_t equals = pair.find('=');
             if (equals == std::string::npos) throw CLI::ValidationError("--set", "must be SETTING=VALUE");
             line.options.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
           }
         },
         "SETTING=VALUE; may be repeated")
      ->allow_extra_args(false);
}

}  // namespace

std::expected<CommandLine, Usage> parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  try {
    CLI::App app("Posthus mail server", "posthus");
    app.require_subcommand(1);
    add_common_options(app, line);
    add_other_commands(app, line);
    add_domain_commands(app, line);
    add_dkim_commands(app, line);
    add_dns_commands(app, line);
    add_delivery_commands(app, line);
    add_user_commands(app, line);
    add_account_commands(app, line);
    add_alias_commands(app, line);
    add_group_commands(app, line);
    add_delegate_commands(app, line);
    add_token_commands(app, line);
    add_queue_commands(app, line);
    add_trace_commands(app, line);
    add_send_test_command(app, line);
    add_watch_commands(app, line);
    add_route_commands(app, line);
    add_setting_commands(app, line);
    add_certificate_commands(app, line);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      // WHY: CLI11 says "A subcommand is required" of a word it does not know.
      const std::vector<std::string> unknown = app.remaining(true);
      if (error.get_name() == "RequiredError" && !unknown.empty()) {
        return std::unexpected(
            Usage{2, "There is no command '" + unknown.front() + "'.\nRun with --help for more information.\n"});
      }
      std::ostringstream out, errors;
      const int code = app.exit(error, out, errors);
      return std::unexpected(Usage{code == 0 ? 0 : 2, out.str() + errors.str()});
    }
  } catch (const CLI::Error& error) {
    return std::unexpected(Usage{2, std::string(error.what()) + "\n"});
  }
  return line;
}

}  // namespace posthus::main
