// The client dialogs: tests/sessions/smtp_client/*.session against the SMTP client session (see client_dialog.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/sessions/smtp_client/client_dialog.h"

namespace posthus::testing {
namespace {

constexpr std::size_t kMostPlaces = 4000;

class ClientDialog : public ::testing::Test {
 public:
  ClientDialog(std::string path, std::size_t cut) : path_(std::move(path)), cut_(cut) {}
  void TestBody() override {
    const std::string problem = run_client_dialog(path_, cut_);
    if (!problem.empty()) FAIL() << problem;
  }

 private:
  std::string path_;
  std::size_t cut_;
};

class EarlyClose : public ::testing::Test {
 public:
  explicit EarlyClose(std::string path) : path_(std::move(path)) {}
  void TestBody() override { EXPECT_GT(close_everywhere(path_, kMostPlaces), 0U); }

 private:
  std::string path_;
};

void register_all(const std::string& folder) {
  std::vector<std::string> scripts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".session") scripts.push_back(entry.path().string());
  }
  std::sort(scripts.begin(), scripts.end());
  for (const std::string& path : scripts) {
    const std::string name = std::filesystem::path(path).stem().string();
    for (const std::size_t cut : {std::size_t{0}, std::size_t{7}, std::size_t{2}, std::size_t{1}}) {
      const std::string test = name + (cut == 0 ? "/whole" : "/cut_" + std::to_string(cut));
      ::testing::RegisterTest("ClientDialog", test.c_str(), nullptr, nullptr, path.c_str(), 1,
                              [path, cut]() -> ClientDialog* { return new ClientDialog(path, cut); });
    }
    ::testing::RegisterTest("EarlyClose", name.c_str(), nullptr, nullptr, path.c_str(), 1,
                            [path]() -> EarlyClose* { return new EarlyClose(path); });
  }
}

}  // namespace
}  // namespace posthus::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  posthus::testing::register_all(POSTHUS_SOURCE_DIR "/tests/sessions/smtp_client");
  return RUN_ALL_TESTS();
}
