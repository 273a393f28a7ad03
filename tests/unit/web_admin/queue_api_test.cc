// Queue, trace and routes over the API: what they show, what they do, and what they refuse.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/base/queue_id.h"
#include "store/queue_reader.h"
#include "tests/support/world.h"
#include "web-admin/api.h"

namespace posthus::web_admin {
namespace {

class QueueApiTest : public ::testing::Test {
 protected:
  QueueApiTest()
      : api_({.store = *world_.store,
              .clock = world_.clock,
              .hostname = "mx.example.test",
              .version = "9.9",
              .started = world_.clock.now(),
              .queue_changed = [this](const std::string& domain) { changed_.push_back(domain); },
              .queue_asked = [this](const std::set<std::uint64_t>& destinations) { asked_.push_back(destinations); },
              .rests_until =
                  [this](std::uint64_t destination) {
                    return destination == store::destination_hash("other.test") ? rests_until_ : Timestamp();
                  }}) {}

  Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    if (!body.empty()) request.content_type = "application/json";
    request.origin.is_unix_socket = true;
    return api_.handle(request);
  }
  std::string get(const std::string& target) {
    const Response response = call("GET", target);
    EXPECT_EQ(response.status, 200) << target << response.body;
    return response.body;
  }
  /// Status and detail of a refusal.
  std::string refusal(const std::string& method, const std::string& target, const std::string& body = "") {
    const Response response = call(method, target, body);
    std::smatch found;
    EXPECT_TRUE(std::regex_search(response.body, found, std::regex("\"detail\":\"([^\"]*)\""))) << response.body;
    return std::to_string(response.status) + " " + found[1].str();
  }
  std::string change(const std::string& fields) {
    const Response response = call("POST", "/api/v1/queue", "{" + fields + "}");
    EXPECT_EQ(response.status, 200) << response.body;
    return response.body;
  }
  /// Every value of a member, in order.
  static std::vector<std::string> all(const std::string& json, const std::string& member) {
    std::vector<std::string> found;
    const std::regex pattern("\"" + member + "\":\"([^\"]*)\"");
    for (std::sregex_iterator i(json.begin(), json.end(), pattern), end; i != end; ++i) found.push_back((*i)[1]);
    return found;
  }

  /// Queues a message; its id as text.
  std::string queue(const std::vector<std::string>& recipients, const std::string& sender = "anna@example.test",
                    const std::string& trace = "") {
    world_.clock.advance(1'000'000);
    store::AddMessage message{.message = world_.store->begin_message(), .targets = {}, .internal_date = world_.clock.now()};
    EXPECT_TRUE(message.message.append("Subject: x\r\n\r\nx\r\n"));
    EXPECT_TRUE(message.message.finish());
    message.id = next_queue_id(world_.clock.now());
    message.queue = store::QueueEntry();
    message.queue->reverse_path = sender;
    message.queue->account = sender_;
    message.trace = trace;
    for (const std::string& address : recipients) {
      store::QueuedRecipient recipient;
      recipient.address = address;
      recipient.domain = address.substr(address.find('@') + 1);
      message.recipients.push_back(recipient);
    }
    const QueueId id = message.id;
    EXPECT_TRUE(world_.store->apply(std::move(message)));
    return to_text(id);
  }
  /// The same, sent by an account.
  std::string queue_of(AccountId account, const std::vector<std::string>& recipients) {
    sender_ = account;
    const std::string id = queue(recipients, "anna@example.test", R"({"event":"accepted"})");
    sender_ = AccountId();
    return id;
  }
  void defer(const std::string& id, std::uint16_t number) {
    store::RecordAttempt attempt;
    attempt.id = *parse_queue_id(id);
    attempt.outcomes.push_back({.number = number,
                                .next_attempt = {world_.clock.now().microseconds + 300'000'000},
                                .last_host = "mx.other.test",
                                .last_reply = "451 4.3.0 \"later\""});
    attempt.trace.push_back(R"({"event":"deferred","recipients":["eva@other.test"]})");
    EXPECT_TRUE(world_.store->apply(std::move(attempt)));
  }

