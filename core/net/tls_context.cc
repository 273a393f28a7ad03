// SSL_CTX objects. A replaced one lives on in the connections that began with it (OpenSSL counts references).
#include "core/net/tls_context.h"

#include <utility>

#include "core/base/ascii.h"
#include "core/base/check.h"
#include "core/base/ip_address.h"
#include "core/base/log.h"
#include "core/net/openssl_pointers.h"

namespace posthus::net {
namespace {

// RFC 9325 §4.2: forward secrecy and AEAD only. AES-128 first: as safe here, and cheaper.
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kServerSignatures =
    "ECDSA+SHA256:ed25519:RSA-PSS+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512";

const std::string kAcmeProtocol = "acme-tls/1";  // RFC 8737 §6.2

int select_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned int in_size,
                    void*) {
  const auto* protocol = static_cast<const std::string*>(SSL_get_app_data(ssl));
  if (protocol == nullptr || protocol->empty()) return SSL_TLSEXT_ERR_NOACK;
  std::string_view offers(reinterpret_cast<const char*>(in), in_size);
  while (!offers.empty()) {
    const auto size = static_cast<unsigned char>(offers.front());
    const std::string_view offer = offers.substr(1, size);
    if (offer == *protocol) {
      *out = reinterpret_cast<const unsigned char*>(offer.data());
      *out_size = size;
      return SSL_TLSEXT_ERR_OK;
    }
    offers.remove_prefix(std::min<std::size_t>(offers.size(), size + 1U));
  }
  // RFC 7301 §3.2; it also keeps a browser's request from being replayed to a mail port.
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<> use_certificate(SSL_CTX* context, const CertificateAndKey& pair) {
  const BioPointer chain = bio_of(pair.certificate_pem);
  const CertificatePointer leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf) return fail(ErrorKind::kInvalid, "certificate: " + take_openssl_error());
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) return fail(ErrorKind::kInvalid, "certificate: " + take_openssl_error());
  constexpr int kMaxIntermediates = 10;  // real chains have one or two
  for (int i = 0; i < kMaxIntermediates; ++i) {
    X509* intermediate = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
    if (intermediate == nullptr) break;
    SSL_CTX_add0_chain_cert(context, intermediate);
  }
  ERR_clear_error();
  const auto refuse_password = [](char*, int, int, void*) { return -1; };
  const KeyPointer key(PEM_read_bio_PrivateKey(bio_of(pair.private_key_pem.reveal()).get(), nullptr, refuse_password, nullptr));
  if (!key) return fail(ErrorKind::kInvalid, "private key: " + take_openssl_error());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorKind::kInvalid, "private key: " + take_openssl_error());
  }
  return {};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return fail(ErrorKind::kIo, "TLS context: " + take_openssl_error());
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need no memory of ours
  const bool is_set = SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context.get(), kTls12Ciphers) == 1 &&
                      SSL_CTX_set1_groups_list(context.get(), kGroups) == 1;
  if (!is_set) return fail(ErrorKind::kIo, "TLS context: " + take_openssl_error());
  return context;
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }

// What OpenSSL calls while it reads a ClientHello, in this order. `self` is the TlsContext the SSL_CTX was made by.
struct TlsContext::Callbacks {
  // WHY here: later there is no way to see all the protocols a client offers, and the certificate depends on them.
  static int hello(SSL* ssl, int*, void* self) {
    constexpr std::string_view kOnlyAcme(
        "\0\x0b\x0a"
        "acme-tls/1",
        13);  // ProtocolNameList (RFC 7301 §3.1)
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &bytes, &size) != 1) {
      return SSL_CLIENT_HELLO_SUCCESS;
    }
    const bool asks = std::string_view(reinterpret_cast<const char*>(bytes), size) == kOnlyAcme;
    if (asks && static_cast<const TlsContext*>(self)->has_challenges()) {
      SSL_set_app_data(ssl, const_cast<std::string*>(&kAcmeProtocol));  // read only, in select_protocol
    }
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  static int server_name(SSL* ssl, int*, void* self) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const auto& tls = *static_cast<const TlsContext*>(self);
    const bool is_challenge = SSL_get_app_data(ssl) == &kAcmeProtocol;
    if (name == nullptr) return is_challenge ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
    const ContextPointer context = is_challenge ? tls.challenge_for(name) : tls.context_for(name);
    // WHY: without a challenge of this name the ordinary certificate must not seem to answer one.
    if (!context) return is_challenge ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
    SSL_set_SSL_CTX(ssl, context.get());
    return SSL_TLSEXT_ERR_OK;
  }
};

TlsContext::~TlsContext() = default;

