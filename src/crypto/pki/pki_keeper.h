// SPDX-License-Identifier: Apache-2.0
// A server's side of the factory's PKI, blocking: requests for its keys go out, certificates, CRLs and keys come in, are judged
// (trust_change) and put in force. Called by `birthmark ca install` and, through app/pki_desk, by the factory API: one procedure, two
// doors.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/clock.h"
#include "core/ports/factory_pki.h"
#include "core/ports/registry.h"
#include "core/ports/x509_codec.h"
#include "crypto/pki/key_shelf.h"
#include "crypto/pki/trust_change.h"

namespace birthmark::crypto {

// The names that go into the requests.
struct ServerHostNames {
  std::string gateway;
  std::string ostree;
  std::string est;
};

class PkiKeeper {
 public:
  // Everything referred to must outlive the keeper.
  struct Parts {
    core::Registry& registry;
    const core::X509Codec& codec;
    const core::Clock& clock;
    KeyShelf& keys;
    std::function<std::vector<std::pair<std::string, SpkiHash>>()> held_keys;  // at least those of `keys`
    std::function<Status()> reload;                                            // makes the registry's trust the server's
    std::string factory;
    ServerHostNames hosts{};                                        // for request() only
    std::function<bool(std::string_view user_id)> knows_user = {};  // for submit() only
  };

  explicit PkiKeeper(Parts parts) : parts_(std::move(parts)) {}

  // Files of any kind, in any order. Keys are stored before the change, so that an interrupted call can be repeated.
  [[nodiscard]] Result<TrustJudgement> install(const std::vector<Artefact>& artefacts, const std::string& actor);

  // core::FactoryPki, blocking.
  [[nodiscard]] Result<core::PkiStanding> standing() const;
  [[nodiscard]] Result<core::CertificateRequests> request(const core::CertificateOrder& order, const std::string& actor);
  [[nodiscard]] Status submit(const core::PkiSubmission& submission, const std::string& actor);

 private:
  [[nodiscard]] Result<TrustJudgement> put_in_force(const std::vector<Artefact>& artefacts, TrustSituation situation);
  [[nodiscard]] Result<std::vector<core::AuthorityRecord>> authorities() const;
  [[nodiscard]] Result<PrivateKey> pending_key(KeyPurpose purpose, const std::vector<core::AuthorityRecord>& known);

  const Parts parts_;
};

}  // namespace birthmark::crypto
