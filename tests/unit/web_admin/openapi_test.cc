// openapi.yaml and the table of routes hold each other: path, method, scope and kind of body, both ways.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "web-admin/routes.h"

namespace posthus::web_admin {
namespace {

// One line per operation: "GET /api/v1/domains read narrowed none". Reads the fixed layout of openapi.yaml: paths at two spaces,
// methods at four, x-scope at six; a body is known by its media type below requestBody.
std::set<std::string> described() {
  std::ifstream file(std::string(POSTHUS_SOURCE_DIR) + "/web-admin/openapi.yaml");
  EXPECT_TRUE(file);
  std::set<std::string> out;
  std::string line, path, method, scope, reach = "server", body = "none";
  bool is_in_paths = false, is_in_request = false;
  const auto finish = [&] {
    if (!method.empty()) out.insert(method + " " + path + " " + scope + " " + reach + " " + body);
    method.clear(), scope.clear(), reach = "server", body = "none", is_in_request = false;
  };
  const auto indent = [](const std::string& text) { return text.find_first_not_of(' '); };
  while (std::getline(file, line)) {
    if (line.empty() || line[indent(line)] == '#') continue;
    if (indent(line) == 0) {
      finish();
      is_in_paths = line == "paths:";
    }
    if (!is_in_paths) continue;
    if (indent(line) == 2) finish(), path = line.substr(2, line.size() - 3);
    if (indent(line) == 4 && line != "    parameters:") {
      finish();
      for (const char c : line.substr(4, line.size() - 5)) method.push_back(static_cast<char>(c - 32));
    }
    if (line.starts_with("      x-scope: ")) scope = line.substr(15);
    if (line.starts_with("      x-reach: ")) reach = line.substr(15);
    if (indent(line) == 6) is_in_request = line == "      requestBody:";
    if (is_in_request && line.find("application/json:") != std::string::npos) body = "json";
    if (is_in_request && line.find("text/xml:") != std::string::npos) body = "xml";
    if (is_in_request && line.find("message/rfc822:") != std::string::npos) body = "message";
  }
  finish();
  return out;
}

TEST(OpenApiTest, DescribesExactlyTheRoutes) {
  std::set<std::string> table;
  for (const Route& route : routes()) {
    const std::string_view body = route.body == BodyKind::kJson      ? "json"
                                  : route.body == BodyKind::kMessage ? "message"
                                  : route.body == BodyKind::kXml     ? "xml"
                                                                     : "none";
    table.insert(std::string(route.method)
                     .append(" ")
                     .append(route.path)
                     .append(" ")
                     .append(to_string(route.scope))
                     .append(" ")
                     .append(to_string(route.reach))
                     .append(" ")
                     .append(body));
  }
  EXPECT_EQ(table.size(), routes().size());
  EXPECT_EQ(described(), table);
}

TEST(RoutesTest, FindsByMethodAndPath) {
  const auto find = [](std::string_view method, std::string_view target) { return find_route(method, *parse_target(target)); };
  EXPECT_EQ(find("GET", "/api/v1/users/a%40b").path, std::vector<std::string>{"a@b"});
  EXPECT_EQ(find("PUT", "/api/v1/users/a/password").route->path, "/api/v1/users/{address}/password");
  EXPECT_EQ(find("HEAD", "/healthz").route->path, "/healthz");
  EXPECT_EQ(find("GET", "/").route->path, "/");
  EXPECT_EQ(find("POST", "/healthz").allowed, "GET, HEAD");
  EXPECT_EQ(find("POST", "/api/v1/users/x").allowed, "GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(find("GET", "/api/v1/users/a/b").route, nullptr);
  EXPECT_EQ(find("GET", "/api/v1").allowed, "");
}

// "#/components/schemas/Domain" leads to a name at four spaces below "  schemas:" below "components:".
TEST(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::ifstream file(std::string(POSTHUS_SOURCE_DIR) + "/web-admin/openapi.yaml");
  std::set<std::string> wanted, there;
  std::string section;
  constexpr std::string_view kReference = "#/components/";
  for (std::string line; std::getline(file, line);) {
    for (std::size_t at = 0; (at = line.find(kReference, at)) != std::string::npos;) {
      at += kReference.size();
      wanted.insert(line.substr(at, line.find('"', at) - at));
    }
    if (line.starts_with("  ") && line[2] != ' ') section = line.substr(2, line.find(':') - 2);
    if (line.starts_with("    ") && line[4] != ' ') there.insert(section + "/" + line.substr(4, line.find(':') - 4));
  }
  EXPECT_GT(wanted.size(), 30u);
  for (const std::string& reference : wanted) EXPECT_TRUE(there.contains(reference)) << reference;
}

}  // namespace
}  // namespace posthus::web_admin
