// XML as we write it: text that cannot break out. XML 1.0 §2.2, §2.4. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace posthus::web_admin {

/// For element content and attribute values, in XML and HTML: & < > " ' as references; what XML does not allow (control
/// characters, broken UTF-8) becomes U+FFFD.
std::string xml_escape(std::string_view text);

}  // namespace posthus::web_admin
