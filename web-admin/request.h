// Request and Response of the admin API as its handlers see them: already framed and checked by the gate
// (web-admin/server_session.h), or made in the same process by the command line. RFC 9110.
// Thread rule: plain values; a Request is read by one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthus::web_admin {

class MessageUpload;

/// Who asks: from the connection, or from what a proxy of ours says (web-admin/forwarded.h); nothing a client writes changes it.
struct Origin {
  std::string remote_address;     // empty on the Unix socket
  bool is_unix_socket = false;    // the admin socket, or the command line in this process: may do everything
  bool is_tls = false;            // all the way from the client
  bool is_surely_plain = false;   // without TLS, and no proxy may have had it
  bool is_proxy = false;          // the address is a proxy's, which does not say who is behind it
  bool is_proxy_unnamed = false;  // fields of a proxy came from an address that is none of ours
};

/// What browsers say besides; hostile. Values of fields as sent, empty without.
struct BrowserFields {
  std::string cookie, origin, fetch_site, user_agent, accept_encoding, if_none_match;
  bool is_from_panel = false;  // X-Posthus-Panel: a page of another origin cannot send it
};

struct Request {
  std::string method;               // "GET"
  std::string target;               // origin-form as sent: path, perhaps "?query"
  std::string authorization;        // value of the field, empty without
  std::string content_type;         // value of the field, empty without
  std::string host;                 // value of the field as sent: hostile, see host_name() in client_setup.h
  std::string_view body;            // of routes with BodyKind::kJson or kXml; owned by the caller
  MessageUpload* upload = nullptr;  // of routes with BodyKind::kMessage, finished; owned by the caller
  Origin origin;
  BrowserFields browser;
};

struct Response {
  int status = 200;
  std::string content_type;  // empty without a body
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;  // further header fields
};

/// Everything that is not only read (RFC 9110 §9.2.1).
inline bool is_change(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

}  // namespace posthus::web_admin