Result<std::shared_ptr<ssl_ctx_st>> TlsContext::make_server_context(const CertificateAndKey& pair) {
  std::shared_ptr<SSL_CTX> context = POSTHUS_TRY(make_context(TLS_server_method()));
  if (SSL_CTX_set1_sigalgs_list(context.get(), kServerSignatures) != 1) {
    return fail(ErrorKind::kIo, "TLS signatures: " + take_openssl_error());
  }
  SSL_CTX_set_client_hello_cb(context.get(), Callbacks::hello, this);
  SSL_CTX_set_tlsext_servername_callback(context.get(), Callbacks::server_name);
  SSL_CTX_set_tlsext_servername_arg(context.get(), this);
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  // RFC 8446 §4.6.1: one ticket per connection is enough for mail clients, which keep theirs open.
  SSL_CTX_set_num_tickets(context.get(), 1);
  POSTHUS_TRY_VOID(use_certificate(context.get(), pair));
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::create_server(const CertificateAndKey& certificate_and_key) {
  std::shared_ptr<TlsContext> result(new TlsContext());
  result->context_ = POSTHUS_TRY(result->make_server_context(certificate_and_key));
  return result;
}

Result<std::shared_ptr<TlsContext>> TlsContext::create_client(const RootCertificates& roots) {
  std::shared_ptr<SSL_CTX> context = POSTHUS_TRY(make_context(TLS_client_method()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  const auto path_or_null = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  const bool is_system = roots.file.empty() && roots.directory.empty();
  const bool has_roots =
      is_system || SSL_CTX_load_verify_locations(context.get(), path_or_null(roots.file), path_or_null(roots.directory)) == 1;
  if (!has_roots) return fail(ErrorKind::kInvalid, "root certificates: " + take_openssl_error());
  ERR_clear_error();
  if (SSL_CTX_dane_enable(context.get()) != 1) return fail(ErrorKind::kIo, "DANE: " + take_openssl_error());
  std::shared_ptr<TlsContext> result(new TlsContext());
  result->context_ = std::move(context);
  result->awaits_system_roots_ = is_system;
  return result;
}

// WHY: the system's roots are a megabyte in memory, which a server that has nothing to send does without.
void TlsContext::load_system_roots() const {
  const std::lock_guard guard(mutex_);
  if (!std::exchange(awaits_system_roots_, false)) return;
  if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) log::warning("tls.no_roots", {{"error", take_openssl_error()}});
  ERR_clear_error();
}

Result<> TlsContext::replace(const CertificateAndKey& certificate_and_key, const std::vector<NamedCertificate>& by_name) {
  ContextPointer context = POSTHUS_TRY(make_server_context(certificate_and_key));
  ContextsByName contexts;
  for (const NamedCertificate& named : by_name) {
    auto made = make_server_context(named.pair);
    if (!made) log::error("tls.certificate_unusable", {{"hostname", named.name}, {"context", made.error().context}});
    if (made) contexts[named.name] = std::move(*made);
  }
  const std::lock_guard guard(mutex_);
  context_.swap(context);
  by_name_.swap(contexts);
  return {};
}

Result<> TlsContext::serve_challenge(const std::string& hostname, const CertificateAndKey& challenge) {
  ContextPointer context = POSTHUS_TRY(make_server_context(challenge));
  const std::lock_guard guard(mutex_);
  challenges_[hostname] = std::move(context);
  return {};
}

void TlsContext::withdraw_challenge(const std::string& hostname) {
  const std::lock_guard guard(mutex_);
  challenges_.erase(hostname);
}

TlsContext::ContextPointer TlsContext::current() const {
  const std::lock_guard guard(mutex_);
  return context_;
}

bool TlsContext::has_challenges() const {
  const std::lock_guard guard(mutex_);
  return !challenges_.empty();
}

TlsContext::ContextPointer TlsContext::challenge_for(std::string_view server_name) const {
  const std::lock_guard guard(mutex_);
  const auto found = challenges_.find(ascii::to_lower(server_name));
  return found == challenges_.end() ? nullptr : found->second;
}

TlsContext::ContextPointer TlsContext::context_for(std::string_view server_name) const {
  const std::lock_guard guard(mutex_);
  if (by_name_.empty()) return nullptr;
  const std::string name = ascii::to_lower(server_name);
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find("*" + name.substr(dot));
  return wildcard == by_name_.end() ? nullptr : wildcard->second;
}

SslPointer TlsContext::accept_on(int fd, const std::string& protocol) const {
  SslPointer ssl(SSL_new(current().get()));
  CHECK(ssl != nullptr);
  CHECK(SSL_set_fd(ssl.get(), fd) == 1);
  SSL_set_app_data(ssl.get(), const_cast<std::string*>(&protocol));  // read only, in select_protocol
  SSL_set_accept_state(ssl.get());
  return ssl;
}

SslPointer TlsContext::connect_on(int fd, const std::string& server_name) const {
  load_system_roots();
  SslPointer ssl(SSL_new(current().get()));
  CHECK(ssl != nullptr);
  CHECK(SSL_set_fd(ssl.get(), fd) == 1);
  if (!server_name.empty() && !parse_ip_address(server_name)) SSL_set_tlsext_host_name(ssl.get(), server_name.c_str());
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace posthus::net
