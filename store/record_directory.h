// Encodings of the directory's records: domain, user, usage, alias, token. Each begins with a version byte; decoding
// arbitrary bytes gives a record or kCorrupt. Texts are a length and bytes (core/base/bytes.h).
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "store/records.h"

namespace posthus::store {

std::string encode_domain_record(const DomainRecord& record);
Result<DomainRecord> decode_domain_record(std::string_view bytes);

std::string encode_user_record(const UserRecord& record);
Result<UserRecord> decode_user_record(std::string_view bytes);

std::string encode_usage(const Usage& usage);
Result<Usage> decode_usage(std::string_view bytes);

std::string encode_alias_record(const AliasRecord& record);
Result<AliasRecord> decode_alias_record(std::string_view bytes);

std::string encode_token_record(const TokenRecord& record);
Result<TokenRecord> decode_token_record(std::string_view bytes);

}  // namespace posthus::store
