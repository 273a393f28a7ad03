// SummaryBuilder's speed: MB/s over large bodies (one part, and base64 in a multipart) and microseconds per 4 KiB message,
// with and without encoding. Built on request: ninja bench_summary (release preset), then tests/bench_summary.
#include <cstdio>
#include <ctime>
#include <string>

#include "core/mail/summary.h"

namespace {

using namespace posthus::mail;

std::string header(std::string_view type) {
  return "Received: from client.example ([192.0.2.7])\r\n\tby mx.example.net with ESMTPS\r\n\tid 17abc\r\n\tfor "
         "<anna@example.net>;\r\n"
         "\tSat, 21 Nov 2026 23:05:46 +0000\r\nFrom: Bob Builder <bob@example.com>\r\nTo: Anna <anna@example.net>, "
         "team@example.net\r\n"
         "Subject: Minutes of the meeting on Thursday\r\nDate: Sat, 21 Nov 2026 23:05:46 +0000\r\nMessage-ID: "
         "<4711.1795302346@example.com>\r\n"
         "In-Reply-To: <4710.1795302000@example.net>\r\nReferences: "
         "<4700.1795300000@example.net>\r\n\t<4710.1795302000@example.net>\r\n"
         "MIME-Version: 1.0\r\nContent-Type: " +
         std::string(type) + "\r\nContent-Transfer-Encoding: 7bit\r\nUser-Agent: bench\r\n\r\n";
}

std::string lines(std::size_t size) {
  std::string out;
  while (out.size() < size) out += "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZyBhZ2FpbiBhbmQgYWdh\r\n";
  return out;
}

double seconds(auto&& work) {
  const std::clock_t begin = std::clock();  // processor time: other programs do not count
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

void large(const char* name, const std::string& message) {
  constexpr int kRounds = 20;
  std::size_t parts = 0;
  const double time = seconds([&] {
    for (int i = 0; i < kRounds; ++i) {
      SummaryBuilder builder;
      for (std::size_t at = 0; at < message.size(); at += 65536) builder.append(std::string_view(message).substr(at, 65536));
      parts += builder.finish().parts.size();
    }
  });
  std::printf("%-24s %8.0f MB/s  (%zu parts)\n", name, static_cast<double>(message.size()) * kRounds / time / 1e6,
              parts / kRounds);
}

void small(const char* name, const std::string& message) {
  constexpr int kRounds = 50'000;
  std::size_t bytes = 0;
  const double summary = seconds([&] {
    for (int i = 0; i < kRounds; ++i) bytes += summarise(message).parts.size();
  });
  const Summary kept = summarise(message);
  const double encode = seconds([&] {
    for (int i = 0; i < kRounds; ++i) bytes += encode_summary(kept).size();
  });
  const std::string encoded = encode_summary(kept);
  const double envelope = seconds([&] {
    for (int i = 0; i < kRounds; ++i) bytes += SummaryView::create(encoded)->envelope().size();
  });
  const double parts = seconds([&] {
    for (int i = 0; i < kRounds; ++i) bytes += SummaryView::create(encoded)->parts()->size();
  });
  constexpr double kMicro = 1e6 / kRounds;
  std::printf("%-24s %8.2f us summarise, %.2f us encode (%zu bytes), %.2f us envelope, %.2f us parts%s\n", name, summary * kMicro,
              encode * kMicro, encoded.size(), envelope * kMicro, parts * kMicro, bytes == 0 ? "!" : "");
}

}  // namespace

int main() {
  const std::string part = "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  large("64 MiB text", header("text/plain; charset=utf-8") + lines(64 << 20));
  large("64 MiB multipart base64",
        header("multipart/mixed; boundary=\"=_b\"") + "--=_b\r\n\r\ntext\r\n--=_b\r\n" + part + lines(64 << 20) + "--=_b--\r\n");
  small("4 KiB text", header("text/plain; charset=utf-8") + lines(3300));
  small("4 KiB alternative",
        header("multipart/alternative; boundary=\"=_b\"") + "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
            lines(1000) +
            "--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
            lines(2000) + "--=_b--\r\n");
  return 0;
}
