// SPDX-License-Identifier: Apache-2.0
// What the controller shows to nodes: its certificates and the key it signs answers with, as one immutable snapshot.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/task.h"
#include "core/ports/signer.h"
#include "core/ports/x509_codec.h"

namespace birthmark::faces::eve {

// What /certs says of one certificate.
enum class ControllerUse : std::uint8_t { signing, intermediate, ecdh };
struct ControllerCertificate {
  ControllerUse use = ControllerUse::signing;
  std::string pem;
};

struct Controller {
  std::vector<ControllerCertificate> published;
  // What answers are signed with. While a new signing certificate is only published, this is still the one before it: nodes keep both.
  std::string signing_pem;
  std::shared_ptr<core::Signer> signer;

  Sha256Digest signing_hash;  // of signing_pem: what nodes know it by (protocol facts, EVE 0.5)
  std::string certificates;   // ZControllerCert, serialized
  std::string fingerprint;    // of `certificates`: changes when nodes have to fetch them again
};

// `published` must hold what nodes demand: exactly one signing certificate, and one for ECDH (protocol facts, EVE 0.4).
[[nodiscard]] Result<std::shared_ptr<const Controller>> make_controller(std::vector<ControllerCertificate> published,
                                                                        std::string signing_pem, std::shared_ptr<core::Signer> signer,
                                                                        const core::X509Codec& codec);

// Where a request takes the controller from; null until there is one.
class ControllerSource {
 public:
  virtual ~ControllerSource() = default;
  [[nodiscard]] virtual std::shared_ptr<const Controller> current() const = 0;
};

// An envelope around `payload`, signed.
[[nodiscard]] Task<Result<std::string>> seal(const Controller& controller, std::string payload);

}  // namespace birthmark::faces::eve
