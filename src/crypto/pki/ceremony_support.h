// SPDX-License-Identifier: Apache-2.0
// What the ceremony steps share: reading requests, finding or making a key, holding the root. Internal to crypto/pki.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/pki/ceremony.h"
#include "crypto/pki/pki_directory.h"
#include "crypto/pki/profiles.h"

namespace birthmark::crypto {

// A root with its key, ready to sign.
struct OpenRoot {
  Certificate certificate;
  PrivateKey key;
  [[nodiscard]] RootAuthority authority() const { return {certificate, key}; }
};

[[nodiscard]] Result<OpenRoot> open_root(const PkiDirectory& directory);

// The single OU of a root: the factory's name.
[[nodiscard]] Result<std::string> factory_of(const Certificate& root);

// Reads a request file; an error names it. Its OU, where it has one, must be `factory` (empty: not asked).
[[nodiscard]] Result<CertificateRequest> read_request(const std::filesystem::path& path, const std::string& factory);

// The same for online-ca.csr in `directory`, which must have an OU: a server trusts only device CAs of its factory.
[[nodiscard]] Result<CertificateRequest> read_online_ca_request(const std::filesystem::path& directory, const std::string& factory);

// An OU that is not there is fine, another one is not.
[[nodiscard]] Status check_factory(const std::vector<std::string>& organizational_units, const std::string& factory,
                                   const std::string& whose);

// "20261120T162301Z", for names of artefacts.
[[nodiscard]] std::string compact_time(Instant at);

}  // namespace birthmark::crypto
