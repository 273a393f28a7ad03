// Whether all that was sent can be read by IMAP.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/client/client.h"

namespace posthus::bench {

inline long inbox_messages(Connection& connection) {
  std::string kept;
  connection.send("s1 STATUS INBOX (MESSAGES)\r\n");
  connection.imap_expect("s1", "STATUS", &kept);
  const std::size_t at = kept.find("MESSAGES ");
  return at == std::string::npos ? -1 : std::stol(kept.substr(at + 9));
}

/// Counts the recipients' messages by IMAP: from when the load began until all that was sent can be read.
class Arrival {
 public:
  Arrival(const Options& options, long users, long count) : wanted_(static_cast<std::size_t>(users)) {
    for (long u = 0; u < users; ++u) {
      watchers_.push_back(std::make_unique<Connection>());
      imap_login(*watchers_.back(), options, options.number("check-port", 0), false, u);
      wanted_[static_cast<std::size_t>(u)] = inbox_messages(*watchers_.back());
    }
    for (long i = 0; i < count; ++i) ++wanted_[static_cast<std::size_t>(i % users)];
  }
  /// Returns false when the messages did not all come within `limit` seconds.
  bool wait(double limit) {
    const double end = now() + limit;
    for (std::size_t u = 0; u < wanted_.size(); ++u) {
      while (inbox_messages(*watchers_[u]) < wanted_[u]) {
        if (now() > end) return false;
        usleep(5'000);  // polling a server that cannot push to us in this protocol
      }
    }
    return true;
  }

 private:
  std::vector<std::unique_ptr<Connection>> watchers_;
  std::vector<long> wanted_;
};

}  // namespace posthus::bench
