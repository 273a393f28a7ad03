// Settings: sources laid over each other, and every refusal with its place.
#include "core/main/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace posthus::main {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("posthus-settings-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& text) {
    const std::string path = directory_ / "posthus.toml";
    std::ofstream(path) << text;
    return path;
  }
  // What the file `text` is refused with, without the path in front.
  std::string refusal(const std::string& text) {
    const std::string path = write(text);
    const auto loaded = load_settings({.config = path});
    if (loaded) return "accepted";
    EXPECT_EQ(loaded.error().kind, ErrorKind::kInvalid);
    const std::string& context = loaded.error().context;
    EXPECT_TRUE(context.starts_with(path)) << context;
    return context.substr(path.size());
  }
  static const EffectiveSetting& effective(const LoadedSettings& loaded, const std::string& name) {
    for (const EffectiveSetting& setting : loaded.effective) {
      if (setting.name == name) return setting;
    }
    ADD_FAILURE() << name;
    return loaded.effective.front();
  }

  std::filesystem::path directory_;
};

TEST_F(SettingsTest, DefaultsAreTheStandardPortsPlusTwoThousand) {
  const auto loaded = load_settings({.options = {{"data", directory_}}});
  ASSERT_TRUE(loaded) << loaded.error().context;
  EXPECT_EQ(loaded->settings.smtp_port, 2025u);
  EXPECT_EQ(loaded->settings.imaps_port, 2993u);
  EXPECT_EQ(effective(*loaded, "ports.smtp").origin, "default");
  EXPECT_EQ(effective(*loaded, "data").origin, "--data");
}

TEST_F(SettingsTest, LaterSourcesWin) {
  const std::string path = write("hostname = \"file.example\"\n[ports]\nsmtp = 1\nimap = 2\npop3 = 3\n");
  const auto loaded = load_settings({.config = path,
                                     .environment = {{"POSTHUS_PORTS_SMTP", "11"}, {"POSTHUS_PORTS_IMAP", "12"}, {"HOME", "/x"}},
                                     .options = {{"ports.smtp", "21"}}});
  ASSERT_TRUE(loaded) << loaded.error().context;
  EXPECT_EQ(loaded->settings.smtp_port, 21u);
  EXPECT_EQ(loaded->settings.imap_port, 12u);
  EXPECT_EQ(loaded->settings.pop3_port, 3u);
  EXPECT_EQ(effective(*loaded, "ports.smtp").origin, "--set");
  EXPECT_EQ(effective(*loaded, "ports.imap").origin, "POSTHUS_PORTS_IMAP");
  EXPECT_EQ(effective(*loaded, "ports.pop3").origin, path + ":5");
  EXPECT_EQ(effective(*loaded, "hostname").value, "file.example");
}

TEST_F(SettingsTest, TheFileInTheDataDirectoryIsRead) {
  write("hostname = \"in.data\"\n");
  const auto loaded = load_settings({.environment = {{"POSTHUS_DATA", directory_}}});
  ASSERT_TRUE(loaded) << loaded.error().context;
  EXPECT_EQ(loaded->settings.hostname, "in.data");
}

TEST_F(SettingsTest, AFileThatIsNamedMustBeThere) {
  const auto loaded = load_settings({.config = directory_ / "none.toml"});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().context.find("none.toml"), std::string::npos) << loaded.error().context;
}

TEST_F(SettingsTest, ListsComeFromTomlAndFromCommas) {
  const std::string path = write("listen = [\"192.0.2.1\", \"::1\"]\n[login]\nexempt_networks = \"10.0.0.0/8\"\n");
  const auto from_file = load_settings({.config = path});
  ASSERT_TRUE(from_file) << from_file.error().context;
  EXPECT_EQ(from_file->settings.listen, (std::vector<std::string>{"192.0.2.1", "::1"}));
  EXPECT_EQ(from_file->settings.exempt_networks, std::vector<std::string>{"10.0.0.0/8"});
  const auto from_environment = load_settings({.config = path, .environment = {{"POSTHUS_LISTEN", "127.0.0.1, ::1"}}});
  ASSERT_TRUE(from_environment);
  EXPECT_EQ(from_environment->settings.listen, (std::vector<std::string>{"127.0.0.1", "::1"}));
}

TEST_F(SettingsTest, ResolversAreAddressesWithOrWithoutPort) {
  const auto loaded =
      load_settings({.environment = {{"POSTHUS_DNS_SERVERS", "127.0.0.1@5353, ::1"}, {"POSTHUS_DNS_TRUST_ANCHOR", ""}}});
  ASSERT_TRUE(loaded) << loaded.error().context;
  EXPECT_EQ(loaded->settings.dns_servers, (std::vector<std::string>{"127.0.0.1@5353", "::1"}));
  EXPECT_EQ(loaded->settings.dns_trust_anchor, "");
}

