// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509_codec.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/pem.h"
#include "crypto/certificate_reader.h"
#include "crypto/certificate_template.h"
#include "crypto/csr_reader.h"
#include "crypto/digest.h"
#include "crypto/name_reader.h"
#include "crypto/openssl.h"
#include "crypto/other_csr_shape.h"
#include "crypto/p256_verifier.h"

namespace birthmark::crypto {
namespace {

constexpr std::size_t kCsrLimit = 64U << 10U;
constexpr unsigned kP256Bits = 256;

// Where the first certificate request of `text` begins; other blocks and explanatory text before it are passed over.
std::size_t find_request(std::string_view text) {
  constexpr std::array<std::string_view, 2> kOpenings = {"-----BEGIN CERTIFICATE REQUEST-----", "-----BEGIN NEW CERTIFICATE REQUEST-----"};
  std::size_t first = std::string_view::npos;
  for (const std::string_view opening : kOpenings) {
    std::size_t at = text.find(opening);
    while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n') at = text.find(opening, at + 1);
    first = std::min(first, at);
  }
  return first;
}

// Checks the proof of possession (RFC 2986 section 3, note 1), then makes facts of it.
Result<core::CsrFacts> accept(CsrView&& view) {
  switch (verify_p256(view.point, view.to_be_signed, view.signature)) {
    case SignatureVerdict::good: break;
    case SignatureVerdict::wrong_signature: return fail(ErrorCode::invalid, "The certificate request's own signature is wrong.");
    case SignatureVerdict::key_not_on_curve:
      return fail(ErrorCode::invalid, "The certificate request is malformed: its public key is not a point on P-256.");
  }
  core::CsrFacts facts;
  facts.subject_der = to_bytes(view.subject);
  facts.subject = std::move(view.attributes);
  facts.spki_der = to_bytes(view.spki);
  facts.spki_sha256 = SpkiHash{sha256(view.spki).octets};
  facts.key_algorithm = core::KeyAlgorithm::ec_p256;
  facts.key_bits = kP256Bits;
  return facts;
}

class OwnX509Codec final : public core::X509Codec {
 public:
  explicit OwnX509Codec(CodecOptions options) : options_(options) {}

  Result<core::CsrFacts> read_csr_pem(std::string_view text) const override {
    const std::size_t at = find_request(text);
    if (at == std::string_view::npos) return fail(ErrorCode::invalid, "Unable to load PEM file. There is no CERTIFICATE REQUEST block.");
    Result<PemBlock> block = decode_first_pem(text.substr(at));
    if (!block) return fail(ErrorCode::invalid, "Unable to load PEM file. " + block.error().public_message + ".");
    return read_csr_der(block->contents);
  }

  Result<core::CsrFacts> read_csr_der(ByteView der) const override {
    if (der.size() > kCsrLimit) return fail(ErrorCode::too_large, "The certificate request is larger than 64 KiB.");
    CsrReading reading = read_csr(der);
    if (auto* const view = std::get_if<CsrView>(&reading)) return accept(std::move(*view));
    if (const auto* const malformed = std::get_if<Malformed>(&reading))
      return fail(ErrorCode::invalid, "The certificate request is malformed: " + std::string(malformed->reason) + ".");
    return read_other_shape(der, std::get<OtherShape>(reading).key_algorithm, options_);
  }

  Result<core::CertificateFacts> read_certificate(ByteView der) const override { return crypto::read_certificate(der); }

  Result<Bytes> encode_to_be_signed(const core::CertificatePlan& plan) const override { return crypto::encode_to_be_signed(plan); }

  Bytes assemble_certificate(ByteView to_be_signed, core::SignatureScheme scheme, ByteView signature) const override {
    return crypto::assemble_certificate(to_be_signed, scheme, signature);
  }

  Result<Bytes> with_business_category(ByteView subject_der, std::string_view category) const override {
    return set_business_category(subject_der, category);
  }
  Result<Bytes> without_business_category(ByteView subject_der) const override { return remove_business_category(subject_der); }

  Result<Bytes> key_identifier(ByteView spki_der) const override { return crypto::key_identifier(spki_der); }

  Sha256Digest sha256(ByteView bytes) const override { return crypto::sha256(bytes); }

 private:
  CodecOptions options_;
};

Status fill_from_system(std::span<std::uint8_t> to) {
  while (!to.empty()) {
    const auto part = to.first(std::min<std::size_t>(to.size(), INT_MAX));
    if (RAND_bytes(part.data(), static_cast<int>(part.size())) != 1)
      return openssl_failure(ErrorCode::unavailable, "The system gives no random numbers.");
    to = to.subspan(part.size());
  }
  return {};
}

// A serial needs ten octets and an id sixteen, and each call of RAND_bytes costs a microsecond whatever it fetches: each thread keeps a
// small supply. No octet is given out twice, and what was given out is wiped here.
class SystemRandom final : public core::Random {
 public:
  Status fill(std::span<std::uint8_t> to) override {
    thread_local Supply supply;
    if (to.size() > supply.octets.size() / 4) return fill_from_system(to);
    if (to.size() > supply.left) {
      supply.left = 0;
      BIRTHMARK_CHECK(fill_from_system(supply.octets));
      supply.left = supply.octets.size();
    }
    const auto given = std::span(supply.octets).subspan(supply.octets.size() - supply.left, to.size());
    std::copy(given.begin(), given.end(), to.begin());
    OPENSSL_cleanse(given.data(), given.size());
    supply.left -= to.size();
    return {};
  }

 private:
  struct Supply {
    std::array<std::uint8_t, 512> octets{};
    std::size_t left = 0;  // at the end of octets
    ~Supply() { OPENSSL_cleanse(octets.data(), octets.size()); }
  };
};

}  // namespace

Result<std::unique_ptr<core::X509Codec>> make_x509_codec(CodecOptions options) {
  // What is fetched once for the process is fetched here, so that a broken OpenSSL installation stops the start and not a request.
  for (const char* const name : {"SHA256", "SHA384", "SHA512", "SHA1"})
    if (!DigestHandle(EVP_MD_fetch(nullptr, name, nullptr)))
      return openssl_failure(ErrorCode::misconfigured, "OpenSSL offers no SHA digests.");
  if (!PkeyHandle(EVP_EC_gen("P-256"))) return openssl_failure(ErrorCode::misconfigured, "OpenSSL offers no P-256 keys.");
  return std::unique_ptr<core::X509Codec>(std::make_unique<OwnX509Codec>(options));
}

std::unique_ptr<core::Random> make_system_random() {
  return std::make_unique<SystemRandom>();
}

}  // namespace birthmark::crypto
