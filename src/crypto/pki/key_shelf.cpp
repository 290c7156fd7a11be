// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/key_shelf.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace birthmark::crypto {
namespace {

constexpr mode_t kMadeMode = 0600;
constexpr mode_t kKeptMode = 0400;
constexpr std::string_view kExtension = ".key";

}  // namespace

std::string_view to_string(KeyPurpose purpose) {
  switch (purpose) {
    case KeyPurpose::tls: return "tls";
    case KeyPurpose::online_ca: return "online-ca";
    case KeyPurpose::est_tls: return "est-tls";
  }
  return "";
}

bool has_purpose(std::string_view file_name, KeyPurpose purpose) {
  if (!file_name.ends_with(kExtension)) return false;
  const std::string_view stem = file_name.substr(0, file_name.size() - kExtension.size());
  const std::string_view name = to_string(purpose);
  return stem == name || (stem.starts_with(name) && stem[name.size()] == '-');
}

std::vector<HeldKey> KeyShelf::held() const {
  std::vector<HeldKey> held;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, failure)) {
    if (entry.path().extension() != kExtension) continue;
    if (auto key = PrivateKey::load(entry.path())) held.push_back({entry.path().filename().string(), key->spki_sha256()});
  }
  std::sort(held.begin(), held.end(), [](const HeldKey& a, const HeldKey& b) { return a.file_name < b.file_name; });
  return held;
}

Result<PrivateKey> KeyShelf::load(const std::string& file_name) const {
  return PrivateKey::load(directory_ / file_name);
}

Result<PrivateKey> KeyShelf::make(KeyPurpose purpose) {
  constexpr std::size_t kNameDigits = 8;
  BIRTHMARK_TRY(PrivateKey key, PrivateKey::generate_p256());
  BIRTHMARK_TRY(std::string pem, key.to_pem());
  const std::string name =
      std::string(to_string(purpose)) + "-" + to_hex(key.spki_sha256().view()).substr(0, kNameDigits) + std::string(kExtension);
  const Status written = create_file(directory_ / name, pem, kMadeMode);
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!written) return tl::make_unexpected(written.error());
  return key;
}

Status KeyShelf::keep(const std::string& file_name, const std::string& pem) {
  const Status made = create_file(directory_ / file_name, pem, kKeptMode);
  if (made || made.error().code != ErrorCode::conflict) return made;
  // A key that an interrupted run already stored is the same file.
  const auto present = read_file(directory_ / file_name);
  return present && *present == pem ? Status() : made;
}

Result<std::string> KeyShelf::file_of(const SpkiHash& spki) const {
  for (const HeldKey& one : held()) {
    if (one.spki == spki) return one.file_name;
  }
  return fail(ErrorCode::misconfigured,
              "none of the keys in " + directory_.string() + " (*.key, readable by their owner only) belongs to the installed certificate");
}

}  // namespace birthmark::crypto
