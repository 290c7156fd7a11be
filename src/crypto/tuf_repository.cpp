// SPDX-License-Identifier: Apache-2.0
// The JSON is canonical by hand - members in order, no spaces - because its bytes are what is signed.
#include "crypto/tuf_repository.h"

#include <array>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {
namespace {

constexpr std::array<const char*, 4> kRoles{"root", "snapshot", "targets", "timestamp"};  // in the order of canonical JSON
constexpr Duration kRootLife = std::chrono::hours(24 * 3650);
constexpr Duration kMetadataLife = std::chrono::hours(24 * 365);

struct TufKey {
  PkeyHandle key;
  std::string public_hex;
  std::string id;
};
using TufKeys = std::map<std::string, TufKey>;  // by role

Result<PkeyHandle> load_or_make(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) {
    BIRTHMARK_TRY(const std::string pem, read_file(path));
    const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    PkeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519)
      return openssl_failure(ErrorCode::misconfigured, path.string() + " is not an Ed25519 key");
    return key;
  }
  PkeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!key || !bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_failure(ErrorCode::internal, "an Ed25519 key cannot be made");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  BIRTHMARK_CHECK(create_file(path, std::string_view(text, static_cast<std::size_t>(size)), 0600));
  return key;
}

// A key is known by the SHA-256 of its public half as a JSON string, which is how aktualizr computes it.
Result<TufKey> read_key(const std::filesystem::path& path) {
  TufKey made;
  BIRTHMARK_TRY(made.key, load_or_make(path));
  std::array<std::uint8_t, 32> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(made.key.get(), raw.data(), &size) != 1)
    return openssl_failure(ErrorCode::internal, "the public half of a key cannot be read");
  made.public_hex = to_hex(raw);
  made.id = to_hex(sha256(as_bytes("\"" + made.public_hex + "\"")).view());
  return made;
}

Result<std::string> sign(const TufKey& key, const std::string& canonical) {
  const DigestContextHandle context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 64> signature{};
  std::size_t size = signature.size();
  const auto* message = reinterpret_cast<const unsigned char*>(canonical.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message, canonical.size()) != 1)
    return openssl_failure(ErrorCode::internal, "update metadata cannot be signed");
  return R"({"signatures":[{"keyid":")" + key.id + R"(","method":"ed25519","sig":")" + to_base64(signature) + R"("}],"signed":)" +
         canonical + "}";
}

std::string root_of(const TufKeys& keys, Instant expires) {
  std::map<std::string, std::string> by_id;
  for (const auto& [role, key] : keys) by_id[key.id] = key.public_hex;
  std::string text = R"({"_type":"Root","consistent_snapshot":false,"expires":")" + format_rfc3339(expires) + R"(","keys":{)";
  for (bool first = true; const auto& [id, hex] : by_id) {
    text += std::string(first ? "" : ",") + "\"" + id + R"(":{"keytype":"ED25519","keyval":{"public":")" + hex + "\"}}";
    first = false;
  }
  text += R"(},"roles":{)";
  for (bool first = true; const char* role : kRoles) {
    text += std::string(first ? "" : ",") + "\"" + role + R"(":{"keyids":[")" + keys.at(role).id + R"("],"threshold":1})";
    first = false;
  }
  return text + R"(},"version":1})";
}

std::string file_entry(const std::string& file) {
  return R"({"hashes":{"sha256":")" + to_hex(sha256(as_bytes(file)).view()) + R"("},"length":)" + std::to_string(file.size()) +
         R"(,"version":1})";
}

}  // namespace

Status create_tuf_repository(const std::filesystem::path& directory, Instant now) {
  const auto repository = directory / "repo", key_directory = directory / "keys";
  if (std::filesystem::exists(repository / "timestamp.json")) return {};  // what is written last
  BIRTHMARK_CHECK(make_directory(directory, 0700));
  BIRTHMARK_CHECK(make_directory(repository, 0755));
  BIRTHMARK_CHECK(make_directory(key_directory, 0700));
  TufKeys keys;
  for (const char* role : kRoles) {
    BIRTHMARK_TRY(keys[role], read_key(key_directory / (std::string(role) + ".key")));
  }
  const std::string expires = format_rfc3339(now + kMetadataLife);
  BIRTHMARK_TRY(const std::string root, sign(keys.at("root"), root_of(keys, now + kRootLife)));
  BIRTHMARK_TRY(const std::string targets,
                sign(keys.at("targets"), R"({"_type":"Targets","expires":")" + expires + R"(","targets":{},"version":1})"));
  const std::string meta = R"({"_type":"Snapshot","expires":")" + expires + R"(","meta":{"root.json":)" + file_entry(root) +
                           R"(,"targets.json":)" + file_entry(targets) + R"(},"version":1})";
  BIRTHMARK_TRY(const std::string snapshot, sign(keys.at("snapshot"), meta));
  BIRTHMARK_TRY(const std::string timestamp,
                sign(keys.at("timestamp"), R"({"_type":"Timestamp","expires":")" + expires + R"(","meta":{"snapshot.json":)" +
                                               file_entry(snapshot) + R"(},"version":1})"));
  for (const auto& [name, text] : {std::pair<const char*, const std::string&>{"1.root.json", root},
                                   {"root.json", root},
                                   {"targets.json", targets},
                                   {"snapshot.json", snapshot},
                                   {"timestamp.json", timestamp}})
    BIRTHMARK_CHECK(replace_file(repository / name, text, 0644));
  return {};
}

}  // namespace birthmark::crypto
