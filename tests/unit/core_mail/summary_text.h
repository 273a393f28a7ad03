// A Summary as text, so that tests can compare whole summaries and show where they differ.
#pragma once

#include <string>

#include "core/mail/summary.h"

namespace posthus::mail {

inline std::string to_text(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) out += "[" + name + "=" + value + "]";
  return out;
}

inline std::string to_text(const Part& part) {
  std::string out = std::to_string(part.header_begin) + "-" + std::to_string(part.body_begin) + "-" +
                    std::to_string(part.body_end) + " lines " + std::to_string(part.lines) + " subtree " +
                    std::to_string(part.subtree);
  if (part.is_message) out += " message";
  if (part.is_multipart) out += " multipart";
  out += " " + part.type + "/" + part.subtype + to_text(part.parameters) + " " + part.encoding + " id:" + part.id +
         " description:" + part.description + " md5:" + part.md5 + " disposition:" + part.disposition +
         to_text(part.disposition_parameters) + " location:" + part.location;
  for (const std::string& language : part.languages) out += " language:" + language;
  return out + " envelope:" + part.envelope + "\n";
}

inline std::string to_text(const Summary& summary) {
  std::string out = "size " + std::to_string(summary.size) + " header " + std::to_string(summary.header_size);
  if (summary.has_leading_dot) out += " dot";
  if (summary.has_8bit) out += " 8bit";
  if (summary.has_nul) out += " nul";
  out += "\n" + summary.envelope + "\n" + summary.cached_fields + "\n";
  for (const Part& part : summary.parts) out += to_text(part);
  return out;
}

/// The summary of `message` fed in pieces of `cut` bytes.
inline Summary summarise_cut(std::string_view message, std::size_t cut) {
  SummaryBuilder builder;
  for (std::size_t i = 0; i < message.size(); i += cut) builder.append(message.substr(i, cut));
  return builder.finish();
}

/// What is wrong with the offsets of the tree; empty when every part lies in its parent behind its elder siblings.
inline std::string nesting_faults(const Summary& summary) {
  const std::vector<Part>& parts = summary.parts;
  if (parts.empty() || parts[0].subtree != parts.size()) return "root";
  if (parts[0].header_begin != 0 || parts[0].body_begin != summary.header_size || parts[0].body_end != summary.size)
    return "root offsets";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    if (part.header_begin > part.body_begin || part.body_begin > part.body_end) return "order in " + std::to_string(i);
    if (part.is_message && (part.subtree < 2 || parts[i + 1].subtree + 1 != part.subtree)) return "message " + std::to_string(i);
    std::uint64_t before = part.body_begin;
    for (std::size_t child = i + 1; child < i + part.subtree; child += parts[child].subtree) {
      if (parts[child].header_begin < before || parts[child].body_end > part.body_end) return "child " + std::to_string(child);
      if (child + parts[child].subtree > i + part.subtree) return "subtree " + std::to_string(child);
      before = parts[child].body_end;
    }
  }
  return {};
}

}  // namespace posthus::mail
