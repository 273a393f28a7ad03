// What mail programs are told, without a password: the same for everybody, whatever they send.
#include <gtest/gtest.h>
#include <openssl/cms.h>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/mailauth/tls_policy.h"
#include "tests/support/loopback_driver.h"
#include "tests/support/world.h"
#include "web-admin/api.h"
#include "web-admin/autodiscover_request.h"
#include "web-admin/host_name.h"
#include "web-admin/qr_code.h"
#include "web-admin/server_session.h"
#include "web-admin/xml_text.h"

namespace posthus::web_admin {
namespace {

const std::string kSchema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

std::string outlook(const std::string& address, const std::string& schema = kSchema) {
  return "<?xml version=\"1.0\"?><Autodiscover xmlns=\"x\"><Request><EMailAddress>" + address +
         "</EMailAddress><AcceptableResponseSchema>" + schema + "</AcceptableResponseSchema></Request></Autodiscover>";
}

class ClientSetupTest : public ::testing::Test {
 protected:
  ClientSetupTest()
      : strangers_(world_.clock, {.burst = 20, .microseconds_per_token = 1'000'000}),
        api_({.store = *world_.store,
              .authenticator = world_.authenticator.get(),
              .clock = world_.clock,
              .hostname = "mx.example.test",
              .services = {.pop3 = false, .pop3s = false},
              .certificate = [] { return net::make_self_signed_certificate("mx.example.test", 30); },
              .strangers = &strangers_}),
        http_(api_),
        gate_{http_, world_.clock} {
    world_.add_user("anna@example.test", "password-1");
  }

  /// The whole response, from a stranger, over the wire form.
  std::string ask(const std::string& target, const std::string& host = "mx.example.test", const std::string& body = "",
                  const std::string& type = "text/xml; charset=utf-8", const std::string& from = "192.0.2.5") {
    testing::LoopbackDriver driver;
    driver.open(make_server_session(gate_, {.remote_address = from}, driver.waker()), testing::Tls::kImplicit);
    std::string request = (body.empty() ? "GET " : "POST ") + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
    if (!body.empty()) request += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    driver.send(request + "\r\n" + body);
    return driver.take_output();
  }
  static int status(const std::string& response) { return std::stoi(response.substr(9, 3)); }
  static std::string body(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
  void set(const std::string& name, const std::string& value) {
    ASSERT_TRUE(world_.store->apply(store::PutSetting{name, value}));
  }

  testing::World world_;
  RateLimiter strangers_;
  Api api_;
  HttpServer http_;
  GateContext gate_;
};

TEST_F(ClientSetupTest, ThunderbirdGetsItsSettingsByAddressOrHost) {
  const std::string by_address = ask("/mail/config-v1.1.xml?emailaddress=anna%40example.test");
  EXPECT_EQ(status(by_address), 200);
  EXPECT_NE(by_address.find("Content-Type: text/xml; charset=utf-8"), std::string::npos);
  for (const char* part :
       {"<domain>example.test</domain>",
        "<incomingServer type=\"imap\">\n<hostname>mx.example.test</hostname>\n<port>993</port>\n<socketType>SSL",
        "<port>143</port>\n<socketType>STARTTLS",
        "<outgoingServer type=\"smtp\">\n<hostname>mx.example.test</hostname>\n<port>465</port>",
        "<username>%EMAILADDRESS%</username>"}) {
    EXPECT_NE(by_address.find(part), std::string::npos) << part << by_address;
  }
  EXPECT_EQ(by_address.find("pop3"), std::string::npos);
  const std::string xml = body(by_address);
  EXPECT_EQ(body(ask("/mail/config-v1.1.xml", "autoconfig.Example.TEST:443")), xml);
  EXPECT_EQ(body(ask("/.well-known/autoconfig/mail/config-v1.1.xml", "example.test")), xml);
}

TEST_F(ClientSetupTest, NobodyLearnsWhoHasAnAccount) {
  for (const char* path :
       {"/mail/config-v1.1.xml?emailaddress=", "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1&Email="}) {
    EXPECT_EQ(body(ask(path + std::string("anna%40example.test"))), body(ask(path + std::string("nobody%40example.test"))))
        << path;
  }
  const auto without = [](std::string text, const std::string& name) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), "X");
    return text;
  };
  EXPECT_EQ(without(body(ask("/autodiscover/autodiscover.xml", "a", outlook("anna@example.test"))), "anna"),
            without(body(ask("/autodiscover/autodiscover.xml", "a", outlook("nobody@example.test"))), "nobody"));
  EXPECT_EQ(status(ask("/setup?address=nobody%40example.test")), 200);
  EXPECT_EQ(status(ask("/setup/account.mobileconfig?address=nobody%40example.test")), 200);
}

