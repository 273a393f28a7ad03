// httplib::Server over strings. RFC 9110 §6.6.1 (Date), §8.6 (Content-Length), §15.3.5 (204).
// Known limits: the whole answer is in memory; none is larger than a page of a list or the metrics.
#include "web-admin/http_server.h"

#include <httplib.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/mail/date_time.h"
#include "web-admin/api.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Sat, 21 Nov 2026 23:05:46 GMT (RFC 9110 §5.6.7, IMF-fixdate)
std::string http_date(Timestamp now) {
  std::string date = mail::format_rfc5322_date(now);
  if (date.size() > 6 && date[6] == ' ') date.insert(5, "0");
  const std::size_t zone = date.find(" +0000");
  if (zone != std::string::npos) date.replace(zone, 6, " GMT");
  return date;
}

// Fields every answer carries, then its own, which win. The API serves data: nothing in it may run, be framed or be cached; what
// is a document says what it may do.
Fields fields_of(const Response& response) {
  Fields fields{{"X-Content-Type-Options", "nosniff"},
                {"Cache-Control", "no-store"},
                {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                {"Referrer-Policy", "no-referrer"},
                {"Server", "Posthus"},
                {"Date", http_date(SystemClock().now())}};
  std::erase_if(fields, [&](const auto& field) {
    return std::ranges::any_of(response.fields, [&](const auto& own) { return own.first == field.first; });
  });
  fields.insert(fields.end(), response.fields.begin(), response.fields.end());
  return fields;
}

/// The request head as httplib reads it, and a place for what it writes.
class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string_view input, std::string& output) : input_(input), output_(output) {}
  bool is_readable() const override { return !input_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, size_t size) override {
    const std::size_t count = std::min(size, input_.size());
    input_.copy(into, count);
    input_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    output_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  socket_t socket() const override { return 0; }  // httplib compares it with FD_SETSIZE, no more

 private:
  std::string_view input_;
  std::string& output_;
};

// The request that this worker is answering: httplib's handlers get its own Request only.
thread_local const Request* current_request = nullptr;

}  // namespace

struct HttpServer::State : httplib::Server {
  explicit State(Api& api) {
    // WHY: the hook before routing sees every request and keeps httplib's regular expressions, files and body reading out.
    set_pre_routing_handler([&api](const httplib::Request&, httplib::Response& out) {
      Response response = api.handle(*current_request);
      out.status = response.status;
      for (const auto& [name, value] : fields_of(response)) out.set_header(name, value);
      if (!response.body.empty()) out.set_header("Content-Type", response.content_type);
      out.body = std::move(response.body);
      return HandlerResponse::Handled;
    });
    // httplib would send the exception's text to the client.
    set_exception_handler([](const httplib::Request&, httplib::Response& out, std::exception_ptr) {
      log::error("http.exception");
      const Response response = problem(500, "The server could not do this; its log says why.");
      out.status = response.status;
      out.set_content(response.body, response.content_type);
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& out) {
      out.headers.erase("Accept-Ranges");
      out.headers.erase("Keep-Alive");
      if (out.status == 204 || out.status == 304) out.headers.erase("Content-Length");
    });
  }
  bool answer(httplib::Stream& stream, Connection connection) {
    bool is_closed = false;
    return process_request(stream, connection == Connection::kClose, is_closed, nullptr);
  }
};

HttpServer::HttpServer(Api& api) : api_(api), state_(std::make_unique<State>(api)) {}
HttpServer::~HttpServer() = default;

void HttpServer::respond(const Request& request, Connection connection, std::string& output) {
  const std::size_t begin = output.size();
  current_request = &request;
  const std::string head = request.method + " / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  bool is_answered = false;
  try {
    MemoryStream stream(head, output);
    is_answered = state_->answer(stream, connection);
  } catch (const std::exception& e) {
    log::error("http.exception", {{"what", e.what()}});
  }
  current_request = nullptr;
  if (is_answered) return;
  output.resize(begin);
  append_refusal(problem(500, "The server could not do this; its log says why."), output);
}

void append_refusal(const Response& response, std::string& output) {
  output.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ").append(reason_phrase(response.status));
  output.append("\r\nContent-Type: ").append(response.content_type);
  output.append("\r\nContent-Length: ").append(std::to_string(response.body.size())).append("\r\nConnection: close\r\n");
  for (const auto& [name, value] : fields_of(response)) output.append(name).append(": ").append(value).append("\r\n");
  output.append("\r\n").append(response.body);
}

}  // namespace posthus::web_admin
