// SPDX-License-Identifier: Apache-2.0
// The list of faces, and how hostile what they read may be.
#include <algorithm>

#include "app/face.h"
#include "base/file.h"
#include "crypto/pki/key_shelf.h"

namespace birthmark::app {

const std::vector<Face>& all_faces() {
  static const std::vector<Face> faces{
      registration_face(),  // the line's network: anybody there under open trust
      admin_face(),         // operators
      gateway_face(),       // the internet; devices show certificates
      api_face(),           // the internet; callers show tokens
      eve_face(),           // the internet; anybody may ask, nodes prove their keys
      pep_face(),           // the line's network, as registration; and what gateways there answer
  };
  return faces;
}

const Face* find_face(std::string_view name) {
  const auto& faces = all_faces();
  const auto found = std::find_if(faces.begin(), faces.end(), [&](const Face& face) { return face.name == name; });
  return found == faces.end() ? nullptr : &*found;
}

Result<net::TlsServerSettings> factory_tls_settings(const Site& site, std::string_view face) {
  const auto trust = site.trust();
  if (!trust->tls_server) {
    return fail(ErrorCode::misconfigured,
                "the " + std::string(face) + " listener has no TLS certificate: sign " + (site.directory() / "csr" / "tls.csr").string() +
                    " with the factory's root, then: birthmark ca install --dir " + site.directory().string() + " tls-crt");
  }
  net::TlsServerSettings settings;
  settings.name = face;
  BIRTHMARK_TRY(auto identity, factory_tls_identity(site, trust->tls_server->der));
  settings.identities.push_back(std::move(identity));
  return settings;
}

// Which key it is, its certificate says: the factory API makes a new one for each rotation.
Result<net::TlsIdentity> factory_tls_identity(const Site& site, const Bytes& certificate) {
  const std::filesystem::path keys = site.directory() / "keys";
  BIRTHMARK_TRY(const auto facts, site.codec().read_certificate(certificate));
  // One in a token is the one that the configuration names.
  if (crypto::pkcs11::is_uri(site.config().tls_key)) {
    BIRTHMARK_TRY(const auto in_token, site.keys().public_key(site.config().tls_key));
    if (in_token == facts.spki_sha256) {
      BIRTHMARK_TRY(auto held, site.keys().tls_key(site.config().tls_key));
      net::TlsIdentity identity{{certificate}, {}, {}};
      identity.private_key = std::move(held.in_token);
      return identity;
    }
  }
  BIRTHMARK_TRY(const std::string file, crypto::KeyShelf(keys).file_of(facts.spki_sha256));
  BIRTHMARK_TRY(auto key, read_file(keys / file));
  return net::TlsIdentity{{certificate}, std::move(key), {}};
}

}  // namespace birthmark::app
