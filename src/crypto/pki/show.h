// SPDX-License-Identifier: Apache-2.0
// What `ca show` prints: the certificates of a PKI directory (made by this tool or by fioctl) or of single files, in sections whose
// headings and order scripts know (protocol facts, Foundries 1.11).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/crl.h"

namespace birthmark::crypto {

struct PkiView {
  std::vector<Certificate> roots;
  std::vector<Certificate> tls;
  std::vector<Certificate> device_cas;        // without revoked ones
  std::vector<Crl> crls;                      // only when shown from files
  std::vector<std::string> disabled_serials;  // by the CRLs that lie beside the certificates
  std::vector<std::string> revoked_serials;
};

enum class ShowSection { all, root, tls, device_cas };

struct ShowOptions {
  bool pretty = false;
  ShowSection section = ShowSection::all;
};

[[nodiscard]] Result<PkiView> view_directory(const std::filesystem::path& directory);
// Each file may hold several certificates and CRLs, with prose between them.
[[nodiscard]] Result<PkiView> view_files(const std::vector<std::filesystem::path>& files);
[[nodiscard]] std::string render(const PkiView& view, const ShowOptions& options);

}  // namespace birthmark::crypto