  testing::World world_;
  std::vector<std::string> changed_;
  std::vector<std::set<std::uint64_t>> asked_;
  Timestamp rests_until_;  // other.test
  AccountId sender_;       // of what is queued
  Api api_;
};

using Texts = std::vector<std::string>;

TEST_F(QueueApiTest, AMessageIsShownWithItsRecipients) {
  const std::string id = queue({"ben@elsewhere.test", "eva@other.test"});
  defer(id, 2);
  const std::string body = get("/api/v1/queue/" + id);
  EXPECT_EQ(
      body,
      "{\"id\":\"" + id +
          "\",\"from\":\"anna@example.test\",\"size\":17,\"accepted\":\"2026-11-21T12:00:01Z\",\"origin\":\"submission\","
          "\"account\":null,\"state\":\"deferred\",\"hold_reason\":null,\"hold\":null,\"envelope_id\":null,\"items\":["
          "{\"number\":1,\"address\":\"ben@elsewhere.test\",\"destination\":\"elsewhere.test\",\"original_recipient\":null,"
          "\"notify\":[],\"attempts\":0,\"next_attempt\":null,\"last_attempt\":null,\"must_bounce\":false,\"route\":null,"
          "\"last_host\":null,\"last_reply\":null},"
          "{\"number\":2,\"address\":\"eva@other.test\",\"destination\":\"other.test\",\"original_recipient\":null,"
          "\"notify\":[],\"attempts\":1,\"next_attempt\":\"2026-11-21T12:05:01Z\",\"last_attempt\":\"2026-11-21T12:00:01Z\","
          "\"must_bounce\":false,\"route\":null,\"last_host\":\"mx.other.test\",\"last_reply\":\"451 4.3.0 \\\"later\\\"\"}],"
          "\"next\":null}\n");
  const std::string first = get("/api/v1/queue/" + id + "?limit=1");
  EXPECT_EQ(all(first, "address"), Texts{"ben@elsewhere.test"});
  const std::string second = get("/api/v1/queue/" + id + "?limit=1&after=" + all(first, "next")[0]);
  EXPECT_EQ(all(second, "address"), Texts{"eva@other.test"});
  EXPECT_EQ(all(second, "next"), Texts{});
  EXPECT_EQ(refusal("GET", "/api/v1/queue/none"), "400 'none' is not a queue id");
  EXPECT_EQ(refusal("GET", "/api/v1/queue/" + to_text(QueueId(7))), "404 there is no message 0000000000007 in the queue");
}

TEST_F(QueueApiTest, TheNextAttemptIsThatOfADestinationThatRests) {
  const std::string id = queue({"ben@elsewhere.test", "eva@other.test"});
  EXPECT_EQ(all(get("/api/v1/queue/" + id), "next_attempt"), Texts{});
  rests_until_ = Timestamp{world_.clock.now().microseconds + 3600'000'000};
  EXPECT_EQ(all(get("/api/v1/queue/" + id), "next_attempt"), Texts{"2026-11-21T13:00:01Z"});
  EXPECT_EQ(all(get("/api/v1/queue"), "next_attempt"), Texts{"2026-11-21T13:00:01Z"});
  EXPECT_EQ(all(get("/api/v1/queue/destinations"), "next_attempt"), Texts{"2026-11-21T13:00:01Z"});
  change("\"action\":\"hold\",\"id\":\"" + id + "\"");
  EXPECT_EQ(all(get("/api/v1/queue/" + id), "next_attempt"), Texts{});
}

TEST_F(QueueApiTest, ADestinationTellsWhatItsLastAttemptBrought) {
  std::string tried;
  for (int i = 0; i < 15; ++i) tried = queue({"eva@other.test"});
  defer(tried, 1);  // the others wait behind it
  EXPECT_EQ(all(get("/api/v1/queue/destinations"), "last_host"), Texts{"mx.other.test"});
}

TEST_F(QueueApiTest, TheListIsPagedAndFiltered) {
  const std::string a = queue({"ben@elsewhere.test"}), b = queue({"eva@other.test"}, ""),
                    c = queue({"ben@elsewhere.test"}, "carl@example.test");
  std::vector<std::string> many;
  for (int i = 0; i < 30; ++i) many.push_back("r" + std::to_string(i) + "@many.test");
  many.push_back("last@elsewhere.test");
  const std::string d = queue(many);
  defer(b, 1);
  change("\"action\":\"hold\",\"id\":\"" + c + "\",\"reason\":\"so\"");
  const std::string whole = get("/api/v1/queue");
  EXPECT_EQ(all(whole, "id"), (Texts{a, b, c, d}));
  EXPECT_EQ(all(whole, "state"), (Texts{"queued", "deferred", "held", "queued"}));
  EXPECT_EQ(all(whole, "address").size(), 13u);
  EXPECT_NE(whole.find("\"has_more_recipients\":true"), std::string::npos);
  const std::string first = get("/api/v1/queue?limit=3");
  EXPECT_EQ(all(first, "id"), (Texts{a, b, c}));
  const std::string second = get("/api/v1/queue?limit=3&after=" + all(first, "next")[0]);
  EXPECT_EQ(all(second, "id"), Texts{d});
  EXPECT_EQ(all(second, "next"), Texts{});
  EXPECT_EQ(all(get("/api/v1/queue?domain=Elsewhere.test"), "id"), (Texts{a, c, d}));
  EXPECT_EQ(all(get("/api/v1/queue?sender=%3C%3E"), "id"), Texts{b});
  EXPECT_EQ(all(get("/api/v1/queue?sender=Carl@example.test"), "id"), Texts{c});
  EXPECT_EQ(all(get("/api/v1/queue?state=held"), "id"), Texts{c});
  EXPECT_EQ(all(get("/api/v1/queue?state=deferred&domain=other.test"), "id"), Texts{b});
  EXPECT_EQ(refusal("GET", "/api/v1/queue?state=odd"), "400 parameter 'state' must be held, deferred or queued");
  EXPECT_EQ(refusal("GET", "/api/v1/queue?after=eA"), "400 'x' is not a queue id");
}

TEST_F(QueueApiTest, ActionsChangeTheQueueAndTellTheRunner) {
  const std::string id = queue({"ben@elsewhere.test", "eva@other.test"}, "anna@example.test", R"({"event":"accepted"})");
  const std::string of_it = "\"id\":\"" + id + "\",";
  EXPECT_EQ(change(of_it + "\"action\":\"hold\",\"reason\":\"why not\""), "{\"recipients\":2}\n");
  EXPECT_EQ(all(get("/api/v1/queue/" + id), "hold_reason"), Texts{"why not"});
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(change(of_it + "\"action\":\"retry\""), "{\"recipients\":0}\n");
  EXPECT_TRUE(asked_.empty());
  EXPECT_EQ(change(of_it + "\"action\":\"release\""), "{\"recipients\":2}\n");
  const std::uint64_t elsewhere = store::destination_hash("elsewhere.test"), other = store::destination_hash("other.test");
  EXPECT_EQ(asked_, (std::vector<std::set<std::uint64_t>>{{elsewhere, other}}));
  EXPECT_EQ(change("\"domain\":\"OTHER.test\",\"action\":\"retry\""), "{\"recipients\":1}\n");
  EXPECT_EQ(asked_.back(), std::set{other});
  EXPECT_EQ(change(of_it + "\"recipient\":2,\"action\":\"reroute\",\"route\":\"smtp://127.0.0.1\""), "{\"recipients\":1}\n");
  EXPECT_EQ(all(get("/api/v1/queue/" + id), "route"), Texts{"smtp://127.0.0.1:25"});
  EXPECT_EQ(change(of_it + "\"recipient\":1,\"action\":\"bounce\""), "{\"recipients\":1}\n");
  EXPECT_NE(get("/api/v1/queue/" + id).find("\"must_bounce\":true"), std::string::npos);
  EXPECT_EQ(change("\"sender\":\"anna@example.test\",\"action\":\"remove\""), "{\"recipients\":2}\n");
  EXPECT_EQ(asked_.size(), 4u);
  EXPECT_EQ(asked_.back(), std::set{elsewhere});
  EXPECT_EQ(changed_, Texts{});  // nobody else is woken
  EXPECT_EQ(all(get("/api/v1/queue"), "id"), Texts{});
  EXPECT_EQ(all(get("/api/v1/trace/" + id), "event"),
            (Texts{"accepted", "held", "released", "retried", "rerouted", "bounced", "removed"}));
  EXPECT_EQ(all(get("/api/v1/trace/" + id), "by").front(), "local");
  EXPECT_EQ(all(get("/api/v1/trace/" + id), "detail"), (Texts{"why not", "smtp://127.0.0.1:25"}));
}

TEST_F(QueueApiTest, ActionsAreChecked) {
  const std::string id = queue({"ben@elsewhere.test"});
  const auto refused = [&](const std::string& fields) { return refusal("POST", "/api/v1/queue", "{" + fields + "}"); };
  EXPECT_EQ(refused("\"action\":\"remove\""), "400 say which mail: 'id', 'domain', 'sender', 'account' or 'everything'");
  EXPECT_EQ(refused("\"action\":\"remove\",\"sender\":\"\""),
            "400 say which mail: 'id', 'domain', 'sender', 'account' or 'everything'");
  EXPECT_EQ(refused("\"action\":\"burn\",\"everything\":true"),
            "400 field 'action' must be hold, release, retry, remove, bounce or reroute");
  EXPECT_EQ(refused("\"everything\":true"), "400 field 'action' is missing");
  EXPECT_EQ(refused("\"action\":\"remove\",\"recipient\":1,\"everything\":true"), "400 field 'recipient' goes with 'id'");
  EXPECT_EQ(refused("\"action\":\"remove\",\"id\":\"" + to_text(QueueId(9)) + "\""), "404 that is not in the queue");
  EXPECT_EQ(refused("\"action\":\"remove\",\"id\":\"" + id + "\",\"recipient\":2"), "404 that is not in the queue");
  for (const std::string action : {"hold", "release"}) {
    EXPECT_EQ(refused("\"action\":\"" + action + "\",\"id\":\"" + id + "\",\"recipient\":1"),
              "400 field 'recipient' does not go with hold and release, which take whole messages");
  }
  EXPECT_EQ(refused("\"action\":\"remove\",\"account\":\"nobody@example.test\""), "404 there is no user nobody@example.test");
  EXPECT_EQ(refused("\"action\":\"retry\",\"everything\":true,\"reason\":\"x\""), "400 field 'reason' goes with 'hold'");
  EXPECT_EQ(refused("\"action\":\"reroute\",\"everything\":true,\"route\":\"http://x\""),
            "400 'http://x' is not smtp://HOST:PORT or smtps://HOST:PORT");
  EXPECT_EQ(
      call("POST", "/api/v1/queue", R"({"action":"reroute","everything":true,"route":"smtp://x.test?tls=required"})").status,
      400);
  EXPECT_EQ(all(get("/api/v1/queue"), "id"), Texts{id});
}

TEST_F(QueueApiTest, AnAddressLiteralIsNamedInAnySpelling) {
  const std::string id = queue({"ben@[IPv6:::1]"});
  EXPECT_EQ(all(get("/api/v1/queue?domain=%5Bipv6:::1%5D"), "id"), Texts{id});
  EXPECT_EQ(change(R"("action":"retry","domain":"[ipv6:::1]")"), "{\"recipients\":1}\n");
}

TEST_F(QueueApiTest, TheTraceIsSearchedInOtherScripts) {
  const std::string id = queue({"ben@xn--bcher-kva.test"}, "anna@example.test",
                               R"({"event":"accepted","subject":"Köln, ЖУК","recipients":["ben@xn--bcher-kva.test"]})");
  queue({"eva@other.test"}, "anna@example.test", R"({"event":"accepted","subject":"Bonn","recipients":["eva@other.test"]})");
  const auto found = [this](const std::string& query) { return all(get("/api/v1/trace?" + query), "id"); };
  const std::string buecher = "b%C3%BCcher.test";
  for (const std::string& address :
       {"ben@" + buecher, std::string("Ben@B%C3%9CCHER.test"), "@" + buecher, std::string("ben@xn--bcher-kva.test")}) {
    EXPECT_EQ(found("address=" + address), Texts{id}) << address;
  }
  EXPECT_EQ(found("address=ben@" + buecher + "x"), Texts{});
  EXPECT_EQ(found("address=cher@" + buecher), Texts{});
  for (const char* subject : {"K%C3%96LN", "k%C3%B6ln", "Koeln%20%C3%96", "%D0%B6%D1%83%D0%BA"}) {
    EXPECT_EQ(found("subject=" + std::string(subject)).size(), subject[2] == 'e' ? 0U : 1U) << subject;
  }
}

TEST_F(QueueApiTest, TheTraceSaysToWhomItWasDone) {
  const std::string id =
      queue({"ben@elsewhere.test", "eva@other.test", "eve@other.test"}, "anna@example.test", R"({"event":"accepted"})");
  const std::string of_it = "\"id\":\"" + id + "\",";
  const auto last_event = [&] {
    const std::string whole = get("/api/v1/trace/" + id);
    return whole.substr(whole.rfind("\"event\":"));
  };
  change(of_it + "\"recipient\":1,\"action\":\"retry\"");
  EXPECT_TRUE(last_event().starts_with(R"("event":"retried","by":"local","recipients":["ben@elsewhere.test"]})")) << last_event();
  change("\"domain\":\"Other.test\",\"action\":\"bounce\"");
  EXPECT_TRUE(last_event().starts_with(R"("event":"bounced","by":"local","domain":"other.test"})")) << last_event();
  change("\"domain\":\"other.test\",\"action\":\"hold\",\"reason\":\"odd\"");
  EXPECT_TRUE(last_event().starts_with(R"("event":"held","by":"local","detail":"odd"})")) << "the whole message" << last_event();
  change(of_it + "\"recipient\":2,\"action\":\"remove\"");
  EXPECT_TRUE(last_event().starts_with(R"("event":"removed","by":"local","recipients":["eva@other.test"]})")) << last_event();
}

TEST_F(QueueApiTest, HoldingAnAccountHoldsWhatWaitsOfIt) {
  world_.add_user("anna@example.test", "secret");
  world_.add_user("bert@example.test", "secret");
  const AccountId anna = world_.account("anna@example.test");
  const std::string waiting = queue_of(anna, {"ben@elsewhere.test"}), single = queue_of(anna, {"eva@other.test"});
  const std::string of_bert = queue_of(world_.account("bert@example.test"), {"ben@elsewhere.test"});
  change("\"action\":\"hold\",\"id\":\"" + single + "\",\"reason\":\"odd\"");
  EXPECT_EQ(call("POST", "/api/v1/users/anna@example.test/hold", R"({"reason":"stolen"})").status, 204);
  EXPECT_EQ(all(get("/api/v1/queue/" + waiting), "hold_reason"), Texts{"stolen"});
  EXPECT_EQ(all(get("/api/v1/queue/" + single), "hold_reason"), Texts{"odd"});
  EXPECT_EQ(all(get("/api/v1/queue/" + of_bert), "state"), Texts{"queued"});
  EXPECT_EQ(all(get("/api/v1/trace/" + waiting), "event"), (Texts{"accepted", "held"}));
  EXPECT_EQ(all(get("/api/v1/trace/" + waiting), "detail"), Texts{"stolen"});
  // Releasing it leaves what an admin held by itself.
  EXPECT_EQ(call("POST", "/api/v1/users/anna@example.test/release").body, "{\"address\":\"anna@example.test\",\"released\":1}\n");
  EXPECT_EQ(all(get("/api/v1/queue/" + waiting), "state"), Texts{"queued"});
  EXPECT_EQ(all(get("/api/v1/queue/" + single), "hold_reason"), Texts{"odd"});
}

TEST_F(QueueApiTest, DestinationsTellWhatWaitsAndWhatWasSaid) {
  const std::string a = queue({"ben@elsewhere.test", "eva@other.test"});
  queue({"eva@other.test", "eve@other.test"});
  defer(a, 2);
  const std::string body = get("/api/v1/queue/destinations");
  EXPECT_NE(body.find("{\"destination\":\"other.test\",\"waiting\":3,\"has_more\":false,\"next_attempt\":null,"
                      "\"last_attempt\":\"2026-11-21T12:00:02Z\",\"last_host\":\"mx.other.test\",\"last_reply\":\"451 4.3.0 "
                      "\\\"later\\\"\"}"),
            std::string::npos)
      << body;
  EXPECT_NE(body.find("{\"destination\":\"elsewhere.test\",\"waiting\":1,"), std::string::npos) << body;
  const std::string first = get("/api/v1/queue/destinations?limit=1");
  const std::string second = get("/api/v1/queue/destinations?limit=1&after=" + all(first, "next").at(0));
  EXPECT_EQ(all(second, "next"), Texts{});
  EXPECT_NE(all(first, "destination"), all(second, "destination"));
  for (const std::string& page : {body, first, second, get("/api/v1/queue/destinations?sort=waiting&limit=1")}) {
    EXPECT_NE(page.find("\"recipients_waiting\":4,"), std::string::npos) << page;
  }
  EXPECT_NE(body.find("\"destinations\":2,"), std::string::npos) << body;
  EXPECT_NE(first.find("\"destinations\":null,"), std::string::npos) << first;
  EXPECT_NE(get("/api/v1/queue/destinations?sort=waiting&limit=1").find("\"destinations\":2,"), std::string::npos);
}

TEST_F(QueueApiTest, TheTraceIsSearchedByWhatBecameOfMail) {
  const std::string waits = queue({"x@y.test"}, "", R"({"event":"accepted","subject":"\"event\":\"failed\""})");
  const std::string fails = queue({"x@y.test"}, "", R"({"event":"accepted","subject":"b"})");
  const std::string arrives = queue({"x@y.test"}, "", R"({"event":"accepted","subject":"c"})");
  for (const auto& [id, event] : {std::pair(fails, "failed"), std::pair(arrives, "relayed")}) {
    store::RecordAttempt attempt;
    attempt.id = *parse_queue_id(id);
    attempt.outcomes.push_back({.number = 1, .kind = store::RecipientOutcome::Kind::kDone});
    attempt.trace.push_back(R"({"event":")" + std::string(event) + R"(","recipients":["x@y.test"]})");
    ASSERT_TRUE(world_.store->apply(std::move(attempt)));
  }
  EXPECT_EQ(all(get("/api/v1/trace?state=waiting"), "id"), Texts{waits});
  EXPECT_EQ(all(get("/api/v1/trace?state=failed"), "id"), Texts{fails});
  EXPECT_EQ(all(get("/api/v1/trace?state=delivered"), "id"), Texts{arrives});
  EXPECT_EQ(all(get("/api/v1/trace?state=delivered&subject=b"), "id"), Texts{});
  EXPECT_EQ(refusal("GET", "/api/v1/trace?state=lost"), "400 parameter 'state' must be delivered, waiting or failed");
}

TEST_F(QueueApiTest, TheTraceIsSearchedFromTheNewestOn) {
  const auto accepted = [](const std::string& from, const std::string& to, const std::string& id, const std::string& subject) {
    return R"({"event":"accepted","from":")" + from + R"(","message_id":"<)" + id + R"(>","subject":")" + subject +
           R"(","recipients":[{"recipient":")" + to + R"("}]})";
  };
  const std::string a = queue({"x@y.test"}, "", accepted("anna@example.test", "ben@elsewhere.test", "1@A", "Old news"));
  const std::string b =
      queue({"x@y.test"}, "", accepted("ben@elsewhere.test", "anna@example.test", "2@A", "Re: \\\"old\\\" news"));
  const std::string c = queue({"x@y.test"}, "", accepted("joanna@example.test", "carl@far.test", "3@A", "recipients"));
  defer(c, 1);
  EXPECT_EQ(all(get("/api/v1/trace"), "id"), (Texts{c, b, a}));
  EXPECT_EQ(all(get("/api/v1/trace?address=Anna@Example.test"), "id"), (Texts{b, a}));
  EXPECT_EQ(all(get("/api/v1/trace?address=@example.test"), "id"), (Texts{c, b, a}));
  EXPECT_EQ(all(get("/api/v1/trace?address=eva@other.test"), "id"), Texts{c});  // of a later event
  EXPECT_EQ(all(get("/api/v1/trace?message_id=2@a"), "id"), Texts{b});
  EXPECT_EQ(all(get("/api/v1/trace?message_id=%3C1@A%3E"), "id"), Texts{a});
  EXPECT_EQ(all(get("/api/v1/trace?subject=NEWS"), "id"), (Texts{b, a}));
  EXPECT_EQ(all(get("/api/v1/trace?subject=%22old%22"), "id"), Texts{b});
  EXPECT_EQ(all(get("/api/v1/trace?subject=recipient"), "id"), Texts{c});  // the subject only, not names of members
  EXPECT_EQ(all(get("/api/v1/trace?from=2026-11-21T12:00:02Z&until=2026-11-21T12:00:03Z"), "id"), Texts{b});
  const std::string first = get("/api/v1/trace?limit=2");
  EXPECT_EQ(all(first, "id"), (Texts{c, b}));
  EXPECT_NE(first.find("\"events\":2,\"first\":{\"event\":\"accepted\""), std::string::npos) << first;
  EXPECT_NE(first.find("\"last\":{\"event\":\"deferred\""), std::string::npos) << first;
  const std::string second = get("/api/v1/trace?limit=2&after=" + all(first, "next").at(0));
  EXPECT_EQ(all(second, "id"), Texts{a});
  EXPECT_EQ(all(second, "next"), Texts{});
  EXPECT_EQ(refusal("GET", "/api/v1/trace?from=yesterday"), "400 parameter 'from' must be a time like 2026-01-31T12:00:00Z");
  EXPECT_EQ(refusal("GET", "/api/v1/trace?address="), "400 parameter 'address' must have 1 to 1000 bytes");
}

