// DnsSite: tests/support/dns_site.py as a child process: Knot with signed zones on a loopback port.
#pragma once

#include <string>

namespace posthus::dns {

class DnsSite {
 public:
  /// `json`: the arguments of the Python class. Fails the current test when it does not start.
  explicit DnsSite(const std::string& json);
  ~DnsSite();
  DnsSite(const DnsSite&) = delete;
  DnsSite& operator=(const DnsSite&) = delete;

  const std::string& server() const { return server_; }              // "127.0.0.1@PORT"
  const std::string& trust_anchor() const { return trust_anchor_; }  // a file

 private:
  int child_ = -1, input_ = -1;
  std::string server_, trust_anchor_;
};

}  // namespace posthus::dns
