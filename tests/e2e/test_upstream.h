// SPDX-License-Identifier: Apache-2.0
// `birthmark upstream test-server` as a child process, always on the same port, so that it can be down for a while.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "child_process.h"
#include "server_process.h"

namespace birthmark::e2e {

class TestUpstream {
 public:
  // Takes a port; nothing listens yet.
  explicit TestUpstream(const std::filesystem::path& scratch);

  // `more`: options of the command. HTTPS when they name a certificate.
  void start(double fail_share = 0, const Arguments& more = {});
  void stop();
  void set_token(const std::string& token);  // what it asks for from its next start on

  // [upstream] of a factory: this one, its token in a file of mode 0600.
  void configure(const Factory& factory, const std::string& more = {}, const std::string& origin = "http://127.0.0.1") const;
  [[nodiscard]] std::filesystem::path token_file(const Factory& factory) const { return factory.directory() / "upstream.token"; }

  [[nodiscard]] std::string url(const std::string& origin = "http://127.0.0.1") const {
    return origin + ":" + std::to_string(port_) + "/ota/devices/";
  }
  // Of the record: device id -> public key (PEM). A device that stands in it twice fails the test.
  [[nodiscard]] std::map<std::string, std::string> devices() const;
  [[nodiscard]] std::string record() const;

 private:
  std::filesystem::path scratch_;
  std::uint16_t port_ = 0;
  std::string token_ = "a-token-of-the-upstream";
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace birthmark::e2e
