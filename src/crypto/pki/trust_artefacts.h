// SPDX-License-Identifier: Apache-2.0
// What was handed in, taken apart: certificates, CRLs and keys with the artefact each came from. Internal to crypto/pki.
#pragma once

#include <string>
#include <vector>

#include "crypto/pki/certificate.h"
#include "crypto/pki/crl.h"
#include "crypto/pki/trust_change.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

// The artefacts, taken apart. `from` is the name of the file.
struct HandedCertificate {
  std::string from;
  Certificate certificate;
  ArtefactKind kind = ArtefactKind::any;
  bool in_bundle = false;  // one of several in its file
};
struct HandedCrl {
  std::string from;
  Crl crl;
};
struct HandedKey {
  std::string from;
  PrivateKey key;
};
struct Handed {
  std::vector<HandedCertificate> certificates;
  std::vector<HandedCrl> crls;
  std::vector<HandedKey> keys;
};

// An error names the artefact: unreadable, empty, or not what its kind must be.
[[nodiscard]] Result<Handed> take_apart(const std::vector<Artefact>& artefacts);

// "FROM: WHY", which is what every refusal of an artefact says.
[[nodiscard]] tl::unexpected<Error> refuse(const std::string& from, const std::string& why, ErrorCode code = ErrorCode::forbidden);

}  // namespace birthmark::crypto
