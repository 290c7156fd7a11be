// SPDX-License-Identifier: Apache-2.0
// A listener's side of TLS: who we are, whom we ask for a certificate, and whom we believe. Given to Server::listen; changed while it
// listens by reload(), which new connections see and open ones do not.
//
//   net::TlsServerSettings settings;
//   settings.identities = {{.chain = {certificate_der}, .private_key_pem = pem}};
//   settings.client_certificate = net::ClientCertificate::required;         // or none, optional
//   settings.anchors = {{.der = station_ca_der, .tag = its_registry_row}};  // CAs that sign peers directly; never a root above them
//   settings.name = "admin";                                                // for the log; part of the session id context
//   auto tls = net::TlsServer::create(settings);
//   server.listen(endpoint, handler, {.tls = *tls});
//   ...  request.peer.certificate->chain.front() is the peer's DER certificate; ->anchor is the tag of the CA that signed it.
//
// A peer's certificate is checked for its signature by an anchor, and the dates of both; nothing else. Whether that peer may do what it
// asks is judged per request by the handler: purpose, names, the CA's state. Any CA in the peer's own chain is ignored: what signs a peer
// must be an anchor itself.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/http.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace birthmark::net {

class Channel;

enum class ClientCertificate : std::uint8_t {
  none,      // not asked for
  optional,  // asked for; a peer without one is served, one that does not chain is not
  required,  // a handshake without one fails
};

struct TlsIdentity {
  std::vector<Bytes> chain;             // DER, leaf first
  std::string private_key_pem;          // of the leaf; empty: `private_key`
  std::vector<std::string> names = {};  // chosen when the peer asks for one of these (SNI); the first identity serves everybody else
  // A key that signs by asking somebody, such as a token: with an ASYNC job that pauses (SSL_MODE_ASYNC), so that no other connection of
  // the thread waits for it.
  std::shared_ptr<evp_pkey_st> private_key = nullptr;
};

struct TlsAnchor {
  Bytes der;
  std::int64_t tag = 0;  // the caller's: comes back in PeerCertificate::anchor
};

struct TlsServerSettings {
  std::string name;  // of the listener
  std::vector<TlsIdentity> identities;
  ClientCertificate client_certificate = ClientCertificate::none;
  std::vector<TlsAnchor> anchors;
  // Whatever certificate a peer shows is let through once it proved to hold the key: the handler knows it, or does not, by its exact bytes.
  bool any_certificate = false;
  // Certificates signed directly by one of these are let through with PeerCertificate::under_root, so that the handler can say why not.
  std::vector<Bytes> known_roots;
  unsigned tickets = 0;  // sent after a full handshake; 0: no resumption (DECISIONS.md, TLS)
};

class TlsServer {
 public:
  // An error names the listener and what does not fit: a key that is not the certificate's, a certificate that cannot be read.
  [[nodiscard]] static Result<std::shared_ptr<TlsServer>> create(const TlsServerSettings& settings);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // From any thread. On an error everything stays as it was.
  [[nodiscard]] Status reload(const TlsServerSettings& settings);
  // The same in two steps, so that several listeners change together or not at all.
  struct Generation;  // what one reload made (tls_server.cpp)
  [[nodiscard]] static Result<std::shared_ptr<const Generation>> prepare(const TlsServerSettings& settings);
  void use(std::shared_ptr<const Generation> generation);

  // For the engine: TLS on a connected, non-blocking socket, which it does not own. Null when there is no memory.
  [[nodiscard]] std::unique_ptr<Channel> open(int descriptor, const PeerIdentity& peer) const;

 private:
  TlsServer() = default;
  mutable std::mutex mutex_;
  std::shared_ptr<const Generation> current_;
};

}  // namespace birthmark::net