TEST_F(QueueApiTest, ATimelineIsPaged) {
  const std::string id = queue({"ben@elsewhere.test"}, "", R"({"event":"accepted"})");
  defer(id, 1);
  defer(id, 1);
  const std::string body = get("/api/v1/trace/" + id);
  EXPECT_EQ(all(body, "event"), (Texts{"accepted", "deferred", "deferred"}));
  EXPECT_NE(body.find("\"queued\":true"), std::string::npos);
  const std::string first = get("/api/v1/trace/" + id + "?limit=2");
  EXPECT_EQ(all(first, "event"), (Texts{"accepted", "deferred"}));
  const std::string second = get("/api/v1/trace/" + id + "?limit=2&after=" + all(first, "next").at(0));
  EXPECT_EQ(all(second, "event"), Texts{"deferred"});
  EXPECT_EQ(all(second, "next"), Texts{});
  change("\"action\":\"remove\",\"everything\":true");
  EXPECT_NE(get("/api/v1/trace/" + id).find("\"queued\":false"), std::string::npos);
  EXPECT_EQ(refusal("GET", "/api/v1/trace/" + to_text(QueueId(9))), "404 there is no trace of 0000000000009");
  EXPECT_EQ(refusal("GET", "/api/v1/trace/x"), "400 'x' is not a queue id");
}

