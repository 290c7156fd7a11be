// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/site_authority.h"

#include <arpa/inet.h>

#include <array>

#include "base/file.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/profiles.h"

namespace birthmark::crypto {
namespace {

constexpr const char* kCertificateFile = "site-ca.pem";
constexpr const char* kKeyFile = "site-ca.key";

// The key first: a certificate without its key would be of no use, and the next call goes on from the key.
Result<PrivateKey> load_or_make_key(const std::filesystem::path& path) {
  auto key = PrivateKey::load(path);
  if (key || key.error().code != ErrorCode::not_found) return key;
  BIRTHMARK_TRY(PrivateKey made, PrivateKey::generate_p256());
  BIRTHMARK_TRY(const std::string pem, made.to_pem());
  BIRTHMARK_CHECK(create_file(path, pem, 0600));
  return made;
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return ::inet_pton(AF_INET, name.c_str(), octets.data()) == 1 || ::inet_pton(AF_INET6, name.c_str(), octets.data()) == 1;
}

}  // namespace

Result<SiteAuthority> SiteAuthority::load(const std::filesystem::path& directory) {
  BIRTHMARK_TRY(const std::string pem, read_file(directory / kCertificateFile));
  BIRTHMARK_TRY(Certificate certificate, Certificate::from_pem(pem));
  BIRTHMARK_TRY(PrivateKey key, PrivateKey::load(directory / "keys" / kKeyFile));
  if (certificate.spki_sha256() != key.spki_sha256()) {
    return fail(ErrorCode::misconfigured,
                (directory / "keys" / kKeyFile).string() + " is not the key of " + (directory / kCertificateFile).string());
  }
  const auto units = certificate.organizational_units();
  return SiteAuthority(std::move(certificate), std::move(key), units.empty() ? std::string() : units.front());
}

Result<SiteAuthority> SiteAuthority::load_or_make(const std::filesystem::path& directory, const std::string& factory, core::Random& random,
                                                  Instant now) {
  auto known = load(directory);
  if (known || known.error().code != ErrorCode::not_found) return known;
  BIRTHMARK_TRY(const PrivateKey key, load_or_make_key(directory / "keys" / kKeyFile));
  BIRTHMARK_TRY(const Certificate certificate, make_site_ca_certificate(key, factory, random, now));
  const Status made = create_file(directory / kCertificateFile, certificate.pem(), 0644);
  if (!made && made.error().code != ErrorCode::conflict) return tl::make_unexpected(made.error());
  return load(directory);
}

Result<Certificate> SiteAuthority::certify_server(const PrivateKey& key, const std::string& common_name,
                                                  const std::vector<std::string>& names, core::Random& random, Instant now) const {
  CsrSubject subject;
  subject.common_name = common_name;
  subject.organizational_unit = factory_;
  for (const std::string& name : names) (is_address(name) ? subject.ip_addresses : subject.dns_names).push_back(name);
  BIRTHMARK_TRY(const std::string pem, make_csr_pem(key, subject));
  BIRTHMARK_TRY(const CertificateRequest request, CertificateRequest::from_pem(pem));
  return sign_tls_server({certificate_, key_}, request, NameCopying::dns_email_ip_uri, random, now);
}

Result<Certificate> SiteAuthority::certify_holder(const CertificateRequest& request, const std::string& holder, Duration validity,
                                                  core::Random& random, Instant now) const {
  return make_holder_certificate({certificate_, key_}, request, holder, factory_, validity, random, now);
}

}  // namespace birthmark::crypto
