// Replies of the SMTP server: code, enhanced status code and text, in one table, and how they are written.
// RFC 5321 §4.2, RFC 2034 §4 (enhanced codes on 2xx, 4xx and 5xx, except the greeting and the answer to EHLO),
// RFC 3463 and RFC 5248 (their meanings). Thread rule: pure functions and constants.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace posthus::smtp {

/// What the client is told. The views are of static text.
struct Reply {
  std::uint16_t code = 0;
  std::string_view enhanced;  // empty: none is written
  std::string_view text;
  friend bool operator==(const Reply&, const Reply&) = default;
};

/// The value, or the reply that refuses it.
template <class T>
using Parsed = std::expected<T, Reply>;

/// Appends "250 2.0.0 OK\r\n".
void append_reply(std::string& out, const Reply& reply);
/// The same codes with a text of its own. REQUIRES: no CR or LF in `text`.
void append_reply(std::string& out, const Reply& reply, std::string_view text);

/// A reply of several lines (RFC 5321 §4.2.1): every line is written with a hyphen, the end mends the last one.
class MultiLineReply {
 public:
  MultiLineReply(std::string& out, std::uint16_t code) : out_(out), code_(code) {}
  /// REQUIRES: no CR or LF in `text`.
  void line(std::string_view text);
  /// A line "KEYWORD value".
  void line(std::string_view keyword, std::uint64_t value);
  /// REQUIRES: at least one line.
  void finish() { out_[last_ + 3] = ' '; }

 private:
  void begin_line();
  std::string& out_;
  std::uint16_t code_;
  std::size_t last_ = 0;
};

