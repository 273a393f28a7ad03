// The gate's states. RFC 9112 §6 (framing), §9.3 (persistence), RFC 9110 §10.1.1 (Expect).
//
//   kHead -> kAdmit (worker) -> kBody -> kAnswer (worker) -> kHead ...
//   without a body: kHead -> kAnswer
#include "web-admin/server_session.h"

#include <algorithm>
#include <optional>

#include "web-admin/api.h"
#include "web-admin/http_head.h"
#include "web-admin/problem.h"

namespace posthus::web_admin {
namespace {

using session::Input;
using session::Output;
using session::Step;

class GateSession final : public session::Session {
 public:
  GateSession(const GateContext& context, const session::ConnectionFacts& facts) : context_(context) {
    peer_ = {.remote_address = facts.remote_address, .is_unix_socket = facts.is_unix_socket};
  }

  Step opened(Output&) override {
    began_ = context_.clock.now();
    return Step::kRead;
  }
  Step tls_started(const session::TlsFacts&, Output&) override {
    peer_.is_tls = true;
    return Step::kRead;
  }
  Step received(Input& input, Output& output) override;
  void run(Output& output) override;
  Step resumed(Output& output) override;
  std::chrono::seconds deadline() const override;
  void timed_out(Output& output) override;
  void shutting_down(Output& output) override;

 private:
  enum class Phase : std::uint8_t { kHead, kAdmit, kBody, kAnswer, kRefused };

  Step receive_head(Input& input, Output& output);
  Step receive_body(Input& input, Output& output);
  Step head_complete(Output& output);
  Step admitted(Output& output);
  Step answered();
  Step refuse(const Response& response, Output& output);
  bool is_between_requests() const { return phase_ == Phase::kHead && head_.empty(); }
  std::chrono::seconds limit() const;
  std::chrono::seconds time_left() const;

