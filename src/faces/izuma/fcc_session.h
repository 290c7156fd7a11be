// SPDX-License-Identifier: Apache-2.0
// A conversation with one Factory Configurator Client: it is the server, we connect (protocol facts, pep 5.2). Sends what it is given,
// once; never tries again what may have arrived.
#pragma once

#include <memory>
#include <string>

#include "base/secret.h"
#include "core/ports/x509_codec.h"
#include "faces/izuma/fcc_reply.h"
#include "net/outgoing.h"

namespace birthmark::faces::izuma {

struct FccTimes {
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds exchange{120'000};  // a TPM may need long to make a key
};

class FccSession {
 public:
  // `codec` must outlive it.
  [[nodiscard]] static Task<Result<std::unique_ptr<FccSession>>> open(std::string address, std::uint16_t port, FccTimes times,
                                                                      const core::X509Codec& codec);

  // Sends one message and waits for its answer. An answer with another ReturnStatus than 0 is an answer, not an error.
  [[nodiscard]] Task<Result<FccReply>> exchange(SecretBytes message);
  // Whether the client may have got a whole message of ours.
  [[nodiscard]] bool may_have_arrived() const { return connection_->anything_sent(); }

 private:
  FccSession(std::unique_ptr<net::OutgoingConnection> connection, FccTimes times, const core::X509Codec& codec)
      : connection_(std::move(connection)), times_(times), codec_(codec) {}
  [[nodiscard]] Task<Result<FccReply>> receive(net::Deadline deadline);

  std::unique_ptr<net::OutgoingConnection> connection_;
  const FccTimes times_;
  const core::X509Codec& codec_;
};

}  // namespace birthmark::faces::izuma
