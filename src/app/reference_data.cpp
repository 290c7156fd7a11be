// SPDX-License-Identifier: Apache-2.0
#include "app/reference_data.h"

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"

namespace birthmark::app {
namespace {

namespace fs = std::filesystem;

Result<std::string> required_file(const fs::path& path) {
  auto text = read_file(path);
  if (!text && text.error().code == ErrorCode::not_found) return fail(ErrorCode::not_found, "Missing file: " + path.string());
  return text;
}

Result<crypto::Certificate> certificate_in(const fs::path& path, const std::string& text) {
  auto certificate = crypto::Certificate::from_pem(text);
  if (!certificate) return fail(ErrorCode::invalid, path.string() + ": " + certificate.error().public_message, certificate.error().detail);
  return certificate;
}

// Hidden files (".gitkeep") are nobody's device.
Result<std::vector<fs::directory_entry>> entries_of(const fs::path& directory) {
  std::error_code failure;
  std::vector<fs::directory_entry> entries;
  for (auto entry = fs::directory_iterator(directory, failure); !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    if (!entry->path().filename().string().starts_with('.')) entries.push_back(*entry);
  }
  if (failure) return fail(ErrorCode::not_found, "cannot read " + directory.string() + ": " + failure.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

Result<ReferenceDevice> read_device(const fs::directory_entry& entry, const std::string& factory, core::DeviceIdRule rule, bool allow_rsa) {
  constexpr std::size_t kMaxBytes = 65'536;
  ReferenceDevice device;
  device.file = entry.path().filename().string();
  BIRTHMARK_TRY(device.identity, core::identify(factory, core::Ecosystem::foundries, device.file, rule));
  if (!entry.is_regular_file()) return fail(ErrorCode::invalid, "it is not a regular file");
  BIRTHMARK_TRY(const std::string text, read_file(entry.path(), kMaxBytes));
  BIRTHMARK_TRY(const crypto::PublicKey key, crypto::read_public_key_pem(text, allow_rsa));
  device.key = key.spki_sha256;
  return device;
}

}  // namespace

Result<ReferencePki> read_reference_pki(const fs::path& directory) {
  ReferencePki pki;
  BIRTHMARK_TRY(pki.root_pem, required_file(directory / "factory_ca.pem"));
  BIRTHMARK_TRY(pki.local_ca_pem, required_file(directory / "local-ca.pem"));
  BIRTHMARK_TRY(pki.local_ca_key_pem, required_file(directory / "local-ca.key"));
  BIRTHMARK_TRY(const std::string tls_pem, required_file(directory / "tls-crt"));
  BIRTHMARK_TRY(const auto root, certificate_in(directory / "factory_ca.pem", pki.root_pem));
  BIRTHMARK_TRY(const auto local_ca, certificate_in(directory / "local-ca.pem", pki.local_ca_pem));
  BIRTHMARK_TRY(const auto tls, certificate_in(directory / "tls-crt", tls_pem));
  auto key = crypto::PrivateKey::from_pem(pki.local_ca_key_pem);
  if (!key) return fail(ErrorCode::invalid, (directory / "local-ca.key").string() + ": " + key.error().public_message, key.error().detail);
  if (key->spki_sha256() != local_ca.spki_sha256())
    return fail(ErrorCode::invalid, (directory / "local-ca.key").string() + " is not the key of local-ca.pem");
  for (const auto& [name, certificate] : {std::pair("local-ca.pem", &local_ca), std::pair("tls-crt", &tls)}) {
    if (!certificate->is_signed_by(root))
      return fail(ErrorCode::invalid, (directory / name).string() + " is not signed by factory_ca.pem beside it");
  }
  const auto units = local_ca.organizational_units();
  if (units.empty())
    return fail(ErrorCode::invalid, (directory / "local-ca.pem").string() + " names no factory: its subject has no organizational unit");
  pki.root_der = root.der();
  pki.local_ca_der = local_ca.der();
  pki.factory = units.front();
  const auto names = tls.dns_names();
  if (names.empty()) return fail(ErrorCode::invalid, (directory / "tls-crt").string() + " names no host: it has no DNS subjectAltName");
  pki.gateway_dns = names.front();
  pki.ostree_dns = names.size() > 1 ? names[1] : names.front();
  return pki;
}

bool all_are_uuids(const fs::path& directory) {
  const auto entries = entries_of(directory);
  if (!entries) return true;
  return std::all_of(entries->begin(), entries->end(),
                     [](const fs::directory_entry& entry) { return parse_uuid(entry.path().filename().string()).has_value(); });
}

Result<ReferenceDevices> read_reference_devices(const fs::path& directory, const std::string& factory, core::DeviceIdRule rule,
                                                bool allow_rsa) {
  ReferenceDevices found;
  std::map<std::string, std::string> files;  // id -> the file that named it first
  BIRTHMARK_TRY(const auto entries, entries_of(directory));
  for (const fs::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    const auto problem = [&](const std::string& why) { found.problems.push_back((directory / name).string() + ": " + why); };
    auto device = read_device(entry, factory, rule, allow_rsa);
    if (!device) {
      problem(device.error().public_message);
      continue;
    }
    const auto [first, fresh] = files.emplace(device->identity.external_id, name);
    if (fresh)
      found.devices.push_back(std::move(*device));
    else
      problem("it is the same device as " + first->second);
  }
  return found;
}

std::string read_reference_token(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return {};
  const auto text = read_file(file);
  if (!text) return {};
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text->substr(first, text->find_first_of(" \t\r\n", first) - first);
}

}  // namespace birthmark::app
