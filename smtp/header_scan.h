// HeaderScan: looks at a message's header while it passes, in any cut and without keeping it: counts Received fields
// (RFC 5321 §6.3), notes Date and Message-ID (RFC 6409 §8.2, §8.3), and says where the header ends so that missing
// fields can be put there. On submission it keeps the From fields. Thread rule: one thread at a time. Linear; nothing is
// allocated but for From.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthus::smtp {

/// Whether the values of From fields are kept, to be compared with the login.
enum class FromFields : bool { kPass, kKeep };
inline constexpr std::size_t kMaxFromKept = 16 * 1024;  // of all From fields together: many times what people write

class HeaderScan {
 public:
  HeaderScan() = default;
  explicit HeaderScan(FromFields from_fields) : from_fields_(from_fields) {}

  /// Bytes of the message. Returns how many of them surely belong to the header's fields; fewer than all only when the
  /// header has ended there, the rest being the blank line (or what is left of it) and the body.
  /// After a cut in the middle of what may become the blank line, that CR is not counted as belonging to the fields:
  /// `is_holding_cr()` is then true, and the caller must keep it back.
  /// REQUIRES: !has_ended().
  std::size_t read(std::string_view bytes);

  bool has_ended() const { return has_ended_; }
  bool is_holding_cr() const { return is_holding_cr_; }
  /// The message text is over: a header without a blank line ends there.
  void finish();
  /// Whether the bytes so far end with a line end (or there are none).
  bool is_at_line_start() const { return name_length_ == 0 && !is_in_value_; }

  std::uint32_t received_fields() const { return received_fields_; }
  bool has_date() const { return has_date_; }
  bool has_message_id() const { return has_message_id_; }
  /// "TLS-Required: No", once (RFC 8689 §3).
  bool asks_for_no_tls() const { return tls_required_fields_ == 1 && tls_required_ == "no"; }
  /// The values of all From fields, joined by commas, with their folds.
  const std::string& from() const { return from_; }
  /// They are longer than kMaxFromKept: from() is not all of them.
  bool is_from_cut() const { return is_from_cut_; }

 private:
  static constexpr std::size_t kLongestName = 12;  // "tls-required"
  void end_of_name();
  void keep_value(std::string_view text);
  void keep_from(std::string_view text);
  void keep_tls_required(std::string_view text);

  std::array<char, kLongestName + 1> name_{};  // lower case; full when the name is longer than any we look for
  std::uint8_t name_length_ = 0;
  FromFields from_fields_ = FromFields::kPass;
  bool is_in_from_ = false;          // in a From field or its continuation
  bool is_in_tls_required_ = false;  // likewise
  bool is_from_cut_ = false;
  bool is_in_value_ = false;    // past the name: only the line end matters
  bool has_blank_ = false;      // white space after the name: only a colon may follow
  bool is_holding_cr_ = false;  // a CR at the start of a line
  bool has_ended_ = false;
  bool has_date_ = false, has_message_id_ = false;
  std::uint32_t received_fields_ = 0, tls_required_fields_ = 0;
  std::string tls_required_;  // of the value what is no white space, in lower case, at most kMaxTlsRequired
  std::string from_;
};

}  // namespace posthus::smtp
