// Verifying DKIM signatures in tests, relaxed/relaxed only: enough to see that what is signed is what was stored.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/base64.h"
#include "core/base/hash.h"
#include "core/mail/header.h"
#include "core/mailauth/dkim_canon.h"

namespace posthus::testing::dkim {

using mailauth::RelaxedBody;
using mailauth::signed_header;

inline std::string body_hash(std::string_view body) {
  RelaxedBody relaxed;
  relaxed.append(body);
  return std::string(as_view(relaxed.finish()));
}

inline std::string hash_of(std::string_view text) { return std::string(as_view(sha256(text))); }

/// The tags of a tag-list (RFC 6376 §3.2), white space taken out of the values.
inline std::map<std::string, std::string> tags_of(std::string_view field) {
  std::map<std::string, std::string> tags;
  std::string text;
  for (const char c : field.substr(field.find(':') + 1)) {
    if (c > ' ') text.push_back(c);
  }
  std::stringstream list(text);
  for (std::string tag; std::getline(list, tag, ';');) tags[tag.substr(0, tag.find('='))] = tag.substr(tag.find('=') + 1);
  return tags;
}

inline std::vector<std::string_view> names_of(std::string_view list) {
  std::vector<std::string_view> names;
  for (;;) {
    const std::size_t end = list.find(':');
    names.push_back(list.substr(0, end));
    if (end == std::string_view::npos) return names;
    list.remove_prefix(end + 1);
  }
}

/// `field` with the value of b= taken out (RFC 6376 §3.7). REQUIRES: b= is not the first tag.
inline std::string without_signature(std::string_view field) {
  std::size_t begin = field.find("b=", field.find_first_of("; \t"));
  while (std::string_view("; \t\n").find(field[begin - 1]) == std::string_view::npos) begin = field.find("b=", begin + 1);
  const std::size_t end = std::min(field.find(';', begin), field.size());
  return std::string(field.substr(0, begin + 2)) + std::string(field.substr(end));
}

inline bool is_verified(const std::string& record, std::string_view digest, std::string_view signature) {
  const std::map<std::string, std::string> tags = tags_of(":" + record);
  const std::string key = base64_decode(tags.at("p")).value();
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  const auto* signed_bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const auto* digest_bytes = reinterpret_cast<const unsigned char*>(digest.data());
  if (tags.at("k") == "ed25519") {
    EVP_PKEY* public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes, key.size());
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, public_key), 1);
    const bool is_good = EVP_DigestVerify(context, signed_bytes, signature.size(), digest_bytes, digest.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return is_good;
  }
  EVP_PKEY* public_key = d2i_PUBKEY(nullptr, &bytes, static_cast<long>(key.size()));
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(public_key, nullptr);
  EXPECT_EQ(EVP_PKEY_verify_init(context), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
  const bool is_good = EVP_PKEY_verify(context, signed_bytes, signature.size(), digest_bytes, digest.size()) == 1;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(public_key);
  return is_good;
}

inline std::vector<std::string_view> signatures_in(std::string_view header) {
  std::vector<std::string_view> fields;
  mail::for_each_field(header, [&](const mail::HeaderField& field) {
    if (field.name == "DKIM-Signature") fields.push_back(field.raw);
    return true;
  });
  return fields;
}

/// Is the one signature `field` right for `message` (which does not hold it)? Only relaxed/relaxed.
inline bool holds(std::string_view field, std::string_view message, const std::string& record) {
  const std::map<std::string, std::string> tags = tags_of(field);
  const std::size_t end = mail::header_end(message).value_or(message.size());
  if (base64_encode(body_hash(message.substr(end))) != tags.at("bh")) return false;
  const std::string text = signed_header(message.substr(0, end), names_of(tags.at("h")), without_signature(field));
  return is_verified(record, hash_of(text), base64_decode(tags.at("b")).value());
}

}  // namespace posthus::testing::dkim
