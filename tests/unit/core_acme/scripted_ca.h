// A CA in memory for Issuance: answers what RFC 8555 says, unless a test puts another answer in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/acme/issuance.h"

namespace posthus::acme {

class ScriptedCa {
 public:
  static constexpr const char* kRoot = "https://ca.test/";
  static std::string url(const std::string& path) { return kRoot + path; }

  /// Called before the usual answer; what it returns is the answer. `path` is behind kRoot.
  std::function<std::optional<WebAnswer>(const std::string& path)> instead = [](const std::string&) { return std::nullopt; };
  std::string hostname = "mail.example.test", proof_status = "pending", order_status = "pending", chain = "a chain";
  std::string directory_more;  // members behind the usual ones, beginning with a comma
  bool needs_polls = false;    // authorization and order are looked at twice before they change
  std::vector<std::string> asked;
  std::map<std::string, std::string> bodies;  // the last body of each path

  static WebAnswer json(int status, std::string body) {
    return {.status = status, .content_type = "application/json", .body = std::move(body), .replay_nonce = "nonce"};
  }
  static WebAnswer problem(int status, const std::string& type, const std::string& detail) {
    return json(status, R"({"type":"urn:ietf:params:acme:error:)" + type + R"(","detail":")" + detail + R"("})");
  }

  WebAnswer answer(const WebRequest& request) {
    const std::string path = request.url.substr(std::string(kRoot).size());
    asked.push_back(path);
    bodies[path] = request.body;
    if (auto other = instead(path)) return *other;
    return usual(path);
  }

  /// Until it needs something else than an answer, a pause or a publication.
  void drive(Issuance& issuance) {
    for (int i = 0; i < 500; ++i) {
      if (issuance.need() == Issuance::Need::kRequest) {
        issuance.answered(answer(issuance.request()));
      } else if (issuance.need() == Issuance::Need::kPause) {
        pauses.push_back(issuance.pause());
        issuance.resumed();
      } else if (issuance.need() == Issuance::Need::kPublish) {
        published = issuance.key_authorization();
        issuance.resumed();
      } else {
        return;
      }
    }
  }
  std::vector<std::int64_t> pauses;
  std::string published;

 private:
  WebAnswer usual(const std::string& path) {
    if (path == "dir") {
      WebAnswer directory = json(200, R"({"newNonce":"https://ca.test/nonce","newAccount":"https://ca.test/account",)"
                                      R"("newOrder":"https://ca.test/order","renewalInfo":"https://ca.test/ari")" +
                                          directory_more + "}");
      directory.replay_nonce.clear();  // RFC 8555 §7.1.1: not needed for a GET
      return directory;
    }
    if (path == "nonce") return {.status = 200, .content_type = {}, .body = {}, .replay_nonce = "first"};
    WebAnswer made = json(201, "{}");
    if (path == "account") {
      made.location = url("account/1");
      return made;
    }
    if (path == "order" || path == "order/1" || path == "finalize") return order(path);
    if (path == "authorization") return authorization();
    if (path == "challenge" || path == "challenge2") {
      proof_status = needs_polls ? "pending" : "valid";
      if (proof_status == "valid") order_status = "ready";
      return json(200, "{}");
    }
    if (path == "certificate") {
      return {.status = 200, .content_type = std::string(kChainType), .body = chain, .replay_nonce = "nonce"};
    }
    return problem(404, "malformed", "no such resource");
  }

  WebAnswer order(const std::string& path) {
    if (path == "finalize") order_status = needs_polls ? "processing" : "valid";
    if (path == "order/1" && order_status == "processing" && looks++ > 1) order_status = "valid";
    const std::string certificate = order_status == "valid" ? R"(,"certificate":"https://ca.test/certificate")" : "";
    WebAnswer made = json(201, R"({"status":")" + order_status + R"(","authorizations":["https://ca.test/authorization"],)" +
                                   R"("finalize":"https://ca.test/finalize")" + certificate + "}");
    if (path == "order") made.location = url("order/1");
    return made;
  }

  WebAnswer authorization() {
    if (needs_polls && looks++ > 2) {
      proof_status = "valid";
      order_status = "ready";
      looks = 0;
    }
    return json(
        200, R"({"status":")" + proof_status + R"(","identifier":{"type":"dns","value":")" + hostname + R"("},"challenges":[)" +
                 R"({"type":"http-01","url":"https://ca.test/challenge","token":"aaaaaaaaaaaaaaaaaaaaaaaaaa","status":")" +
                 proof_status + R"("},)" +
                 R"({"type":"tls-alpn-01","url":"https://ca.test/challenge2","token":"bbbbbbbbbbbbbbbbbbbbbbbbbb","status":")" +
                 proof_status + R"("}]})");
  }
  int looks = 0;
};

}  // namespace posthus::acme
