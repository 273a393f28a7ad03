// Real and broken messages of tests/golden/mime: every cut gives the same summary, the tree is sound, the stored form reads
// back; and for those listed in tests/golden/mail/structure.txt, ENVELOPE and BODYSTRUCTURE to the byte.
// Lines of that file: "= path" (below tests/golden/mime), "E <envelope>", "B <bodystructure>"; a line end inside a literal is
// \r\n.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/core_mail/summary_text.h"

namespace posthus::mail {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(POSTHUS_SOURCE_DIR) / "tests/golden";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Every line end as CRLF, as messages are stored.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out.push_back('\r');
    out.push_back(text[i]);
  }
  return out;
}

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kGolden / "mime")) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

void check_message(const std::string& message, const std::string& name) {
  const Summary summary = summarise(message);
  const std::string text = to_text(summary);
  EXPECT_EQ(summary.size, message.size()) << name;
  EXPECT_EQ(nesting_faults(summary), "") << name;
  for (const std::size_t cut : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    ASSERT_EQ(to_text(summarise_cut(message, cut)), text) << name << " cut at " << cut;
  }
  const std::string encoded = encode_summary(summary);
  const Result<Summary> decoded = decode_summary(encoded);
  ASSERT_TRUE(decoded.has_value()) << name;
  EXPECT_EQ(to_text(*decoded), text) << name;
  const auto count = static_cast<std::uint64_t>(std::ranges::count(std::string_view(message).substr(summary.header_size), '\n'));
  EXPECT_EQ(summary.parts[0].lines, count) << name;
}

TEST(SummaryCorpus, EveryMessageIsTheSameForEveryCutAndReadsBack) {
  std::size_t count = 0;
  for (const std::filesystem::path& path : corpus()) {
    const std::string raw = read_file(path);
    check_message(raw, path.string());
    check_message(with_crlf(raw), path.string() + " with CRLF");
    ++count;
  }
  EXPECT_GT(count, 250U);
}

TEST(SummaryCorpus, MostRowsAreSmall) {
  std::vector<std::size_t> sizes;
  for (const std::filesystem::path& path : corpus())
    sizes.push_back(encode_summary(summarise(with_crlf(read_file(path)))).size());
  std::ranges::sort(sizes);
  EXPECT_LT(sizes[sizes.size() / 2], 600U);
  EXPECT_LT(sizes[sizes.size() * 95 / 100], 1200U);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r')
      out += "\\r";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string golden_entry(const std::string& name) {
  const Summary summary = summarise(with_crlf(read_file(kGolden / "mime" / name)));
  std::string structure;
  append_structure(structure, summary.parts, Structure::kBodyStructure);
  return "= " + name + "\nE " + escaped(summary.envelope) + "\nB " + escaped(structure) + "\n";
}

TEST(SummaryCorpus, EnvelopeAndBodyStructureAreTheGoldenOnes) {
  std::ifstream file(kGolden / "mail/structure.txt", std::ios::binary);
  std::string line, name, expected;
  std::size_t count = 0;
  const auto check = [&] {
    if (name.empty()) return;
    EXPECT_EQ(golden_entry(name), expected);
    ++count;
  };
  while (std::getline(file, line)) {
    if (line.starts_with("#")) continue;
    if (line.starts_with("= ")) {
      check();
      name = line.substr(2);
      expected.clear();
    }
    expected += line + "\n";
  }
  check();
  EXPECT_GE(count, 20U);
}

}  // namespace
}  // namespace posthus::mail
