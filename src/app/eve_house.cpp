// SPDX-License-Identifier: Apache-2.0
#include "app/eve_house.h"

#include <algorithm>

#include "base/file.h"
#include "crypto/node_crypto.h"
#include "crypto/pki/eve_controller.h"

namespace birthmark::app {

using faces::eve::ControllerCertificate;
using faces::eve::ControllerUse;

// While a next signing pair is published, it is the one that nodes are shown; answers are signed with the present one, which they keep
// beside it (protocol facts, EVE section 3, rotation).
Result<std::shared_ptr<const faces::eve::Controller>> EveHouse::read_controller() const {
  BIRTHMARK_TRY(auto signing, crypto::load_key_bundle(parts_.directory / crypto::kEveSigningBundle));
  BIRTHMARK_TRY(const auto ecdh, crypto::load_key_bundle(parts_.directory / crypto::kEveEcdhBundle));
  const std::string signing_pem = signing.certificate.pem();
  std::string published = signing_pem;
  auto next = crypto::load_key_bundle(parts_.directory / crypto::kEveNextSigningBundle);
  if (next) published = next->certificate.pem();
  if (!next && next.error().code != ErrorCode::not_found) return forward_error(next);
  std::vector<ControllerCertificate> certificates{{ControllerUse::signing, published}, {ControllerUse::ecdh, ecdh.certificate.pem()}};
  return faces::eve::make_controller(std::move(certificates), signing_pem, crypto::make_file_signer(std::move(signing.key)), parts_.codec);
}

Result<core::RowId> EveHouse::controller_authority() const {
  BIRTHMARK_TRY(const auto authorities, parts_.registry.authorities());
  const auto ours = std::find_if(authorities.rbegin(), authorities.rend(), [&](const core::AuthorityRecord& authority) {
    return authority.factory == onboarder_.factory() && authority.role == core::kControllerRole &&
           authority.state == core::AuthorityState::active;
  });
  return ours == authorities.rend() ? 0 : ours->row;
}

Result<EveHouse::Candidate> EveHouse::prepare() const {
  Candidate candidate;
  BIRTHMARK_TRY(candidate.authority, controller_authority());
  std::error_code failure;
  if (candidate.authority == 0 || !std::filesystem::exists(parts_.directory / crypto::kEveSigningBundle, failure)) return candidate;
  BIRTHMARK_TRY(candidate.controller, read_controller());
  BIRTHMARK_TRY(const auto key, crypto::load_or_make_sealing_key(parts_.directory / "keys" / "eve-escrow.bin", parts_.random));
  candidate.crypto = crypto::make_node_crypto(key, parts_.random);
  return candidate;
}

// Faces keep a pointer to the first sealer: its key never changes.
void EveHouse::use(Candidate candidate) {
  onboarder_.set_controller(candidate.authority);
  const std::lock_guard lock(mutex_);
  if (!crypto_) crypto_ = std::move(candidate.crypto);
  current_ = std::move(candidate.controller);
}

std::shared_ptr<const faces::eve::Controller> EveHouse::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace birthmark::app
