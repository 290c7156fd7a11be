// SPDX-License-Identifier: Apache-2.0
// A TLS client for tests: OpenSSL's own, with everything it does set by the test. Every wait has a deadline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "raw_peer.h"
#include "test_certificates.h"

namespace birthmark::net_test {

struct TlsPeerOptions {
  const testing::TestCertificate* certificate = nullptr;  // shown to the server
  std::vector<const testing::TestCertificate*> also_sent = {};
  std::string server_name = {};
  std::string version = {};  // "1.2", "1.3", "1.1"; empty: as OpenSSL likes
  std::string suites = {};   // of TLS 1.2
  std::string session = {};  // of an earlier peer, to resume
};

class TlsPeer {
 public:
  TlsPeer(std::uint16_t port, const TlsPeerOptions& options);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // The handshake as the client sees it: in TLS 1.3 it ends before the server judged our certificate.
  [[nodiscard]] bool connect();
  // Nothing when the connection ended first; failure() says why.
  [[nodiscard]] std::optional<Answer> ask(std::string_view request);
  bool send(std::string_view bytes);
  [[nodiscard]] std::optional<Answer> receive();
  void shutdown();  // close_notify

  [[nodiscard]] const std::string& failure() const { return failure_; }  // "... alert unknown ca ..."
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string server_subject() const;  // the common name
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] std::string session() const;

 private:
  struct State;
  [[nodiscard]] bool wait(int result);
  RawPeer socket_;
  std::unique_ptr<State> state_;
  std::string held_;
  std::string failure_;
};

// The first octets of a handshake, for a RawPeer to send as badly as it likes.
[[nodiscard]] std::string client_hello();

}  // namespace birthmark::net_test