TEST_F(ClientSetupTest, OtherDomainsAndHostileHostsGetNothing) {
  for (const char* host : {"autoconfig.other.test", "other.test", "[::1]", "127.0.0.1", "a..b", "<script>", "example.test:x",
                           "xn--", "autoconfig."}) {
    EXPECT_EQ(status(ask("/mail/config-v1.1.xml", host)), 404) << host;
  }
  EXPECT_EQ(status(ask("/mail/config-v1.1.xml?emailaddress=%3Cx%3E%40other.test", "example.test")), 404);
  EXPECT_EQ(status(ask("/mail/config-v1.1.xml?emailaddress=no-address", "example.test")), 404);
  EXPECT_EQ(host_name("Mx.Example.TEST:2443"), "mx.example.test");
  EXPECT_EQ(domain_below("mta-sts.example.test", "mta-sts"), "example.test");
  EXPECT_EQ(domain_below("mta-stsx.example.test", "mta-sts"), std::nullopt);
}

TEST_F(ClientSetupTest, OutlookGetsItsSettings) {
  for (const char* path : {"/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"}) {
    const std::string response = ask(path, "autodiscover.example.test", outlook("Anna@Example.Test"));
    EXPECT_EQ(status(response), 200);
    for (const char* part :
         {"<Type>IMAP</Type>\n<Server>mx.example.test</Server>\n<Port>993</Port>", "<LoginName>Anna@example.test</LoginName>",
          "<Type>SMTP</Type>", "<Encryption>SSL</Encryption>", "<Action>settings</Action>"}) {
      EXPECT_NE(response.find(part), std::string::npos) << part << response;
    }
    EXPECT_EQ(response.find("POP3"), std::string::npos);
  }
}

