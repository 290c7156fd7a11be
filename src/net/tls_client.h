// SPDX-License-Identifier: Apache-2.0
// TLS as a client: one context per set of trust files, one channel per connection. Used by net/client.cpp alone; OpenSSL stays in
// tls_client.cpp. The peer is always checked (chain and host name) unless PeerCheck says otherwise, which warns each time.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/channel.h"
#include "net/client.h"

namespace birthmark::net {

class TlsClientContext {
 public:
  // Reads the files of `trust`; misconfigured, naming the file, when one cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<TlsClientContext>> create(const TlsTrust& trust);
  virtual ~TlsClientContext() = default;

  // A connection to be made over `descriptor`, which it does not own. `host`: the name or address that was asked for.
  [[nodiscard]] virtual Result<std::unique_ptr<class TlsClientChannel>> connect(int descriptor, const std::string& host) = 0;
};

class TlsClientChannel : public Channel {
 public:
  // Call until it answers neither want_read nor want_write. `done`: the peer is who was asked for.
  [[nodiscard]] virtual IoState handshake() = 0;
  // After `broken`: what TLS says about it, and whether the reason is a certificate that will not become good by asking again.
  [[nodiscard]] virtual Error failure() const = 0;
};

}  // namespace birthmark::net
