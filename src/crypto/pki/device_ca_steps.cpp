// SPDX-License-Identifier: Apache-2.0
// `ca add-device-ca`, `ca rotate-tls`, `ca sign` and `ca update`: what the root signs after the PKI stands.
#include <algorithm>
#include <array>

#include "base/pem.h"
#include "crypto/pki/ceremony_support.h"

namespace birthmark::crypto {
namespace {

// Names that mean something else in a PKI directory.
Status check_local_ca_filename(const std::string& name) {
  if (!is_plain_name(name)) return fail(ErrorCode::invalid, "--local-ca-filename takes a file name without a path, not '" + name + "'");
  constexpr std::array<std::string_view, 5> kTaken{kRootFile, kTlsFile, kOnlineCaFile, "factory_ca", "factory_ca.bundle.pem"};
  const bool taken = std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end() || name.ends_with(".key") || name.ends_with(".bak") ||
                     name.ends_with(".new") || name.ends_with(".csr") || name == ".pem";
  if (taken) return fail(ErrorCode::invalid, "'" + name + "' cannot be the name of a local CA's file");
  return {};
}

Result<std::string> local_ca_common_name(const PkiDirectory& directory, const std::string& owner, const std::string& factory) {
  if (!owner.empty()) return "fio-" + owner;
  BIRTHMARK_TRY(const auto first, directory.certificate(kLocalCaFile));
  if (first && first->common_names().size() == 1) return first->common_names().front();
  return "fio-" + factory;
}

// The name must be free, and a key that already lies there must be a leftover, not another CA's.
Status check_local_ca_is_new(const PkiDirectory& directory, const OpenRoot& root, const std::string& name) {
  std::error_code problem;
  if (std::filesystem::exists(std::filesystem::symlink_status(directory.file(name), problem))) {
    return fail(ErrorCode::conflict, directory.file(name).string() + " is there already: choose another --local-ca-filename");
  }
  BIRTHMARK_TRY(const auto key, directory.key(key_file_for(name)));
  if (!key) return {};
  BIRTHMARK_TRY(const auto others, directory.device_cas(root.certificate));
  for (const NamedCertificate& other : others) {
    if (other.certificate.spki_sha256() == key->spki_sha256()) {
      return fail(ErrorCode::conflict, key_file_for(name) + " is the key of " + other.name + ": choose another --local-ca-filename");
    }
  }
  if (key->spki_sha256() == root.certificate.spki_sha256()) {
    return fail(ErrorCode::conflict, key_file_for(name) + " is the root's key: choose another --local-ca-filename");
  }
  return {};
}

Status add_local(const CeremonyTools& tools, const AddDeviceCaRequest& request, const PkiDirectory& directory, const OpenRoot& root,
                 const std::string& factory, CeremonyOutcome& outcome) {
  tools.say("Creating the local device CA " + request.local_ca_filename);
  BIRTHMARK_TRY(const std::string common_name, local_ca_common_name(directory, request.owner, factory));
  const std::string key_name = key_file_for(request.local_ca_filename);
  BIRTHMARK_TRY(const PrivateKey key, directory.find_or_make_key(key_name));
  BIRTHMARK_TRY(const Certificate made, make_local_ca_certificate(root.authority(), key, common_name, factory, tools.random, tools.now));
  BIRTHMARK_CHECK(directory.create(request.local_ca_filename, made.pem()));
  outcome.artefacts.push_back(directory.file(request.local_ca_filename));
  if (!directory.in_vault(key_name)) outcome.artefacts.push_back(directory.file(key_name));
  return {};
}

Status add_online(const CeremonyTools& tools, const CertificateRequest& csr, const PkiDirectory& directory, const OpenRoot& root,
                  CeremonyOutcome& outcome) {
  tools.say("Signing the online device CA; its predecessor is kept as online-crt.bak and stays trusted");
  BIRTHMARK_TRY(const Certificate made, sign_device_ca(root.authority(), csr, tools.random, tools.now));
  BIRTHMARK_CHECK(directory.succeed(kOnlineCaFile, made.pem()));
  outcome.artefacts.push_back(directory.file(kOnlineCaFile));
  return {};
}

// Two files of their own; those of a predecessor must be moved away first, so that nobody's key is overwritten.
Result<CeremonyOutcome> add_gateway_ca(const CeremonyTools& tools, const PkiDirectory& directory, const OpenRoot& root,
                                       const std::string& factory) {
  std::error_code problem;
  if (std::filesystem::exists(std::filesystem::symlink_status(directory.file(kGatewayCaFile), problem)))
    return fail(ErrorCode::conflict, directory.file(kGatewayCaFile).string() + " is there already: move it and its key away first");
  if (root.key.default_scheme() != core::SignatureScheme::ecdsa_sha256)
    return fail(ErrorCode::misconfigured, "the root's key is not on P-256: gateways take only CAs that are signed with ecdsa-with-SHA256");
  tools.say("Creating the gateway CA; it ends with the root, at " + format_rfc3339(root.certificate.not_after()));
  const std::string key_name = key_file_for(kGatewayCaFile);
  BIRTHMARK_TRY(const PrivateKey key, directory.find_or_make_key(key_name));
  BIRTHMARK_TRY(const Certificate made, make_gateway_ca_certificate(root.authority(), key, factory, tools.random, tools.now));
  BIRTHMARK_CHECK(directory.create(kGatewayCaFile, made.pem()));
  if (directory.in_vault(key_name)) return CeremonyOutcome{{directory.file(kGatewayCaFile)}, {}};
  return CeremonyOutcome{{directory.file(key_name), directory.file(kGatewayCaFile)}, {}};
}

// A certificate that may stand in a bundle of device CAs.
Status check_bundled_ca(const Certificate& certificate, const Certificate& root, const std::string& factory) {
  const std::string whose = "the certificate " + certificate.subject_text();
  if (!certificate.is_ca()) return fail(ErrorCode::invalid, whose + " is no CA");
  if (certificate.subject_der() == root.subject_der()) return fail(ErrorCode::invalid, whose + " has the root's name: it is no device CA");
  if (!certificate.is_signed_by(root)) return fail(ErrorCode::invalid, whose + " is not signed by this factory's root");
  if (certificate.organizational_units() != std::vector<std::string>{factory}) {
    return fail(ErrorCode::invalid, whose + " does not name the factory '" + factory + "' (OU)");
  }
  return {};
}

}  // namespace

Result<CeremonyOutcome> add_device_ca(const CeremonyTools& tools, const AddDeviceCaRequest& request) {
  const bool others = request.online_ca || request.local_ca;
  if (request.gateway_ca && others)
    return fail(ErrorCode::invalid, "--profile pep makes the gateway CA alone: leave --online-ca and --local-ca out");
  if (!request.gateway_ca && !others) return fail(ErrorCode::invalid, "say which: --online-ca, --local-ca or both");
  if (request.online_ca && request.csr_directory.empty()) {
    return fail(ErrorCode::invalid, "--online-ca needs --csr-dir DIR with the server's " + std::string(kOnlineCaRequestFile));
  }
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(request.directory, tools.vault));
  BIRTHMARK_TRY(const FileDescriptor lock, directory.lock());
  BIRTHMARK_TRY(const OpenRoot root, open_root(directory));
  BIRTHMARK_TRY(const std::string factory, factory_of(root.certificate));
  if (request.gateway_ca) return add_gateway_ca(tools, directory, root, factory);
  // Everything that can be wrong is looked at before the first file is made.
  if (request.local_ca) {
    BIRTHMARK_CHECK(check_local_ca_filename(request.local_ca_filename));
    BIRTHMARK_CHECK(check_local_ca_is_new(directory, root, request.local_ca_filename));
  }
  std::optional<CertificateRequest> csr;
  if (request.online_ca) {
    BIRTHMARK_TRY(csr, read_online_ca_request(request.csr_directory, factory));
  }
  CeremonyOutcome outcome;
  if (csr) BIRTHMARK_CHECK(add_online(tools, *csr, directory, root, outcome));
  if (request.local_ca) BIRTHMARK_CHECK(add_local(tools, request, directory, root, factory, outcome));
  return outcome;
}

