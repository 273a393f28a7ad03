// What a mail program must know, and how each kind of program wants to be told: Thunderbird's autoconfig 1.1, Outlook's
// autodiscover ([MS-OXDSCLI] §2.2.4), Apple's configuration profiles (com.apple.mail.managed). Pure functions of the settings:
// whether an account exists plays no part, so nobody can find out by asking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/certificate.h"

namespace posthus::web_admin {

enum class MailProtocol : std::uint8_t { kImap, kPop3, kSubmission };
enum class Encryption : std::uint8_t { kTls, kStartTls };
struct ClientServer {
  MailProtocol protocol = MailProtocol::kImap;
  Encryption encryption = Encryption::kTls;
  std::uint16_t port = 0;
};
struct ClientSettings {
  std::string domain, hostname;
  std::vector<ClientServer> servers;  // of each protocol the better first: TLS from the first byte (RFC 8314 §3)
  const ClientServer* find(MailProtocol protocol) const;
};

/// Thunderbird and others: any address of the domain.
std::string autoconfig_xml(const ClientSettings& settings);
/// Outlook: for one address.
std::string autodiscover_xml(const ClientSettings& settings, std::string_view address);
/// Its way of saying no: 500 unknown address, 600 invalid request, 601 no such schema.
std::string autodiscover_error(int code, std::string_view message);
/// Apple: the profile as a property list, not signed.
std::string apple_profile(const ClientSettings& settings, std::string_view address);
/// The same within a CMS signature (RFC 5652), DER. Errors: kInvalid (certificate and key), kIo.
Result<std::string> sign_profile(std::string_view profile, const net::CertificateAndKey& pair);

}  // namespace posthus::web_admin
