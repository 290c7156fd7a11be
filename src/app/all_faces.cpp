// SPDX-License-Identifier: Apache-2.0
// The list of faces, and how hostile what they read may be.
#include <algorithm>

#include "app/face.h"
#include "base/file.h"

namespace birthmark::app {

const std::vector<Face>& all_faces() {
  static const std::vector<Face> faces{
      registration_face(),  // the line's network: anybody there under open trust
      admin_face(),         // operators
      gateway_face(),       // the internet; devices show certificates
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
  BIRTHMARK_TRY(auto key, read_file(site.directory() / "keys" / "tls.key"));
  net::TlsServerSettings settings;
  settings.name = face;
  settings.identities.push_back({{trust->tls_server->der}, std::move(key)});
  return settings;
}

}  // namespace birthmark::app