TEST_F(ClientSetupTest, OutlookIsRefusedInItsOwnWay) {
  const auto code = [&](const std::string& request) {
    const std::string text = ask("/autodiscover/autodiscover.xml", "a", request);
    EXPECT_EQ(status(text), 200) << text;
    const std::size_t at = text.find("<ErrorCode>");
    return at == std::string::npos ? text : text.substr(at + 11, 3);
  };
  EXPECT_EQ(code(outlook("anna@other.test")), "500");
  EXPECT_EQ(code(outlook("anna")), "500");
  EXPECT_EQ(
      code(outlook("anna@example.test", "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006")),
      "601");
  EXPECT_EQ(code("<a>"), "600");
  EXPECT_EQ(status(ask("/autodiscover/autodiscover.xml", "a", "{}", "application/json")), 415);
  EXPECT_EQ(status(ask("/autodiscover/autodiscover.xml", "a", std::string(17'000, 'x'))), 413);
}

TEST_F(ClientSetupTest, TheAddressCannotBreakOutOfTheAnswer) {
  const std::string text = ask("/autodiscover/autodiscover.xml", "a", outlook("&quot;a&lt;b&gt;&amp;c&quot;@example.test"));
  EXPECT_NE(text.find("<LoginName>&quot;a&lt;b&gt;&amp;c&quot;@example.test</LoginName>"), std::string::npos) << text;
  const std::string page = ask("/setup?address=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
  EXPECT_EQ(status(page), 404);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
}

TEST_F(ClientSetupTest, OutlookFindsTheServiceByJson) {
  const std::string wanted =
      "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://mx.example.test/autodiscover/autodiscover.xml\"}\n";
  EXPECT_EQ(body(ask("/autodiscover/autodiscover.json?Email=anna%40example.test&Protocol=Autodiscoverv1&RedirectCount=1")),
            wanted);
  EXPECT_EQ(body(ask("/autodiscover/autodiscover.json/v1.0/anna%40example.test?Protocol=AutodiscoverV1")), wanted);
  EXPECT_EQ(status(ask("/autodiscover/autodiscover.json?Email=anna%40example.test&Protocol=EWS")), 400);
  EXPECT_EQ(status(ask("/autodiscover/autodiscover.json?Email=anna%40other.test&Protocol=AutodiscoverV1")), 404);
  EXPECT_EQ(status(ask("/autodiscover/autodiscover.json")), 404);
}

TEST_F(ClientSetupTest, AppleGetsASignedProfile) {
  const std::string response = ask("/setup/account.mobileconfig?address=anna%40example.test");
  EXPECT_EQ(status(response), 200);
  EXPECT_NE(response.find("Content-Type: application/x-apple-aspen-config"), std::string::npos);
  EXPECT_NE(response.find("Content-Disposition: attachment; filename=\"example.test.mobileconfig\""), std::string::npos);
  const std::string der = body(response);
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  CMS_ContentInfo* const cms = d2i_CMS_ContentInfo(nullptr, &bytes, static_cast<long>(der.size()));
  ASSERT_NE(cms, nullptr);
  BIO* const content = BIO_new(BIO_s_mem());
  EXPECT_EQ(CMS_verify(cms, nullptr, nullptr, nullptr, content, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
  char* data = nullptr;
  const long length = BIO_get_mem_data(content, &data);
  const std::string profile(data, static_cast<std::size_t>(length));
  BIO_free(content);
  CMS_ContentInfo_free(cms);
  for (const char* part :
       {"<string>com.apple.mail.managed</string>", "<key>IncomingMailServerHostName</key>\n<string>mx.example.test</string>",
        "<key>IncomingMailServerPortNumber</key>\n<integer>993</integer>",
        "<key>OutgoingMailServerPortNumber</key>\n<integer>465</integer>",
        "<key>EmailAddress</key>\n<string>anna@example.test</string>", "<string>EmailTypeIMAP</string>"}) {
    EXPECT_NE(profile.find(part), std::string::npos) << part << profile;
  }
  EXPECT_EQ(profile.find("assword</key>\n<string>p"), std::string::npos);
  EXPECT_EQ(status(ask("/setup/account.mobileconfig?address=anna%40other.test")), 404);
  EXPECT_EQ(status(ask("/setup/account.mobileconfig")), 400);
}

TEST_F(ClientSetupTest, TheSetupPageRunsNothing) {
  const std::string page = ask("/setup?address=anna%40example.test");
  EXPECT_EQ(status(page), 200);
  for (const char* part : {"<code>mx.example.test</code>", "<code>993</code>", "<svg ",
                           "href=\"/setup/account.mobileconfig?address=anna@example.test\"", "<code>anna@example.test</code>"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << page;
  }
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find(" style="), std::string::npos);
  const std::size_t begin = page.find("<style>") + 7;
  const std::string hash = base64_encode(as_view(sha256(page.substr(begin, page.find("</style>") - begin))));
  EXPECT_NE(page.find("Content-Security-Policy: default-src 'none'; style-src 'sha256-" + hash + "'; form-action 'self'"),
            std::string::npos);
  EXPECT_EQ(page.find("Content-Security-Policy", page.find("Content-Security-Policy") + 1), std::string::npos);
  EXPECT_NE(ask("/setup").find("<form method=\"get\" action=\"/setup\">"), std::string::npos);
}

TEST_F(ClientSetupTest, ThePanelGetsTheSettingsAndTheCodeAsData) {
  const std::string response = ask("/api/v1/client-settings?address=anna%40example.test");
  EXPECT_EQ(status(response), 200);
  for (const char* part : {"\"address\":\"anna@example.test\"", "\"hostname\":\"mx.example.test\"",
                           "{\"protocol\":\"imap\",\"port\":993,\"encryption\":\"tls\"}",
                           "\"profile\":\"/setup/account.mobileconfig?address=anna@example.test\"", "\"path\":\"M4 4h7v1h-7z"}) {
    EXPECT_NE(response.find(part), std::string::npos) << part << response;
  }
  EXPECT_EQ(status(ask("/api/v1/client-settings?address=nobody%40example.test")), 200);  // nobody is told who is there
  EXPECT_EQ(status(ask("/api/v1/client-settings?address=anna%40other.test")), 404);
  EXPECT_EQ(status(ask("/api/v1/client-settings")), 400);
}

TEST_F(ClientSetupTest, TheStsPolicyIsThatOfItsHost) {
  const auto policy = [&](const std::string& host) { return ask("/.well-known/mta-sts.txt", host); };
  const std::string text = policy("mta-sts.example.test");
  EXPECT_EQ(status(text), 200);
  EXPECT_NE(text.find("Content-Type: text/plain; charset=utf-8"), std::string::npos);
  const auto parsed = mailauth::parse_sts_policy(body(text));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->mode, mailauth::StsMode::kTesting);
  EXPECT_TRUE(mailauth::sts_allows(*parsed, "mx.example.test"));
  set("mta_sts.mode@example.test", "enforce");
  EXPECT_EQ(mailauth::parse_sts_policy(body(policy("mta-sts.example.test")))->mode, mailauth::StsMode::kEnforce);
  set("mta_sts.mx@example.test", "backup.other.test,mx.example.test,mx2.example.test");
  EXPECT_EQ(mailauth::parse_sts_policy(body(policy("mta-sts.example.test")))->mx,
            (std::vector<std::string>{"mx.example.test", "backup.other.test", "mx2.example.test"}));
  set("mta_sts.mode@example.test", "off");
  for (const char* host : {"mta-sts.example.test", "mta-sts.other.test", "example.test", "mx.example.test", "mta-sts."}) {
    EXPECT_EQ(status(policy(host)), 404) << host;
  }
}

TEST_F(ClientSetupTest, StrangersMayAskOnlySoOften) {
  const auto ask_from = [&](const std::string& from) { return status(ask("/setup", "a", "", "", from)); };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask_from("198.51.100.1"), 200);
  EXPECT_EQ(ask_from("198.51.100.1"), 429);
  EXPECT_EQ(ask_from("198.51.100.2"), 200);
  world_.clock.advance(1'000'000);
  EXPECT_EQ(ask_from("198.51.100.1"), 200);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(ask_from("127.0.0.1"), 200);  // a proxy, behind which everybody is
}

TEST(AutodiscoverRequestTest, ReadsWhatOutlookSends) {
  const auto address = [](const std::string& text) {
    const auto request = parse_autodiscover_request(text);
    return request ? request->address : "error: " + request.error().context;
  };
  EXPECT_EQ(address(outlook("anna@example.test")), "anna@example.test");
  EXPECT_EQ(
      address(
          "\xEF\xBB\xBF<x:a xmlns:x='>'><!-- <b> --><x:EMailAddress> a&amp;&#x62;<![CDATA[<c>]]> </x:EMailAddress><d/></x:a>"),
      "a&b<c>");
  for (const char* wrong :
       {"", "x", "<a>", "<a></b>", "<a/><b/>", "<a><EMailAddress/></a>", "<a><EMailAddress>&e;</EMailAddress></a>",
        "<!DOCTYPE a><a><EMailAddress>x</EMailAddress></a>", "<a><EMailAddress>&#0;</EMailAddress></a>",
        "<a><EMailAddress>&#xD800;</EMailAddress></a>", "<a><EMailAddress>x</EMailAddress>", "<a b=\"<\"></a>", "<>", "</a>"}) {
    EXPECT_TRUE(address(wrong).starts_with("error: ")) << wrong;
  }
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "<a>";
  EXPECT_EQ(address(deep), "error: the request is no valid XML: elements nest too deep");
  EXPECT_TRUE(address("<a><EMailAddress>" + std::string(2000, 'x') + "</EMailAddress></a>").starts_with("error: "));
}

TEST(XmlTextTest, NothingBreaksOut) {
  EXPECT_EQ(xml_escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  EXPECT_EQ(xml_escape("\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(xml_escape(std::string_view("a\0b\x1B\xC0\xAF\xED\xA0\x80", 9)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(QrCodeTest, IsAnImageWithALabel) {
  const auto svg = qr_code_svg("https://mx.example.test/setup?address=anna@example.test", "a \"label\"");
  ASSERT_TRUE(svg);
  EXPECT_TRUE(svg->starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"a &quot;label&quot;\""));
  EXPECT_NE(svg->find("M4 4h7v1h-7z"), std::string::npos);  // the finder pattern in the corner, behind the quiet zone
  EXPECT_FALSE(qr_code_svg("", "x"));
  EXPECT_EQ(qr_code_svg(std::string(1001, 'x'), "x").error().kind, ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace posthus::web_admin
