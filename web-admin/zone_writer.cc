// The ways into a zone. See zone_writer.h.
#include "web-admin/zone_writer.h"

#include <algorithm>
#include <chrono>

#include "core/base/ascii.h"
#include "core/base/random.h"
#include "core/dns/answers.h"
#include "core/dns/record_text.h"
#include "web-admin/api.h"
#include "web-admin/json.h"
#include "web-admin/outside.h"
#include "web-admin/setting_values.h"

namespace posthus::web_admin {
namespace {

constexpr std::chrono::seconds kTextPatience{15};
constexpr std::size_t kMaxWordsOfPlugIn = 300;  // of what it says is told

std::uint16_t new_message_id() {
  const std::string bytes = random_bytes(2);
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 | static_cast<std::uint8_t>(bytes[1]));
}

/// RFC 2136, signed with TSIG (RFC 8945).
class NameServerWriter final : public ZoneWriter {
 public:
  NameServerWriter(const ServerContext& context, std::string server, std::string zone, dns::TsigKey key)
      : context_(context), server_(std::move(server)), zone_(std::move(zone)), key_(std::move(key)) {}

  const std::string& zone() const override { return zone_; }
  std::string target() const override { return server_; }
  // WHY its own server is asked: a resolver may remember what was there before.
  Result<std::vector<std::string>> texts(const std::string& name) override {
    const std::uint16_t id = new_message_id();
    const std::string question = POSTHUS_TRY(dns::query_message(id, name, dns::RecordType::kTxt));
    const std::string reply = POSTHUS_TRY(context_.outside->exchange_dns(server_, question));
    return POSTHUS_TRY(dns::read_query_reply(reply, id, name, dns::RecordType::kTxt)).texts;
  }
  Result<> write(const std::vector<dns::SetChange>& changes) override {
    const std::uint16_t id = new_message_id();
    const auto message = POSTHUS_TRY(dns::update_message(id, zone_, changes, key_, context_.clock.now()));
    const std::string reply = POSTHUS_TRY(context_.outside->exchange_dns(server_, message.text));
    return dns::read_update_reply(reply, id, message, key_, context_.clock.now());
  }

 private:
  const ServerContext& context_;
  const std::string server_, zone_;
  const dns::TsigKey key_;
};

std::string_view action_of(dns::SetChange::Kind kind) {
  switch (kind) {
    case dns::SetChange::Kind::kReplace: return "replace";
    case dns::SetChange::Kind::kReplaceName: return "replace_name";
    case dns::SetChange::Kind::kAdd: break;
  }
  return "add";
}

/// A program of somebody else's, at an https URL or on this machine.
class PlugInWriter final : public ZoneWriter {
 public:
  PlugInWriter(const ServerContext& context, std::string url, std::string domain, std::string zone)
      : context_(context), url_(std::move(url)), domain_(std::move(domain)), zone_(std::move(zone)) {}

  const std::string& zone() const override { return zone_; }
  // Paths of such URLs are often secrets.
  std::string target() const override {
    const std::size_t host = url_.find("//");
    const std::size_t end = host == std::string::npos ? 0 : url_.find_first_of("/?", host + 2);
    return url_.substr(0, end);
  }
  Result<std::vector<std::string>> texts(const std::string& name) override {
    dns::Answers answers;
    std::vector<std::string> found;
    bool is_known = false;
    const auto resolver = context_.outside->make_resolver();
    dns::ask_until_complete(*resolver, answers, std::chrono::steady_clock::now() + kTextPatience,
                            context_.outside->stop.get_token(), [&](dns::Answers& given) {
                              const dns::Answer* const answer = given.ask(name, dns::RecordType::kTxt);
                              is_known =
                                  answer && answer->status != dns::Status::kTemporary && answer->status != dns::Status::kBogus;
                              if (answer) found = answer->texts;
                            });
    // WHY: texts that are not known would be lost.
    if (!is_known) return fail(ErrorKind::kUnavailable, "the DNS does not say which texts " + name + " has now");
    return found;
  }
  Result<> write(const std::vector<dns::SetChange>& changes) override {
    const auto answer = POSTHUS_TRY(context_.outside->post_json(url_, body_of(changes)));
    if (answer.status / 100 == 2) return {};
    const ErrorKind kind = answer.status == 401 || answer.status == 403 ? ErrorKind::kDenied : ErrorKind::kUnavailable;
    return fail(
        kind, "the plug-in at " + target() + " refused: status " + std::to_string(answer.status) + words_of_plug_in(answer.body));
  }

 private:
  std::string body_of(const std::vector<dns::SetChange>& changes) const {
    JsonWriter json;
    json.begin_object().key("domain").text(domain_).key("zone").text(zone_).key("changes").begin_array();
    for (const dns::SetChange& change : changes) {
      json.begin_object().key("action").text(action_of(change.kind)).key("name").text(change.name);
      json.key("type").text(dns::to_string(change.type)).key("ttl").number(change.time_to_live);
      json.key("values").texts(change.values).end_object();
    }
    return json.end_array().end_object().take();
  }
  // Hostile: it goes to a page and a log.
  static std::string words_of_plug_in(std::string_view body) {
    std::string words(ascii::trim(body.substr(0, kMaxWordsOfPlugIn)));
    std::ranges::replace_if(
        words, [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E; }, '?');
    return words.empty() ? words : ": " + words;
  }

  const ServerContext& context_;
  const std::string url_, domain_, zone_;
};

}  // namespace

Result<std::unique_ptr<ZoneWriter>> make_zone_writer(const ServerContext& context, const std::string& domain) {
  const auto snapshot = POSTHUS_TRY(context.store.snapshot());
  std::string zone = POSTHUS_TRY(setting_value(*snapshot, "dns.update_zone", domain));
  if (zone.empty()) zone = domain;
  std::string url = POSTHUS_TRY(setting_value(*snapshot, "dns.update_url", domain));
  if (!url.empty()) {
    if (!context.outside->post_json) return fail(ErrorKind::kUnavailable, "only the running server can change the DNS");
    return std::make_unique<PlugInWriter>(context, std::move(url), domain, std::move(zone));
  }
  std::string server = POSTHUS_TRY(setting_value(*snapshot, "dns.update_server", domain));
  std::string key = POSTHUS_TRY(setting_value(*snapshot, "dns.update_key", domain));
  if (server.empty() || key.empty()) {
    return fail(ErrorKind::kInvalid, "set dns.update_server and dns.update_key first (for one domain: dns.update_key@" + domain +
                                         "), or dns.update_url to a plug-in of your provider");
  }
  auto parsed = dns::parse_tsig_key(key);
  wipe(key);
  if (!parsed) return fail(ErrorKind::kInvalid, "dns.update_key: " + parsed.error().context);
  return std::make_unique<NameServerWriter>(context, std::move(server), std::move(zone), std::move(*parsed));
}

}  // namespace posthus::web_admin
