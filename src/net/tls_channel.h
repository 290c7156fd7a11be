// SPDX-License-Identifier: Apache-2.0
// TLS behind the Channel interface: the handshake happens inside the first receive() or send(). Made by TlsServer::open.
#pragma once

#include <string>

#include "net/channel.h"
#include "net/tls_handles.h"
#include "net/tls_server.h"
#include "net/tls_verifier.h"

namespace birthmark::net::tls {

class TlsChannel final : public Channel {
 public:
  TlsChannel(SslHandle ssl, int descriptor, const PeerIdentity& peer, std::shared_ptr<const TlsServer::Generation> generation,
             const Verifier& verifier, const std::string& listener);

  [[nodiscard]] IoResult receive(std::span<char> into) override;
  [[nodiscard]] IoResult send(std::string_view bytes) override;
  void close_write() override;
  [[nodiscard]] bool everything_acknowledged() const override { return socket_.everything_acknowledged(); }
  void describe(PeerIdentity& peer) override;
  [[nodiscard]] int answer_descriptor() const override;

  // For the verify callback: what was found wrong with the peer's certificate.
  void note_refusal(std::string subject, int error);
  [[nodiscard]] const Verifier& verifier() const { return verifier_; }

 private:
  [[nodiscard]] IoResult failed(int result, std::size_t moved);
  void log_failure(int reason);
  [[nodiscard]] std::shared_ptr<const PeerCertificate> read_peer();
  void leave_jobs_behind();

  const std::shared_ptr<const TlsServer::Generation> generation_;  // what the SSL's callbacks use
  const Verifier& verifier_;
  const std::string& listener_;
  const SslHandle ssl_;
  SocketChannel socket_;
  const std::string peer_address_;
  std::string refused_subject_;
  int refusal_ = X509_V_OK;
  bool described_ = false;
  bool broken_ = false;
  std::shared_ptr<const PeerCertificate> peer_;
};

}  // namespace birthmark::net::tls
