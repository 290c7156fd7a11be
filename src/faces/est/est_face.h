// SPDX-License-Identifier: Apache-2.0
// EST (RFC 7030) under /.well-known/est/ of the gateway's listener: cacerts, simpleenroll, simplereenroll, csrattrs. README.md beside this
// says which clauses hold and where we deviate for the clients there are. Translates; decides nothing.
#pragma once

#include <functional>
#include <vector>

#include "core/device_gate.h"
#include "core/ports/clock.h"
#include "core/renewer.h"
#include "net/http.h"

namespace birthmark::faces::est {

class EstFace : public net::Handler {
 public:
  using Bundle = std::function<Bytes(const std::vector<ByteView>&)>;  // certs-only PKCS#7

  // All of it outlives the face.
  EstFace(core::DeviceGate& gate, core::Renewer& renewer, core::TrustStore& trust, const core::Clock& clock, Bundle bundle)
      : gate_(gate), renewer_(renewer), trust_(trust), clock_(clock), bundle_(std::move(bundle)) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  // What a client demands of a success (protocol facts, gateway 3.6).
  enum class Dialect : std::uint8_t { fioconfig, rfc };

  [[nodiscard]] Task<net::Response> enroll(const net::Request& request, Dialect dialect);
  [[nodiscard]] net::Response certificate_authorities() const;

  core::DeviceGate& gate_;
  core::Renewer& renewer_;
  core::TrustStore& trust_;
  const core::Clock& clock_;
  const Bundle bundle_;
};

}  // namespace birthmark::faces::est
