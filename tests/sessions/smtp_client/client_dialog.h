// Client dialogs: scripts of what another server says (S) and what our SMTP client must say (C), and what it reports.
// Run whole and cut into 7, 2 and 1 bytes; and again with the host closing after every byte.
//
//   @message [from=ADDRESS] [to=ADDRESS[,ADDRESS]] [body=8bit|binary] [utf8] [requiretls] [trial] [envid=X] [ret=full|hdrs]
//            [notify=never|success+failure+delay] [orcpt=X] [fill=BYTES] [readable=BYTES] <<END ... END
//                the next message of the source; lines end in CRLF; fill= adds lines of dots up to so many bytes
//   @connect [tls=never|opportunistic|required|implicit] [login=NAME] [password=WORD] [loopback] [max=N]
//            [handshake=REASON_WITH_DASHES] [verified] [unproven] [needs-requiretls]     begins a connection; what went before is
//            forgotten
//   S: text   the host says text and CRLF      S= text with \r \n \t \\ \0 \xHH escapes      S*N text  N times
//   S+ text   as S=, but never cut: all of it is there at once
//   S$        the host closes
//   C: text   the next line is exactly this    C~ regex     C* C*~ skip up to it     C- nothing more     C$ it has closed
//   C@ NAME   the text of message NAME (1, 2, ...) follows, dot-stuffed, with its end;  C= NAME the same as it is (BDAT)
//   R: NAME.NUMBER verdict[ host] stage code enhanced text       the next result of a recipient; R~ regex; R- none more
//   E: ready|failed[ tls] stage code enhanced text               the end of the connection; E~ regex; E- not yet
//                stage with dashes for spaces; "-" for what is empty
//   @timeout  @shutdown
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace posthus::testing {

/// The empty string when all is as it should be, else "file:line: what was expected and what came".
std::string run_client_dialog(const std::string& path, std::size_t cut);

/// Plays each connection of the script with the host closing after so many bytes of it, at every place (at most
/// `most` of them, evenly spread); what the client then says and reports is not compared, but the rules of MessageSource
/// are watched over. Returns how many times it was played.
std::size_t close_everywhere(const std::string& path, std::size_t most);

}  // namespace posthus::testing
