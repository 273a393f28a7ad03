// LINK: posthus_smtp
// One command line through every grammar of smtp/command. What is accepted must survive being written and read again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/mail/address.h"
#include "smtp/command.h"

using namespace posthus;
using namespace posthus::smtp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_mail(std::string_view argument) {
  const auto command = parse_mail(argument);
  if (!command) return require(command.error().code >= 500);
  if (!command->reverse_path) return;
  const std::string again =
      "FROM:<" + mail::to_string(*command->reverse_path) + ">" + (command->parameters.is_utf8 ? " SMTPUTF8" : "");
  const auto second = parse_mail(again);
  require(second && second->reverse_path == command->reverse_path);
}

void check_rcpt(std::string_view argument, mail::Utf8 utf8) {
  const auto command = parse_rcpt(argument, utf8);
  if (!command) return require(command.error().code >= 500);
  require(command->parameters.original_recipient.size() <= kMaxOriginalRecipient);
  if (command->recipient.domain.empty()) return require(command->recipient.local_part == "postmaster");
  const auto second = parse_rcpt("TO:<" + mail::to_string(command->recipient) + ">", utf8);
  require(second && second->recipient == command->recipient);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const CommandLine command = parse_command(line);
  for (const std::string_view argument : {line, command.argument}) {
    parse_hello(argument);
    check_mail(argument);
    check_rcpt(argument, mail::Utf8::kRefuse);
    check_rcpt(argument, mail::Utf8::kAllow);
    parse_bdat(argument);
    parse_auth(argument);
    decode_xtext(argument);
  }
  return 0;
}
