// Reads or makes passwords. The terminal's echo is off while one is typed (termios(3)).
#include "core/main/passwords.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/random.h"

namespace posthus::main {
namespace {

constexpr std::size_t kMaxLine = 1024;  // the API refuses longer passwords

// One line of standard input without its end, byte by byte: what follows it stays unread.
Result<std::string> read_line() {
  std::string line;
  char c = 0;
  while (line.size() <= kMaxLine) {
    const ssize_t count = read(STDIN_FILENO, &c, 1);
    if (count < 0) return fail(ErrorKind::kIo, "standard input cannot be read");
    if (count == 0 || c == '\n') break;
    line.push_back(c);
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

Result<Secret> type_password(const char* prompt) {
  termios shown{};
  if (tcgetattr(STDIN_FILENO, &shown) != 0) {
    return fail(ErrorKind::kInvalid, "there is no terminal to ask for a password; use --password-stdin or --generate");
  }
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::fputs(prompt, stderr);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  auto line = read_line();
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
  std::fputs("\n", stderr);
  if (!line) return std::unexpected(std::move(line).error());
  return Secret(std::move(*line));
}

}  // namespace

Result<Secret> obtain_password(PasswordSource source) {
  if (source == PasswordSource::kGenerate) return Secret(random_password());
  if (source == PasswordSource::kStandardInput) {
    std::string line = POSTHUS_TRY(read_line());
    if (line.empty()) return fail(ErrorKind::kInvalid, "standard input has no password");
    return Secret(std::move(line));
  }
  Secret first = POSTHUS_TRY(type_password("Password: "));
  const Secret second = POSTHUS_TRY(type_password("Again: "));
  if (!equal_in_constant_time(first.reveal(), second.reveal())) return fail(ErrorKind::kInvalid, "the two passwords differ");
  return first;
}

}  // namespace posthus::main
