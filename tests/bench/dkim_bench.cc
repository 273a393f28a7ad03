// DKIM: signatures per second of a 4 KiB message with each algorithm and with both, MB/s of the body's canonical form and hash.
// Built on request: ninja bench_dkim (release preset), then tests/bench_dkim. Processor time of one thread.
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "core/mailauth/dkim_canon.h"
#include "core/mailauth/dkim_sign.h"

namespace {

using namespace posthus;
using namespace posthus::mailauth;

std::string message(std::size_t size) {
  std::string out =
      "From: Anna <anna@example.test>\r\nTo: Ben <ben@example.org>, team@example.net\r\nSubject: Minutes of the meeting\r\n"
      "Date: Sat, 21 Nov 2026 23:05:46 +0000\r\nMessage-ID: <4711@example.test>\r\nIn-Reply-To: <4710@example.org>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n";
  while (out.size() < size) out += "The quick brown fox jumps over the lazy dog, again and again, until the day.\r\n";
  return out;
}

double seconds(auto&& work) {
  const std::clock_t begin = std::clock();  // processor time: other programs do not count
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

SigningKey make_key(SigningAlgorithm algorithm) {
  const Result<NewKey> made = make_signing_key(algorithm);
  return {"example.test", "s1", *PrivateKey::read(algorithm, made->private_key.reveal())};
}

void measure(const char* name, const std::vector<SigningKey>& keys, int rounds) {
  const std::string text = message(4096);
  std::size_t bytes = 0;
  const double time = seconds([&] {
    for (int i = 0; i < rounds; ++i) {
      DkimSigner signer;
      signer.append(text);
      bytes += signer.finish(keys, Timestamp::from_seconds(1'800'000'000 + i))->size();
    }
  });
  std::printf("%-28s %8.0f messages/s  %7.1f us  (%zu bytes of fields)\n", name, rounds / time, time * 1e6 / rounds,
              bytes / static_cast<std::size_t>(rounds));
}

}  // namespace

int main() {
  const SigningKey rsa = make_key(SigningAlgorithm::kRsaSha256), ed25519 = make_key(SigningAlgorithm::kEd25519Sha256);
  measure("hashes only", {}, 20'000);
  measure("RSA-2048", {rsa}, 3'000);
  measure("Ed25519", {ed25519}, 10'000);
  measure("RSA-2048 and Ed25519", {rsa, ed25519}, 3'000);
  const std::string large = message(10'000'000);
  constexpr int kRounds = 10;
  const double time = seconds([&] {
    for (int i = 0; i < kRounds; ++i) {
      RelaxedBody body;
      for (std::size_t at = 0; at < large.size(); at += 65536) body.append(std::string_view(large).substr(at, 65536));
      (void)body.finish();
    }
  });
  std::printf("%-28s %8.0f MB/s\n", "canonical body and hash", static_cast<double>(large.size()) * kRounds / time / 1e6);
}
