// The server's certificate: named in the settings, kept from the last start, or made; and what is refused, by file.
#include "core/main/certificates.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/base/log.h"
#include "core/net/certificate_facts.h"
#include "tests/unit/store/temporary_directory.h"

namespace posthus::main {
namespace {

struct CertificatesTest : ::testing::Test {
  CertificatesTest() {
    log::configure(log::Level::kError, log::Format::kText);
    settings.hostname = "mail.example.test";
    settings.data = directory.path();
  }
  static mode_t mode(const std::string& path) {
    struct stat status{};
    return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
  }
  void write(const std::string& name, std::string_view text) const { std::ofstream(directory.path() + "/" + name) << text; }

  store::TemporaryDirectory directory;
  Settings settings;
  SystemClock system_clock;
};

TEST_F(CertificatesTest, TheFirstStartMakesOneThatTheNextFindsAgain) {
  const auto made = load_certificate(settings, system_clock);
  ASSERT_TRUE(made) << made.error().context;
  EXPECT_EQ(mode(directory.path() + "/tls/key.pem"), 0600u);
  const auto found = load_certificate(settings, system_clock);
  ASSERT_TRUE(found) << found.error().context;
  EXPECT_EQ(found->certificate_pem, made->certificate_pem);
  EXPECT_EQ(found->private_key_pem.reveal(), made->private_key_pem.reveal());
}

TEST_F(CertificatesTest, ASelfSignedOneIsMadeAnewAfterTwoThirdsOfItsLife) {
  const auto made = load_certificate(settings, system_clock);
  ASSERT_TRUE(made) << made.error().context;
  const std::int64_t begin = *net::certificate_not_before(made->certificate_pem);
  const std::int64_t due = begin + (*net::certificate_not_after(made->certificate_pem) - begin) / 3 * 2;
  const ManualClock earlier(Timestamp::from_seconds(due - 60));
  EXPECT_EQ(load_certificate(settings, earlier)->certificate_pem, made->certificate_pem);
  const ManualClock later(Timestamp::from_seconds(due + 60));
  EXPECT_NE(load_certificate(settings, later)->certificate_pem, made->certificate_pem);
}

TEST_F(CertificatesTest, ARunningServerTakesARenewedOneWithoutASignal) {
  ManualClock clock(system_clock.now());
  const auto certificate = ServerCertificates::load(settings, nullptr, clock);
  ASSERT_TRUE(certificate) << certificate.error().context;
  EXPECT_FALSE((*certificate)->refresh().value());
  clock.set(Timestamp::from_seconds(clock.now().seconds() + 600 * 86'400));
  EXPECT_TRUE((*certificate)->refresh().value());
}

TEST_F(CertificatesTest, FilesThatChangeAreTakenAndBrokenOnesAreNot) {
  const auto use = [this](std::string_view hostname) {
    const auto pair = net::make_self_signed_certificate(hostname, 90);
    ASSERT_TRUE(pair);
    write("chain.pem", pair->certificate_pem);
    write("private.pem", pair->private_key_pem.reveal());
  };
  settings.tls_certificate = "chain.pem";
  settings.tls_key = "private.pem";
  use("one.example.test");
  const auto certificate = ServerCertificates::load(settings, nullptr, system_clock);
  ASSERT_TRUE(certificate) << certificate.error().context;
  EXPECT_FALSE((*certificate)->refresh().value());
  use("two.example.test");
  EXPECT_TRUE((*certificate)->refresh().value());
  EXPECT_FALSE((*certificate)->refresh().value());
  // Half way through a renewal: the certificate is there, its key is not yet.
  write("chain.pem", net::make_self_signed_certificate("three.example.test", 90)->certificate_pem);
  const std::string before = (*certificate)->default_certificate().chain;
  EXPECT_FALSE((*certificate)->refresh().value());
  EXPECT_EQ((*certificate)->default_certificate().chain, before) << "served on";
  ASSERT_TRUE((*certificate)->file_failure());
  EXPECT_NE(describe(*(*certificate)->file_failure()).find("do not belong together"), std::string::npos);
  EXPECT_TRUE((*certificate)->have_files_changed()) << "looked at until they can be used";
  use("three.example.test");
  EXPECT_TRUE((*certificate)->refresh().value());
  EXPECT_FALSE((*certificate)->file_failure());
  EXPECT_FALSE((*certificate)->have_files_changed());
}

// A server that is started again in the middle of a renewal, or before a folder is mounted, serves mail all the same.
TEST_F(CertificatesTest, FilesThatCannotBeUsedAtTheStartKeepNoServerFromStarting) {
  using Source = DefaultCertificate::Source;
  settings.tls_certificate = "chain.pem";
  settings.tls_key = "private.pem";
  const auto store = store::Store::create_in_memory(system_clock);
  const auto certificates = ServerCertificates::load(settings, store.get(), system_clock);
  ASSERT_TRUE(certificates) << certificates.error().context;
  EXPECT_EQ((*certificates)->default_certificate().source, Source::kSelfSigned);
  ASSERT_TRUE((*certificates)->file_failure());
  EXPECT_EQ((*certificates)->file_failure()->file, directory.path() + "/chain.pem");
  EXPECT_TRUE((*certificates)->lives().empty());
  const auto stored = net::make_self_signed_certificate("mail.example.test", 90);
  const auto put = store->apply(store::PutCertificate{{.hostname = "mail.example.test",
                                                       .source = store::CertificateSource::kUpload,
                                                       .chain = stored->certificate_pem,
                                                       .private_key = std::string(stored->private_key_pem.reveal())}});
  ASSERT_TRUE(put) << put.error().context;
  EXPECT_TRUE((*certificates)->refresh().value()) << "what was uploaded is taken though the files are broken";
  EXPECT_EQ((*certificates)->default_certificate().chain, stored->certificate_pem);
  const auto pair = net::make_self_signed_certificate("mail.example.test", 90);
  write("chain.pem", pair->certificate_pem);
  write("private.pem", pair->private_key_pem.reveal());
  EXPECT_TRUE((*certificates)->refresh().value());
  EXPECT_EQ((*certificates)->default_certificate().source, Source::kFile);
  EXPECT_EQ((*certificates)->default_certificate().chain, pair->certificate_pem);
  EXPECT_FALSE((*certificates)->file_failure());
}

TEST_F(CertificatesTest, NamedFilesAreRelativeToTheDataDirectoryAndNeverReplaced) {
  const auto pair = net::make_self_signed_certificate("other.example.test", 1);
  ASSERT_TRUE(pair);
  write("chain.pem", pair->certificate_pem);
  write("private.pem", pair->private_key_pem.reveal());
  settings.tls_certificate = "chain.pem";
  settings.tls_key = directory.path() + "/private.pem";
  const auto loaded = load_certificate(settings, system_clock);  // ends tomorrow, but it is the operator's
  ASSERT_TRUE(loaded) << loaded.error().context;
  EXPECT_EQ(loaded->certificate_pem, pair->certificate_pem);
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/tls"));
}

TEST_F(CertificatesTest, AMissingFileIsNamed) {
  settings.tls_certificate = "none.pem";
  settings.tls_key = "none-either.pem";
  const auto without_certificate = load_certificate(settings, system_clock);
  ASSERT_FALSE(without_certificate);
  EXPECT_NE(without_certificate.error().context.find("certificate " + directory.path() + "/none.pem"), std::string::npos)
      << without_certificate.error().context;
  write("none.pem", "x");
  const auto without_key = load_certificate(settings, system_clock);
  ASSERT_FALSE(without_key);
  EXPECT_NE(without_key.error().context.find("key " + directory.path() + "/none-either.pem"), std::string::npos)
      << without_key.error().context;
}

// What is named in TLSA records and signs profiles is what clients get that ask for our hostname.
TEST_F(CertificatesTest, TheOwnPairIsTheOneServedUnderOurHostname) {
  const auto store = store::Store::create_in_memory(system_clock);
  const auto put = [&](const std::string& name, store::CertificateSource source) {
    auto pair = net::make_self_signed_certificate("mail.example.test", 30);
    EXPECT_TRUE(store->apply(store::PutCertificate{{.hostname = name,
                                                    .source = source,
                                                    .chain = pair->certificate_pem,
                                                    .private_key = std::string(pair->private_key_pem.reveal())}}));
    return pair->certificate_pem;
  };
  const auto certificates = ServerCertificates::load(settings, store.get(), system_clock).value();
  const std::string self_signed = certificates->own_pair().certificate_pem;
  EXPECT_EQ(self_signed, certificates->default_certificate().chain);
  put("autoconfig.example.test", store::CertificateSource::kAcme);
  ASSERT_TRUE(certificates->refresh());
  EXPECT_EQ(certificates->own_pair().certificate_pem, self_signed);
  const std::string wildcard = put("*.example.test", store::CertificateSource::kUpload);
  ASSERT_TRUE(certificates->refresh());
  EXPECT_EQ(certificates->own_pair().certificate_pem, wildcard);
  const std::string obtained = put("mail.example.test", store::CertificateSource::kAcme);
  ASSERT_TRUE(certificates->refresh());
  EXPECT_EQ(certificates->own_pair().certificate_pem, obtained);
  EXPECT_TRUE(net::check_pair(certificates->own_pair()));
  EXPECT_EQ(certificates->default_certificate().chain, obtained);
}

TEST_F(CertificatesTest, OneOfTheStoreIsOursAlsoBesideAFile) {
  const auto file = net::make_self_signed_certificate("mail.example.test", 30);
  write("chain.pem", file->certificate_pem);
  write("private.pem", file->private_key_pem.reveal());
  settings.tls_certificate = "chain.pem";
  settings.tls_key = "private.pem";
  const auto store = store::Store::create_in_memory(system_clock);
  const auto uploaded = net::make_self_signed_certificate("mail.example.test", 30);
  ASSERT_TRUE(store->apply(store::PutCertificate{{.hostname = "mail.example.test",
                                                  .source = store::CertificateSource::kUpload,
                                                  .chain = uploaded->certificate_pem,
                                                  .private_key = std::string(uploaded->private_key_pem.reveal())}}));
  const auto certificates = ServerCertificates::load(settings, store.get(), system_clock).value();
  EXPECT_EQ(certificates->default_certificate().chain, file->certificate_pem);
  EXPECT_EQ(certificates->own_pair().certificate_pem, uploaded->certificate_pem) << "SNI chooses it";
}

}  // namespace
}  // namespace posthus::main
