// SPDX-License-Identifier: Apache-2.0
// A factory with a gateway CA and a pep listener, and the requests of pep's clients to it.
#pragma once

#include <memory>
#include <string>

#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"
#include "test_fcc.h"

namespace birthmark::pep {

class PepServer {
 public:
  // `pep`: more lines for [pep]; `fcu`: more for [fcu].
  explicit PepServer(const std::string& pep = {}, const std::string& fcu = {});

  void start(const std::vector<std::string>& environment = {});
  void stop();
  [[nodiscard]] e2e::ServerProcess& process() { return *server_; }
  [[nodiscard]] const e2e::Factory& factory() const { return factory_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port("pep"); }

  // GET TARGET ("/v3/identity?..."); must answer.
  [[nodiscard]] e2e::Answer get(const std::string& target) const;
  // What pep-cli sends for that serial number (already encoded) and a client at `fcc_port`.
  [[nodiscard]] e2e::Answer provision(const std::string& serial, std::uint16_t fcc_port, const std::string& more = {}) const;
  [[nodiscard]] std::string enrollment_id(const std::string& serial) const;  // the body, "Not found!" when there is none
  // A row of `device list` for that serial number: its status; empty when unknown.
  [[nodiscard]] std::string status_of(const std::string& serial) const;

 private:
  e2e::Factory factory_;
  std::unique_ptr<e2e::ServerProcess> server_;
};

[[nodiscard]] std::string identity_target(const std::string& serial, std::uint16_t fcc_port, const std::string& more = {});

}  // namespace birthmark::pep