TEST_F(QueueApiTest, RoutesLiveAndDieAndKeepTheirPasswords) {
  const std::string body =
      R"({"hops":["smtp://Relay.test:587?tls=required","smtps://192.0.2.1"],"login":"me","password":"very secret"})";
  const Response made = call("PUT", "/api/v1/routes/Other.TEST", body);
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.body,
            "{\"name\":\"other.test\",\"hops\":[\"smtp://relay.test:587?tls=required\",\"smtps://192.0.2.1:465\"],"
            "\"login\":\"me\",\"created\":\"2026-11-21T12:00:00Z\"}\n");
  EXPECT_EQ(call("PUT", "/api/v1/routes/from:example.test", R"({"hops":["smtp://[::1]:2525"]})").status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/routes/*", R"({"hops":["smtp://relay.test"]})").status, 200);
  EXPECT_EQ(changed_, (Texts{"other.test", "", ""}));
  EXPECT_EQ(all(get("/api/v1/routes"), "name"), (Texts{"*", "from:example.test", "other.test"}));
  EXPECT_EQ(get("/api/v1/routes/OTHER.test"), made.body);
  EXPECT_EQ(get("/api/v1/routes").find("secret"), std::string::npos);
  EXPECT_EQ(call("DELETE", "/api/v1/routes/other.test").status, 204);
  EXPECT_EQ(refusal("GET", "/api/v1/routes/other.test"), "404 there is no route other.test");
  EXPECT_EQ(refusal("DELETE", "/api/v1/routes/other.test"), "404 there is no route other.test");
}

TEST_F(QueueApiTest, RoutesAreChecked) {
  const auto refused = [&](const std::string& body, const std::string& name = "other.test") {
    return refusal("PUT", "/api/v1/routes/" + name, body);
  };
  EXPECT_EQ(refused("{}"), "400 field 'hops' is missing");
  EXPECT_EQ(refused(R"({"hops":[]})"), "400 field 'hops' must have 1 to 16 servers");
  EXPECT_EQ(refused(R"({"hops":["relay.test"]})"), "400 'relay.test' is not smtp://HOST:PORT or smtps://HOST:PORT");
  EXPECT_EQ(refused(R"({"hops":["smtp://relay.test"],"login":"me"})"), "400 login and password go together");
  EXPECT_EQ(refused(R"({"hops":["smtp://relay.test?tls=never"],"login":"me","password":"x"})"), "400 a password without TLS");
  EXPECT_EQ(refused(R"({"hops":["smtp://relay.test"]})", "a%20b"), "400 'a b' is neither a domain, nor 'from:DOMAIN', nor '*'");
}

}  // namespace
}  // namespace posthus::web_admin
