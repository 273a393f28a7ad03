// Dialogs: scripts of what clients say and what the server must answer, the main form of our tests. The same file is a
// unit test (without sockets, on the memory engine, input cut whole, 7, 2 and 1 bytes) and a seed for the fuzzers.
//
//   # comment                         @domain NAME
//   C: text      send text and CRLF   @user ADDRESS PASSWORD [quota=BYTES] [retention=DAYS]
//   C= text      send text with \r \n \t \\ \0 \xHH escapes, nothing added
//   C*N text     send such text N times
//   S: text      the next line is exactly this       @disable ADDRESS
//   S~ regex     the next line matches (ECMAScript, whole line); groups become ${1} ${2} ... in later lines
//   S* text      skip lines up to and including exactly this
//   S*~ regex    the same with a regex               @alias ADDRESS TARGET...
//   S-           nothing more has been said          @deliver[-utf8] ADDRESS [MAILBOX] <<END ... END
//   S$           the server has closed               @clock +SECONDS
//   C2: S2: ...  the same on connection 2..9 (opened by the first such line, or by @connect)
//   @connect N [key=value ...]   opens connection N with options of the protocol's adapter (role=, tls=implicit, from=)
//   @wake N      waits until connection N has been woken from IDLE and lets it speak
//   @timeout N   its deadline passes
//   @store-has ADDRESS MAILBOX COUNT     @store-text ADDRESS MAILBOX INDEX substring
//   @queue-has RECIPIENT [FACT=REGEX ...]   from, reports, domain, notify, orcpt, envid, ret, body, utf8, tls, origin, held,
//   account
//   @queue-count RECIPIENTS              @trace-has TEXT (without blanks)
//   @relay DOMAIN [check]                @forward ADDRESS keep|move TARGET...
//   @group ADDRESS anyone|members|domain MEMBER...
//   @grant OWNER DELEGATE none|read|full [send]   @revoke OWNER DELEGATE
//   @settle     what the server stores by itself is stored
//   @limits ADDRESS MESSAGES NEW         @release ADDRESS   @admin ADDRESS   @setting NAME VALUE
// In texts, ${plain:LOGIN:PASSWORD} is the base64 of SASL PLAIN, ${base64:TEXT} that of TEXT.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/session/session.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"

namespace posthus::testing {

using ConnectionOptions = std::map<std::string, std::string>;

/// Makes the session under test; what it needs besides the World it owns itself.
using DialogAdapter = std::function<std::unique_ptr<session::Session>(
    World& world, const ConnectionOptions& options, const session::ConnectionFacts& facts, session::Waker waker)>;

/// Runs one script; the empty string when all is as it should be, else "file:line: what was expected and what came".
std::string run_dialog(const std::string& path, const DialogAdapter& adapter, std::size_t cut);

/// Registers a GoogleTest for each *.session of the folder and each cut.
void register_dialogs(const std::string& folder, const std::function<DialogAdapter()>& make_adapter);

}  // namespace posthus::testing
