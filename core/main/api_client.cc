// The two ways to the admin API.
#include "core/main/api_client.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/main/certificates.h"
#include "core/main/data_directory.h"
#include "core/main/first_start.h"
#include "core/main/own_addresses.h"
#include "core/main/public_services.h"
#include "core/main/unix_http.h"
#include "core/main/version.h"
#include "web-admin/message_upload.h"
#include "web-admin/routes.h"

namespace posthus::main {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

web_admin::Request local_request(std::string_view method, const std::string& target, std::string_view type) {
  return {.method = std::string(method), .target = target, .content_type = std::string(type), .origin = {.is_unix_socket = true}};
}

/// Standard input, whole. The API needs the length first, and a message is at most kMaxMessageBody.
Result<std::string> read_message(int fd) {
  std::string message;
  std::string piece(kPiece, '\0');
  while (true) {
    const ssize_t count = read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(error_from_errno(errno, "standard input"));
    if (count == 0) return message;
    message.append(piece, 0, static_cast<std::size_t>(count));
    if (message.size() > web_admin::kMaxMessageBody) return fail(ErrorKind::kTooLarge, "the message is larger than 50 MiB");
  }
}

}  // namespace

Result<std::unique_ptr<ApiClient>> ApiClient::open(const Settings& settings, WithoutServer without) {
  auto client = std::unique_ptr<ApiClient>(new ApiClient(settings));
  const auto socket = connect_unix(socket_path(settings));
  if (socket) return client;
  if (socket.error().kind != ErrorKind::kNotFound) return std::unexpected(socket.error());
  if (without == WithoutServer::kRefuse) return fail(ErrorKind::kUnavailable, "no server runs on " + settings.data);
  if (without == WithoutServer::kOpenStore && !has_store(settings)) {
    return fail(ErrorKind::kNotFound,
                "there is no store in " + settings.data + "; `posthus serve` or `posthus domain add` makes one");
  }
  umask(077);
  POSTHUS_TRY_VOID(make_data_directory(settings));
  client->store_ = POSTHUS_TRY(store::Store::open(store_options(settings), client->clock_));
  POSTHUS_TRY_VOID(take_chosen_hostname(client->settings_, *client->store_));
  client->api_ = std::make_unique<web_admin::Api>(
      web_admin::ServerContext{.store = *client->store_,
                               .clock = client->clock_,
                               .hostname = client->settings_.hostname,
                               .version = std::string(version()),
                               .started = client->clock_.now(),
                               .services = enabled_services(client->settings_),
                               .interface_addresses = [s = &client->settings_] { return global_addresses(*s); },
                               .certificate = [c = client.get()] { return load_certificate(c->settings_, c->clock_); }});
  return client;
}

Result<web_admin::Response> ApiClient::call(std::string_view method, const std::string& target, std::string_view json) {
  if (api_) {
    web_admin::Request request = local_request(method, target, "application/json");
    request.body = json;
    return api_->handle(request);
  }
  UniqueFd socket = POSTHUS_TRY(connect_unix(socket_path(settings_)));
  const std::string_view fields = json.empty() ? "" : "Content-Type: application/json\r\n";
  std::string_view left = json;
  const auto body = [&left]() -> Result<std::string_view> { return std::exchange(left, std::string_view{}); };
  return exchange(std::move(socket), method, target, fields, json.size(), body);
}

Result<web_admin::Response> ApiClient::post_message(const std::string& target, int fd) {
  if (api_) return post_here(target, fd);
  const std::string message = POSTHUS_TRY(read_message(fd));
  UniqueFd socket = POSTHUS_TRY(connect_unix(socket_path(settings_)));
  std::string_view left = message;
  const auto body = [&left]() -> Result<std::string_view> {
    const std::string_view piece = left.substr(0, kPiece);
    left.remove_prefix(piece.size());
    return piece;
  };
  return exchange(std::move(socket), "POST", target, "Content-Type: message/rfc822\r\n", message.size(), body);
}

Result<web_admin::Response> ApiClient::post_here(const std::string& target, int fd) {
  web_admin::Request request = local_request("POST", target, "message/rfc822");
  auto upload = api_->begin_upload(request);
  if (!upload) return std::move(upload).error();
  const std::string message = POSTHUS_TRY(read_message(fd));
  POSTHUS_TRY_VOID(upload->append(message));
  POSTHUS_TRY_VOID(upload->finish());
  request.upload = &*upload;
  return api_->handle(request);
}

}  // namespace posthus::main
