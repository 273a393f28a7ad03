// argon2id through libargon2, with memory straight from the kernel: what an evaluation used goes back at once.
#include "core/sasl/argon2id.h"

#include <argon2.h>
#include <sys/mman.h>

#include <condition_variable>
#include <mutex>

#include "core/base/ascii.h"
#include "core/base/base64.h"
#include "core/base/check.h"
#include "core/base/metrics.h"
#include "core/base/random.h"

namespace posthus::sasl {
namespace {

constexpr std::string_view kPrefix = "$argon2id$v=19$";

struct Memory {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t arrived = 0, admitted = 0;  // WHY counted: one that asks for all of it would else wait for as long as others come
  std::uint32_t held_kib = 0;
};
Memory& memory() {
  static Memory one;
  return one;
}

// WHY: malloc would keep 7 MiB per thread arena after the first evaluation; mmap gives it back.
int allocate(std::uint8_t** memory, std::size_t bytes) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return ARGON2_MEMORY_ALLOCATION_ERROR;
  *memory = static_cast<std::uint8_t*>(mapped);
  return ARGON2_OK;
}
void release(std::uint8_t* memory, std::size_t bytes) { munmap(memory, bytes); }

std::optional<std::string> decode_unpadded(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded.push_back('=');
  return base64_decode(padded);
}
std::string encode_unpadded(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

/// Cuts the text up to `delimiter` off the front of `rest`; all of it when there is none.
std::string_view cut(std::string_view& rest, char delimiter) {
  const std::size_t at = rest.find(delimiter);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

std::optional<std::uint32_t> parameter(std::string_view& rest, std::string_view name, std::uint32_t limit) {
  const std::string_view field = cut(rest, ',');
  if (!field.starts_with(name)) return std::nullopt;
  const auto value = ascii::parse_decimal<std::uint32_t>(field.substr(name.size()));
  if (!value || *value == 0 || *value > limit) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Argon2Hash> parse_phc(std::string_view text) {
  constexpr std::size_t kMaxText = 256;
  if (text.size() > kMaxText || !text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  std::string_view parameters = cut(text, '$');
  const std::string_view salt = cut(text, '$');
  const auto memory = parameter(parameters, "m=", kArgon2MaxMemoryKib);
  const auto passes = parameter(parameters, "t=", kArgon2MaxPasses);
  const auto lanes = parameter(parameters, "p=", kArgon2MaxLanes);
  if (!memory || !passes || !lanes || !parameters.empty() || *memory < 8 * *lanes) return std::nullopt;
  auto raw_salt = decode_unpadded(salt);
  auto raw_hash = decode_unpadded(text);
  if (!raw_salt || !raw_hash || raw_salt->size() < ARGON2_MIN_SALT_LENGTH || raw_hash->size() < 16) return std::nullopt;
  return Argon2Hash{*memory, *passes, *lanes, *std::move(raw_salt), *std::move(raw_hash)};
}

std::string to_phc(const Argon2Hash& hash) {
  return std::string(kPrefix) + "m=" + std::to_string(hash.memory_kib) + ",t=" + std::to_string(hash.passes) +
         ",p=" + std::to_string(hash.lanes) + "$" + encode_unpadded(hash.salt) + "$" + encode_unpadded(hash.hash);
}

EvaluationPlace::EvaluationPlace(const Argon2Hash& like) : memory_kib_(like.memory_kib) {
  Memory& all = memory();
  std::unique_lock lock(all.mutex);
  const std::uint64_t turn = all.arrived++;
  all.changed.wait(
      lock, [&] { return turn == all.admitted && (all.held_kib == 0 || all.held_kib + memory_kib_ <= kEvaluationsMemoryKib); });
  ++all.admitted;
  all.held_kib += memory_kib_;
  all.changed.notify_all();
}
EvaluationPlace::~EvaluationPlace() {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  all.held_kib -= memory_kib_;
  all.changed.notify_all();
}

std::optional<std::string> evaluate(const EvaluationPlace&, const Argon2Hash& like, std::string_view password) {
  static metrics::Counter& evaluations =
      metrics::counter("posthus_password_evaluations_total", "argon2id evaluations, of real and of unknown users");
  evaluations.add();
  std::string salt = like.salt, secret(password), out(like.hash.size(), '\0');
  argon2_context context{};
  context.out = reinterpret_cast<std::uint8_t*>(out.data());
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = reinterpret_cast<std::uint8_t*>(secret.data());
  context.pwdlen = static_cast<std::uint32_t>(secret.size());
  context.salt = reinterpret_cast<std::uint8_t*>(salt.data());
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.m_cost = like.memory_kib;
  context.t_cost = like.passes;
  context.lanes = like.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = allocate;
  context.free_cbk = release;
  context.flags = ARGON2_FLAG_CLEAR_PASSWORD;
  if (argon2id_ctx(&context) != ARGON2_OK) return std::nullopt;
  return out;
}

std::string make_phc(std::string_view password, const PasswordCost& cost) {
  Argon2Hash made;
  made.memory_kib = cost.memory_kib;
  made.passes = cost.passes;
  made.salt = random_bytes(kArgon2SaltBytes);
  made.hash.resize(kArgon2HashBytes);
  const EvaluationPlace place(made);
  auto hash = evaluate(place, made, password);
  CHECK(hash.has_value());
  made.hash = *std::move(hash);
  return to_phc(made);
}

}  // namespace posthus::sasl
