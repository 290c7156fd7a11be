// SPDX-License-Identifier: Apache-2.0
#include "crypto/other_csr_shape.h"

#include <openssl/objects.h>

#include <algorithm>
#include <optional>

#include "crypto/der_reader.h"
#include "crypto/digest.h"
#include "crypto/name_reader.h"
#include "crypto/openssl.h"

namespace birthmark::crypto {
namespace {

using core::KeyAlgorithm;

constexpr int kMinimumRsaBits = 2048;
constexpr int kMaximumRsaBits = 4096;  // a verification's cost grows with the square of the size

template <class Object, class Encode>
std::optional<Bytes> encode(Object* object, Encode encode_function) {
  unsigned char* encoded = nullptr;
  const int size = encode_function(object, &encoded);
  if (size <= 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

// OpenSSL keeps the octets of what is signed as it read them; i2d_re_ makes it encode them anew, as the comparison needs.
bool encodes_to_the_same(X509_REQ* request, ByteView der) {
  if (!encode(request, i2d_re_X509_REQ_tbs)) return false;
  const std::optional<Bytes> again = encode(request, i2d_X509_REQ);
  return again && equal(*again, der);
}

Status check_kind(KeyAlgorithm algorithm, const CodecOptions& options) {
  if (algorithm == KeyAlgorithm::other)
    return fail(ErrorCode::invalid, "The certificate request has a key of a kind that is not supported: use EC P-256, P-384 or P-521.");
  if (algorithm == KeyAlgorithm::rsa && !options.allow_rsa)
    return fail(ErrorCode::invalid, "The certificate request has an RSA key, which is not allowed here.");
  return {};
}

Status check_key(EVP_PKEY* key, KeyAlgorithm algorithm) {
  if (key == nullptr || EVP_PKEY_is_a(key, algorithm == KeyAlgorithm::rsa ? "RSA" : "EC") != 1)
    return openssl_failure(ErrorCode::invalid, "The certificate request has a key that cannot be read.");
  const int bits = EVP_PKEY_get_bits(key);
  if (algorithm == KeyAlgorithm::rsa && (bits < kMinimumRsaBits || bits > kMaximumRsaBits))
    return fail(ErrorCode::invalid, "The certificate request has an RSA key that is not between 2048 and 4096 bits long.");
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1)
    return openssl_failure(ErrorCode::invalid, "The certificate request has a public key that is not a valid key.");
  return {};
}

Status check_signature(X509_REQ* request, EVP_PKEY* key) {
  int digest = NID_undef;
  int key_type = NID_undef;
  const int algorithm = X509_REQ_get_signature_nid(request);
  if (OBJ_find_sigid_algs(algorithm, &digest, &key_type) != 1 || (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512))
    return fail(ErrorCode::invalid, "The certificate request is signed with an algorithm that is not supported: use SHA-256, 384 or 512.");
  if (X509_REQ_verify(request, key) != 1) return openssl_failure(ErrorCode::invalid, "The certificate request's own signature is wrong.");
  return {};
}

// csr_reader has checked the Name's grammar and the usual string types; what is left are the older string types.
Result<std::vector<core::NameAttribute>> read_subject(ByteView subject_der) {
  std::vector<core::NameAttribute> attributes;
  const auto name = der::read_single(subject_der, der::kSequence);
  const bool read = name && read_certificate_name(name->contents, attributes).outcome == NameOutcome::read;
  const auto is_empty = [](const core::NameAttribute& attribute) { return attribute.value.empty(); };
  if (!read || std::any_of(attributes.begin(), attributes.end(), is_empty))
    return fail(ErrorCode::invalid, "The certificate request is malformed: an attribute of its subject is no proper text.");
  return attributes;
}

}  // namespace

Result<core::CsrFacts> read_other_shape(ByteView der, KeyAlgorithm algorithm, const CodecOptions& options) {
  BIRTHMARK_CHECK(check_kind(algorithm, options));
  const unsigned char* at = der.data();
  const X509ReqHandle request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (!request || at != der.data() + der.size()) return openssl_failure(ErrorCode::invalid, "The certificate request cannot be read.");
  if (!encodes_to_the_same(request.get(), der))
    return fail(ErrorCode::invalid, "The certificate request is not in the one form DER allows.");
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  BIRTHMARK_CHECK(check_key(key, algorithm));
  BIRTHMARK_CHECK(check_signature(request.get(), key));

  core::CsrFacts facts;
  facts.subject_der = encode(X509_REQ_get_subject_name(request.get()), i2d_X509_NAME).value_or(Bytes{});
  facts.spki_der = encode(X509_REQ_get_X509_PUBKEY(request.get()), i2d_X509_PUBKEY).value_or(Bytes{});
  if (facts.subject_der.empty() || facts.spki_der.empty()) return fail(ErrorCode::internal, "The certificate request cannot be encoded.");
  BIRTHMARK_TRY(facts.subject, read_subject(facts.subject_der));
  facts.spki_sha256 = SpkiHash{sha256(facts.spki_der).octets};
  facts.key_algorithm = algorithm;
  facts.key_bits = static_cast<unsigned>(EVP_PKEY_get_bits(key));
  return facts;
}

}  // namespace birthmark::crypto
