// A small HTTP/1.1 client over the admin socket: one request per connection, answers with Content-Length only (our own
// server's). Thread rule: blocking; the command line only.
#pragma once

#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/function_ref.h"
#include "core/base/result.h"
#include "web-admin/request.h"

namespace posthus::main {

/// Errors: kNotFound when nobody listens on `path`; kDenied; kIo.
Result<UniqueFd> connect_unix(const std::string& path);

/// Sends `head_fields` ("Name: value\r\n", ...) and `length` bytes taken from `body` piece by piece (it answers an empty view
/// at the end), and reads the answer. An answer that comes before the body is through is taken as well.
Result<web_admin::Response> exchange(UniqueFd socket, std::string_view method, std::string_view target,
                                     std::string_view head_fields, std::uint64_t length,
                                     FunctionRef<Result<std::string_view>()> body);

}  // namespace posthus::main