  const GateContext& context_;
  Phase phase_ = Phase::kHead;
  BodyKind body_kind_ = BodyKind::kNone;
  bool keeps_alive_ = true, expects_continue_ = false;
  int requests_ = 0;
  Timestamp began_;  // of the request; of the wait between requests
  HeadScanner scanner_;
  std::string head_, body_;
  std::uint64_t body_left_ = 0;  // bytes of the body that have not come yet
  Origin peer_;                  // the other end of the connection
  Request request_;              // `body` views body_
  std::unique_ptr<MessageUpload> upload_;
  std::optional<Response> refusal_;  // made on the worker
};

Step GateSession::received(Input& input, Output& output) {
  if (is_between_requests() && !input.empty()) began_ = context_.clock.now();
  if (time_left().count() <= 0) return refuse(problem(408, "The request took too long."), output);
  return phase_ == Phase::kBody ? receive_body(input, output) : receive_head(input, output);
}

Step GateSession::receive_head(Input& input, Output& output) {
  std::size_t taken = 0;
  const std::string_view bytes = input.bytes().substr(0, kMaxHead + 1 - head_.size());
  const HeadScanner::State state = scanner_.scan(bytes, taken);
  head_.append(bytes.substr(0, taken));
  input.consume(taken);
  if (state == HeadScanner::State::kBareLineFeed) return refuse(problem(400, "Lines must end with CR LF."), output);
  if (head_.size() > kMaxHead) return refuse(problem(431, "The request head is too large."), output);
  if (state == HeadScanner::State::kIncomplete) return Step::kRead;
  return head_complete(output);
}

Step GateSession::head_complete(Output& output) {
  auto head = parse_head(head_);
  if (!head) return refuse(problem(head.error().status, head.error().detail), output);
  auto forwarded = forwarded_facts(peer_, *head, context_.proxies);
  if (!forwarded) return refuse(problem(forwarded.error().status, forwarded.error().detail), output);
  request_.origin = std::move(forwarded->origin);
  request_.method = std::move(head->method);
  request_.target = std::move(head->target);
  request_.authorization = std::move(head->authorization);
  request_.content_type = std::move(head->content_type);
  request_.host = forwarded->host.empty() ? std::move(head->host) : std::move(forwarded->host);
  request_.browser = {.cookie = std::move(head->cookie),
                      .origin = std::move(head->origin),
                      .fetch_site = std::move(head->fetch_site),
                      .user_agent = std::move(head->user_agent),
                      .accept_encoding = std::move(head->accept_encoding),
                      .if_none_match = std::move(head->if_none_match),
                      .is_from_panel = head->is_from_panel};
  expects_continue_ = head->expects_continue && !head->is_http_1_0;
  keeps_alive_ = head->keeps_alive && ++requests_ < kMaxRequestsPerConnection;
  body_left_ = head->content_length.value_or(0);
  const auto target = parse_target(request_.target);
  const Route* route = target ? find_route(request_.method, *target).route : nullptr;
  body_kind_ = route ? route->body : BodyKind::kNone;
  if (route && body_left_ > max_body(body_kind_)) return refuse(problem(413, "The body is larger than this path takes."), output);
  if (body_kind_ != BodyKind::kNone) {
    phase_ = Phase::kAdmit;
    return Step::kRun;
  }
  if (body_left_ > 0) keeps_alive_ = false;  // an unknown path: its body is not waited for
  phase_ = Phase::kAnswer;
  return Step::kRun;
}

Step GateSession::admitted(Output& output) {
  if (refusal_) return refuse(*refusal_, output);
  phase_ = body_left_ > 0 ? Phase::kBody : Phase::kAnswer;
  if (phase_ == Phase::kAnswer) return Step::kRun;
  if (expects_continue_) output.append("HTTP/1.1 100 Continue\r\n\r\n");
  return Step::kRead;
}

Step GateSession::receive_body(Input& input, Output& output) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  const std::string_view bytes = input.bytes().substr(0, count);
  if (upload_) {
    const auto appended = upload_->append(bytes);
    if (!appended) return refuse(problem(appended.error()), output);
  } else {
    body_.append(bytes);
  }
  input.consume(count);
  body_left_ -= count;
  if (body_left_ > 0) return Step::kRead;
  phase_ = Phase::kAnswer;
  return Step::kRun;
}

void GateSession::run(Output& output) {
  HttpServer& http = context_.http;
  if (phase_ == Phase::kAdmit && body_kind_ != BodyKind::kMessage) {
    refusal_ = http.api().refusal_of_head(request_);
    return;
  }
  if (phase_ == Phase::kAdmit) {
    auto upload = http.api().begin_upload(request_);
    if (upload) {
      upload_ = std::make_unique<MessageUpload>(std::move(*upload));
    } else {
      refusal_ = std::move(upload).error();
    }
    return;
  }
  const auto finished = upload_ ? upload_->finish() : Result<>{};
  if (!finished) {
    refusal_ = problem(finished.error());
    return;
  }
  request_.body = body_;
  request_.upload = upload_.get();
  http.respond(request_, keeps_alive_ ? Connection::kKeepAlive : Connection::kClose, output);
}

Step GateSession::resumed(Output& output) {
  if (phase_ == Phase::kAdmit) return admitted(output);
  if (refusal_) return refuse(*refusal_, output);
  return answered();
}

// Forgets the request and gives its memory back: an idle connection holds next to nothing.
Step GateSession::answered() {
  if (!keeps_alive_) return Step::kClose;
  request_ = Request{};
  upload_.reset();
  std::string().swap(head_);
  std::string().swap(body_);
  scanner_ = HeadScanner();
  body_kind_ = BodyKind::kNone;
  phase_ = Phase::kHead;
  began_ = context_.clock.now();
  return Step::kRead;
}

Step GateSession::refuse(const Response& response, Output& output) {
  append_refusal(response, output);
  phase_ = Phase::kRefused;
  upload_.reset();
  return Step::kClose;
}

std::chrono::seconds GateSession::limit() const {
  if (is_between_requests()) return kIdleTimeout;
  return upload_ ? kUploadTimeout : kRequestTimeout;
}

std::chrono::seconds GateSession::time_left() const {
  const std::int64_t spent = context_.clock.now().seconds() - began_.seconds();
  // WHY: the clock may be set back; a request never gets more than its limit from now on.
  return std::min(limit(), limit() - std::chrono::seconds(spent));
}

std::chrono::seconds GateSession::deadline() const { return std::max(time_left(), std::chrono::seconds(1)); }

void GateSession::timed_out(Output& output) {
  if (is_between_requests() || phase_ == Phase::kRefused) return;
  refuse(problem(408, "The request took too long."), output);
}

void GateSession::shutting_down(Output& output) {
  if (is_between_requests() || phase_ == Phase::kRefused) return;
  refuse(problem(503, "The server is stopping."), output);
}

}  // namespace

std::unique_ptr<session::Session> make_server_session(const GateContext& context, const session::ConnectionFacts& facts,
                                                      session::Waker) {
  return std::make_unique<GateSession>(context, facts);
}

}  // namespace posthus::web_admin