Result<CeremonyOutcome> rotate_tls(const CeremonyTools& tools, const RotateTlsRequest& request) {
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(request.directory, tools.vault));
  BIRTHMARK_TRY(const FileDescriptor lock, directory.lock());
  BIRTHMARK_TRY(const OpenRoot root, open_root(directory));
  BIRTHMARK_TRY(const std::string factory, factory_of(root.certificate));
  BIRTHMARK_TRY(const CertificateRequest csr, read_request(request.csr, factory));
  tools.say("Signing the TLS certificate; its predecessor is kept as tls-crt.bak");
  BIRTHMARK_TRY(const Certificate made, sign_tls_server(root.authority(), csr, NameCopying::dns_only, tools.random, tools.now));
  BIRTHMARK_CHECK(directory.succeed(kTlsFile, made.pem()));
  return CeremonyOutcome{{directory.file(kTlsFile)}, {}};
}

Result<std::string> sign_request(const CeremonyTools& tools, const std::filesystem::path& directory_path, std::string_view request_pem) {
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(directory_path, tools.vault));
  BIRTHMARK_TRY(const OpenRoot root, open_root(directory));
  BIRTHMARK_TRY(const CertificateRequest request, CertificateRequest::from_pem(request_pem));
  if (request.asks_for_ca()) {
    BIRTHMARK_TRY(const Certificate made, sign_device_ca(root.authority(), request, tools.random, tools.now));
    return made.pem();
  }
  BIRTHMARK_TRY(const Certificate made, sign_tls_server(root.authority(), request, NameCopying::dns_email_ip_uri, tools.random, tools.now));
  return made.pem();
}

Result<CeremonyOutcome> update_device_cas(const CeremonyTools& tools, const std::filesystem::path& directory_path,
                                          std::string_view bundle_pem) {
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(directory_path));
  BIRTHMARK_TRY(const Certificate root, directory.root());
  BIRTHMARK_TRY(const std::string factory, factory_of(root));
  BIRTHMARK_TRY(const auto blocks, decode_pem(bundle_pem));
  std::vector<std::string> pems;
  for (const PemBlock& block : blocks) {
    if (block.label != "CERTIFICATE")
      return fail(ErrorCode::invalid, "the bundle holds a " + block.label + "; only certificates belong there");
    BIRTHMARK_TRY(const Certificate certificate, Certificate::from_der(block.contents));
    BIRTHMARK_CHECK(check_bundled_ca(certificate, root, factory));
    std::string pem = certificate.pem();
    if (std::find(pems.begin(), pems.end(), pem) == pems.end()) pems.push_back(std::move(pem));
  }
  if (pems.empty()) return fail(ErrorCode::invalid, "the bundle holds no certificate");
  std::string joined = pems.front();
  for (std::size_t i = 1; i < pems.size(); ++i) joined += "\n" + pems[i];  // the join rule of the original (Foundries 1.3)
  BIRTHMARK_TRY(const std::string name, directory.create_artefact("device-cas-" + compact_time(tools.now), joined));
  tools.say("Checked " + std::to_string(pems.size()) + " device CA(s)");
  return CeremonyOutcome{{directory.file(name)}, {}};
}

}  // namespace birthmark::crypto