TEST_F(SettingsTest, UnknownSettingsAreRefusedWithLineAndNearestName) {
  EXPECT_EQ(refusal("hostname = \"a.example\"\nhostnme = \"x\"\n"),
            ":2: there is no setting 'hostnme'; did you mean 'hostname'?");
  EXPECT_EQ(refusal("[ports]\nsmpt = 25\n"), ":2: there is no setting 'ports.smpt'; did you mean 'ports.smtp'?");
  EXPECT_EQ(refusal("[completely]\nelse_where = 25\n"), ":2: there is no setting 'completely.else_where'");
}

TEST_F(SettingsTest, WrongValuesAreRefusedWithWhatWasExpected) {
  EXPECT_EQ(refusal("[ports]\nsmtp = 70000\n"), ":2: 'ports.smtp' must be a number from 0 to 65535");
  EXPECT_EQ(refusal("[ports]\nsmtp = \"25\"\n"), ":2: 'ports.smtp' must be a number from 0 to 65535");
  EXPECT_EQ(refusal("[ports]\nsmtp = -1\n"), ":2: 'ports.smtp' must be a number from 0 to 65535");
  EXPECT_EQ(refusal("hostname = 7\n"), ":1: 'hostname' must be a string");
  EXPECT_EQ(refusal("hostname = \"not a host\"\n"), ":1: 'hostname' must be a host name like mail.example.org");
  EXPECT_EQ(refusal("listen = \"example.org\"\n"), ":1: 'listen' must be IP addresses or \"*\"");
  EXPECT_EQ(refusal("listen = [1]\n"), ":1: 'listen' must be a list of strings");
  EXPECT_EQ(refusal("[log]\nlevel = \"loud\"\n"), ":2: 'log.level' must be debug, info, warning or error");
  EXPECT_EQ(refusal("[log]\nformat = \"xml\"\n"), ":2: 'log.format' must be text or json");
  EXPECT_EQ(refusal("[login]\nexempt_networks = [\"10.0.0.0/99\"]\n"),
            ":2: 'login.exempt_networks' must be networks like 192.0.2.0/24");
  EXPECT_EQ(refusal("[login]\nallow_plaintext = \"yes\"\n"), ":2: 'login.allow_plaintext' must be true or false");
  for (const char* server : {"ns.example.org", "127.0.0.1@", "127.0.0.1@0", "127.0.0.1@70000", "@53", ""}) {
    EXPECT_EQ(refusal("[dns]\nservers = [\"" + std::string(server) + "\"]\n"),
              ":2: 'dns.servers' must be servers like 192.0.2.1 or 192.0.2.1@53");
  }
  EXPECT_EQ(refusal("data = \"\"\n"), ":1: 'data' must be a path");
}

TEST_F(SettingsTest, TablesNobodyKnowsAreRefusedEvenWhenEmpty) {
  EXPECT_EQ(refusal("[ports]\n[nonsense]\n"), ":2: there is no setting 'nonsense'");
  EXPECT_EQ(refusal("hostname = {}\n"), ":1: 'hostname' must be a string");
  EXPECT_EQ(refusal("[ports]\n[login]\nallow_plaintext = 7\n"), ":3: 'login.allow_plaintext' must be true or false");
}

TEST_F(SettingsTest, BrokenTomlIsRefusedWithItsLine) {
  EXPECT_TRUE(refusal("hostname = \"a.example\"\nports = [\n").starts_with(":2") ||
              refusal("hostname = \"a.example\"\nports = [\n").starts_with(":3"));
  EXPECT_TRUE(refusal("hostname = \"a\"\nhostname = \"b\"\n").starts_with(":2"));
}

TEST_F(SettingsTest, TheEnvironmentIsHeldToTheTableToo) {
  const auto unknown = load_settings({.environment = {{"POSTHUS_PORT_SMTP", "25"}}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().context, "environment: there is no setting 'POSTHUS_PORT_SMTP'; did you mean 'POSTHUS_PORTS_SMTP'?");
  const auto wrong = load_settings({.environment = {{"POSTHUS_PORTS_SMTP", "many"}}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().context, "POSTHUS_PORTS_SMTP: 'ports.smtp' must be a number from 0 to 65535");
  const auto option = load_settings({.options = {{"nonsense", "1"}}});
  ASSERT_FALSE(option);
  EXPECT_EQ(option.error().context, "--set: there is no setting 'nonsense'");
}

TEST_F(SettingsTest, CertificateAndKeyComeTogether) {
  const auto loaded = load_settings({.environment = {{"POSTHUS_TLS_KEY", "key.pem"}}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().context, "POSTHUS_TLS_KEY: 'tls.key' needs 'tls.certificate'");
  EXPECT_EQ(refusal("[tls]\ncertificate = \"a.pem\"\n"), ":2: 'tls.certificate' needs 'tls.key'");
}

TEST_F(SettingsTest, TheReadmeListsEverySetting) {
  std::ifstream file(std::string(POSTHUS_SOURCE_DIR) + "/core/main/README.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(page.find(describe_settings()), std::string::npos) << "put this into core/main/README.md:\n" << describe_settings();
}

}  // namespace
}  // namespace posthus::main
