// SPDX-License-Identifier: Apache-2.0
// OpenSSL's own API throughout: what the gateway reads must not come from the code that reads it.
#include "device_fleet.h"

#include <openssl/ec.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "base/file.h"
#include "base/text.h"

namespace birthmark::bench {
namespace {

constexpr long kValidSeconds = 20L * 365 * 24 * 3'600;

struct Issuer {
  crypto::X509Handle certificate;
  crypto::PkeyHandle key;
};

Result<Issuer> load_issuer(const std::filesystem::path& pki) {
  BIRTHMARK_TRY(const std::string certificate, read_file(pki / "local-ca.pem"));
  BIRTHMARK_TRY(const std::string key, read_file(pki / "local-ca.key"));
  const crypto::BioHandle certificate_text(BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const crypto::BioHandle key_text(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  Issuer issuer{crypto::X509Handle(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr)),
                crypto::PkeyHandle(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr))};
  if (!issuer.certificate || !issuer.key) return crypto::openssl_failure(ErrorCode::misconfigured, "the local CA cannot be read");
  return issuer;
}

bool add_name(X509_NAME* name, const char* type, const std::string& value) {
  const auto* octets = reinterpret_cast<const unsigned char*>(value.data());
  return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, octets, static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_extension(X509* to, int id, const char* value) {
  const crypto::X509ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, nullptr, id, value));
  return extension && X509_add_ext(to, extension.get(), -1) == 1;
}

bool sign_device(FleetDevice& device, const Issuer& issuer, const std::string& factory, std::uint64_t serial) {
  X509* made = device.certificate.get();
  X509_NAME* subject = X509_get_subject_name(made);
  return X509_set_version(made, X509_VERSION_3) == 1 && ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial) == 1 &&
         add_name(subject, "CN", device.uuid) && add_name(subject, "OU", factory) &&
         X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate.get())) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(made), -3'600) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(made), kValidSeconds) != nullptr && X509_set_pubkey(made, device.key.get()) == 1 &&
         add_extension(made, NID_key_usage, "critical,digitalSignature") && add_extension(made, NID_ext_key_usage, "critical,clientAuth") &&
         X509_sign(made, issuer.key.get(), EVP_sha256()) > 0;
}

}  // namespace

Result<std::vector<FleetDevice>> make_fleet(std::size_t count, const std::filesystem::path& pki, const std::string& factory) {
  BIRTHMARK_TRY(const Issuer issuer, load_issuer(pki));
  std::vector<FleetDevice> fleet(count);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = next++; i < count && !failed; i = next++) {
      Uuid uuid;
      for (std::uint8_t& octet : uuid) octet = static_cast<std::uint8_t>(random());
      fleet[i].uuid = format_uuid(uuid);
      fleet[i].key.reset(EVP_EC_gen("P-256"));
      fleet[i].certificate.reset(X509_new());
      const std::uint64_t serial = random() >> 1U;
      if (!fleet[i].key || !fleet[i].certificate || !sign_device(fleet[i], issuer, factory, serial)) failed = true;
    }
  };
  std::random_device seeds;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    threads.emplace_back(work, (std::uint64_t{seeds()} << 32U) | seeds());
  for (std::thread& thread : threads) thread.join();
  if (failed) return fail(ErrorCode::internal, "OpenSSL makes no device certificates");
  return fleet;
}

}  // namespace birthmark::bench
