// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/eve_controller.h"

#include <arpa/inet.h>

#include <array>

#include "base/file.h"
#include "base/pem.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/profiles.h"

namespace birthmark::crypto {
namespace {

constexpr mode_t kKeyMode = 0400;
constexpr mode_t kPublicMode = 0644;

struct Root {
  Certificate certificate;
  PrivateKey key;
};

// The key first: a certificate without its key would be of no use, and the next call goes on from the key.
Result<Root> load_or_make_root(const EveCeremony& ceremony) {
  BIRTHMARK_CHECK(make_directory(ceremony.pki, 0700));
  const auto key_path = ceremony.pki / kEveRootKeyFile, path = ceremony.pki / kEveRootFile;
  auto key = PrivateKey::load(key_path);
  if (!key && key.error().code == ErrorCode::not_found) {
    if (std::error_code failure; std::filesystem::exists(path, failure))
      return fail(ErrorCode::misconfigured, key_path.string() + " is missing beside " + path.string() + ": bring it back, or name its PKI");
    key = PrivateKey::generate_p256();
    if (!key) return forward_error(key);
    BIRTHMARK_TRY(const std::string pem, key->to_pem());
    BIRTHMARK_CHECK(create_file(key_path, pem, kKeyMode));
  }
  if (!key) return forward_error(key);
  auto text = read_file(path);
  if (!text && text.error().code == ErrorCode::not_found) {
    BIRTHMARK_TRY(const Certificate made, make_eve_root_certificate(*key, ceremony.factory, ceremony.random, ceremony.now));
    BIRTHMARK_CHECK(create_file(path, made.pem(), 0400));
    text = made.pem();
  }
  if (!text) return forward_error(text);
  BIRTHMARK_TRY(Certificate certificate, Certificate::from_pem(*text));
  if (certificate.spki_sha256() != key->spki_sha256())
    return fail(ErrorCode::misconfigured, key_path.string() + " is not the key of " + path.string());
  return Root{std::move(certificate), std::move(*key)};
}

void add_name(CsrSubject& subject, const std::string& name) {
  std::array<std::uint8_t, 16> address{};
  const bool numeric = ::inet_pton(AF_INET, name.c_str(), address.data()) == 1 || ::inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
  (numeric ? subject.ip_addresses : subject.dns_names).push_back(name);
}

Result<std::string> make_bundle(const EveCeremony& ceremony, const Root& root, const std::string& common_name,
                                const std::vector<std::string>& names) {
  CsrSubject subject;
  subject.common_name = common_name;
  subject.organizational_unit = ceremony.factory;
  for (const std::string& name : names) add_name(subject, name);
  BIRTHMARK_TRY(const PrivateKey key, PrivateKey::generate_p256());
  BIRTHMARK_TRY(const std::string pem, make_csr_pem(key, subject));
  BIRTHMARK_TRY(const CertificateRequest request, CertificateRequest::from_pem(pem));
  BIRTHMARK_TRY(const Certificate certificate,
                sign_tls_server({root.certificate, root.key}, request, NameCopying::dns_email_ip_uri, ceremony.random, ceremony.now));
  return encode_key_bundle(certificate, key);
}

Status make_missing(const EveCeremony& ceremony, const Root& root, const char* file, const std::string& common_name,
                    const std::vector<std::string>& names) {
  const auto path = ceremony.server / file;
  if (std::error_code failure; std::filesystem::exists(path, failure)) return {};
  BIRTHMARK_TRY(const std::string bundle, make_bundle(ceremony, root, common_name, names));
  return create_file(path, bundle, kKeyMode);
}

Status renew(const EveCeremony& ceremony, const char* file, const std::string& common_name, const std::vector<std::string>& names) {
  BIRTHMARK_TRY(const Root root, load_or_make_root(ceremony));
  BIRTHMARK_TRY(const std::string known, read_file(ceremony.server / kEveRootCopy));
  if (known != root.certificate.pem())
    return fail(ErrorCode::misconfigured, (ceremony.pki / kEveRootFile).string() + " is not the root of " +
                                              (ceremony.server / kEveRootCopy).string() + ": nodes would not believe what it signs");
  BIRTHMARK_TRY(const std::string bundle, make_bundle(ceremony, root, common_name, names));
  return replace_file(ceremony.server / file, bundle, kKeyMode);
}

std::string first_or(const std::vector<std::string>& names, const std::string& otherwise) {
  return names.empty() ? otherwise : names.front().substr(0, 64);
}

}  // namespace

Result<KeyBundle> load_key_bundle(const std::filesystem::path& path) {
  BIRTHMARK_TRY(PrivateKey key, PrivateKey::load(path));
  BIRTHMARK_TRY(const std::string text, read_file(path));
  auto certificate = Certificate::from_pem(text);
  if (!certificate) return fail(ErrorCode::misconfigured, path.string() + ": " + certificate.error().public_message);
  if (certificate->spki_sha256() != key.spki_sha256())
    return fail(ErrorCode::misconfigured, path.string() + ": the key is not that of the certificate");
  return KeyBundle{std::move(*certificate), std::move(key)};
}

Result<std::string> encode_key_bundle(const Certificate& certificate, const PrivateKey& key) {
  BIRTHMARK_TRY(const std::string pem, key.to_pem());
  return certificate.pem() + pem;
}

Status make_eve_controller(const EveCeremony& ceremony, const std::vector<std::string>& names) {
  BIRTHMARK_TRY(const Root root, load_or_make_root(ceremony));
  const auto copy = ceremony.server / kEveRootCopy;
  auto known = read_file(copy);
  if (!known && known.error().code != ErrorCode::not_found) return tl::make_unexpected(known.error());
  if (known && *known != root.certificate.pem())
    return fail(ErrorCode::conflict, copy.string() + " is another root than " + (ceremony.pki / kEveRootFile).string());
  BIRTHMARK_CHECK(make_missing(ceremony, root, kEveTlsBundle, first_or(names, "eve controller"), names));
  BIRTHMARK_CHECK(make_missing(ceremony, root, kEveSigningBundle, "eve controller signing", {}));
  BIRTHMARK_CHECK(make_missing(ceremony, root, kEveEcdhBundle, "eve controller ecdh", {}));
  if (!known) return create_file(copy, root.certificate.pem(), kPublicMode);
  return {};
}

Status renew_eve_tls(const EveCeremony& ceremony, const std::vector<std::string>& names) {
  return renew(ceremony, kEveTlsBundle, first_or(names, "eve controller"), names);
}

Status publish_next_eve_signing(const EveCeremony& ceremony) {
  return renew(ceremony, kEveNextSigningBundle, "eve controller signing", {});
}

Status sign_with_next_eve_signing(const std::filesystem::path& server) {
  auto next = read_file(server / kEveNextSigningBundle);
  if (!next && next.error().code == ErrorCode::not_found)
    return fail(ErrorCode::conflict, "no next signing certificate is published yet: birthmark onboard rotate publish");
  if (!next) return tl::make_unexpected(next.error());
  BIRTHMARK_CHECK(load_key_bundle(server / kEveNextSigningBundle));
  BIRTHMARK_CHECK(replace_file(server / kEveSigningBundle, *next, kKeyMode));
  std::error_code failure;
  std::filesystem::remove(server / kEveNextSigningBundle, failure);  // left behind it is the same certificate, published twice: harmless
  return sync_directory(server / "keys");
}

Status renew_eve_ecdh(const EveCeremony& ceremony) {
  return renew(ceremony, kEveEcdhBundle, "eve controller ecdh", {});
}

Result<SelfSigned> make_onboarding_certificate(const std::string& common_name, core::Random& random, Instant now, int years) {
  BIRTHMARK_TRY(const PrivateKey key, PrivateKey::generate_p256());
  BIRTHMARK_TRY(const Certificate certificate, make_self_signed_server(key, common_name, random, now, years));
  BIRTHMARK_TRY(std::string pem, key.to_pem());
  return SelfSigned{certificate.pem(), std::move(pem)};
}

}  // namespace birthmark::crypto