namespace reply {

// Success
inline constexpr Reply kOk{250, "2.0.0", "OK"};
inline constexpr Reply kSenderOk{250, "2.1.0", "Sender OK"};
inline constexpr Reply kRecipientOk{250, "2.1.5", "Recipient OK"};
inline constexpr Reply kChunkOk{250, "2.0.0", "Chunk received"};
inline constexpr Reply kAccepted{250, "2.0.0", "accepted"};
inline constexpr Reply kBye{221, "2.0.0", "Goodbye"};
inline constexpr Reply kReadyForTls{220, "2.0.0", "Ready to start TLS"};
inline constexpr Reply kLoggedIn{235, "2.7.0", "Authentication succeeded"};
inline constexpr Reply kCannotVerify{252, "2.1.5", "Cannot verify the user, but will accept the message and attempt delivery"};
inline constexpr Reply kSendData{354, "", "Start mail input; end with <CRLF>.<CRLF>"};

// Closing
inline constexpr Reply kTimedOut{421, "4.4.2", "Timeout, closing the connection"};
inline constexpr Reply kShuttingDown{421, "4.3.2", "Service is shutting down, try again shortly"};
inline constexpr Reply kTooManyErrors{421, "4.7.0", "Too many errors, closing the connection"};
inline constexpr Reply kTooManyTransactions{421, "4.5.3", "Too many messages on one connection, open another"};
inline constexpr Reply kNotSmtp{421, "4.7.0", "This is an SMTP server, closing the connection"};

// Temporary
inline constexpr Reply kTryAgain{451, "4.3.0", "Temporary failure, try again later"};
inline constexpr Reply kNoMemory{452, "4.3.1", "Insufficient system storage, try again later"};
inline constexpr Reply kMailboxFull{452, "4.2.2", "Mailbox is full"};
inline constexpr Reply kTooManyRecipients{452, "4.5.3", "Too many recipients in one message"};
inline constexpr Reply kDailyLimit{452, "4.7.1",
                                   "You have sent as many messages to other servers as your account may in a day, "
                                   "try again tomorrow"};
inline constexpr Reply kNewRecipientLimit{452, "4.7.1",
                                          "You have written to as many new recipients as your account may in a day, "
                                          "try again tomorrow"};
inline constexpr Reply kDomainLimit{452, "4.7.1",
                                    "Your domain has sent as many messages to other servers as it may in a day, "
                                    "try again tomorrow"};
inline constexpr Reply kDomainNewRecipientLimit{452, "4.7.1",
                                                "Your domain has written to as many new recipients as it may in a day, "
                                                "try again tomorrow"};
inline constexpr Reply kForwardLimit{452, "4.7.1",
                                     "As much mail has been forwarded to other servers from here as may be in a day, "
                                     "try again tomorrow"};
inline constexpr Reply kLoginUnavailable{454, "4.7.0", "Temporary authentication failure, try again later"};
inline constexpr Reply kLoginThrottled{454, "4.7.0", "Too many failed logins, try again later"};

// Syntax
inline constexpr Reply kUnknownCommand{500, "5.5.2", "Command not recognised"};
inline constexpr Reply kLineTooLong{500, "5.5.2", "Line too long"};
inline constexpr Reply kLoginLineTooLong{500, "5.5.6", "Authentication exchange line is too long"};
inline constexpr Reply kBadLineEnd{500, "5.5.2", "Lines must end with CR LF and hold neither CR, LF nor NUL"};
inline constexpr Reply kBadHello{501, "5.5.4", "A domain name or an address literal is required"};
inline constexpr Reply kBadArgument{501, "5.5.4", "Syntax error in arguments"};
inline constexpr Reply kNoArgument{501, "5.5.4", "No argument is allowed"};
inline constexpr Reply kBadSender{501, "5.1.7", "Syntax error in the sender address"};
inline constexpr Reply kBadRecipient{501, "5.1.3", "Syntax error in the recipient address"};
inline constexpr Reply kBadParameter{501, "5.5.4", "Bad value of a parameter"};
inline constexpr Reply kDuplicateParameter{501, "5.5.4", "Parameter given twice"};
inline constexpr Reply kUnknownParameter{555, "5.5.4", "Parameter not recognised"};
inline constexpr Reply kBadChunk{501, "5.5.4", "BDAT needs a size and perhaps LAST, closing the connection"};
inline constexpr Reply kBadBase64{501, "5.5.2", "Invalid base64"};
inline constexpr Reply kLoginCancelled{501, "5.7.0", "Authentication cancelled"};
inline constexpr Reply kNotImplemented{502, "5.5.1", "Command not implemented"};
inline constexpr Reply kNoExpansion{502, "5.7.2", "Expansion of lists is not offered"};
inline constexpr Reply kUnknownMechanism{504, "5.5.4", "Authentication mechanism not offered"};
inline constexpr Reply kNeedsUtf8{553, "5.6.7", "A non-ASCII address needs the SMTPUTF8 parameter"};

// Sequence
inline constexpr Reply kBadSequence{503, "5.5.1", "Bad sequence of commands"};
inline constexpr Reply kHelloFirst{503, "5.5.1", "Send EHLO first"};
inline constexpr Reply kTlsAlready{503, "5.5.1", "TLS is active already"};
inline constexpr Reply kLoggedInAlready{503, "5.5.1", "Already authenticated"};
inline constexpr Reply kBinaryNeedsChunks{503, "5.5.1", "BODY=BINARYMIME needs BDAT, not DATA"};
inline constexpr Reply kNoRecipients{554, "5.5.1", "No valid recipients"};

// Policy
inline constexpr Reply kNeedsTls{530, "5.7.0", "Must issue a STARTTLS command first"};
inline constexpr Reply kNeedsLogin{530, "5.7.0", "Authentication required"};
inline constexpr Reply kLoginNeedsTls{538, "5.7.11", "Encryption required for authentication"};
inline constexpr Reply kLoginRejected{535, "5.7.8", "Authentication credentials invalid"};
inline constexpr Reply kLoginDisabled{525, "5.7.13", "User account disabled"};
inline constexpr Reply kUnknownUser{550, "5.1.1", "No such user here"};
inline constexpr Reply kReportsOnly{550, "5.7.1", "This address takes delivery reports only"};
inline constexpr Reply kUnknownThere{550, "5.1.1", "The server this address's mail goes to knows no such user"};
inline constexpr Reply kDisabledUser{550, "5.2.1", "Mailbox disabled, not accepting messages"};
inline constexpr Reply kExceedsQuota{552, "5.2.2", "The message is larger than the whole mailbox may be"};
inline constexpr Reply kRelayDenied{550, "5.7.1", "Relaying denied"};
inline constexpr Reply kMayNotSend{550, "5.7.1", "Your account may not send to other servers"};
inline constexpr Reply kMayNotForward{550, "5.7.1", "This address may not forward to other servers"};
inline constexpr Reply kAliasLoop{550, "5.4.6", "The aliases of this address form a loop"};
// RFC 3463 §3.8, X.7.2: who may have a list expanded.
inline constexpr Reply kOnlyMembers{550, "5.7.2", "Only members of this group may write to it"};
inline constexpr Reply kOnlyDomain{550, "5.7.2", "Only users of this group's domain may write to it, signed in at this server"};
inline constexpr Reply kNotYourAddress{553, "5.7.1", "The sender address does not belong to the authenticated user"};
inline constexpr Reply kNotYourFrom{550, "5.7.1",
                                    "The From field names an address that does not belong to the authenticated user"};
inline constexpr Reply kTooLarge{552, "5.3.4", "Message exceeds the size limit"};
inline constexpr Reply kMailLoop{554, "5.4.6", "Mail loop: too many Received fields"};
inline constexpr Reply kBareLineEnd{550, "5.6.11", "The message has a CR or LF that is not part of CR LF"};

}  // namespace reply
}  // namespace posthus::smtp
