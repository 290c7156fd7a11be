// SPDX-License-Identifier: Apache-2.0
#include "crypto/gateway_tools.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>

#include "crypto/der_reader.h"
#include "crypto/der_writer.h"
#include "crypto/name_reader.h"
#include "crypto/object_identifiers.h"

namespace birthmark::crypto {
namespace {

struct AttributeType {
  std::string_view name;
  std::array<std::uint8_t, 3> oid;
};

// X.520, the ones that fcu.yml can set.
constexpr std::array<AttributeType, 6> kTypes{{{"C", oid::octets(0x55, 0x04, 0x06)},
                                               {"ST", oid::octets(0x55, 0x04, 0x08)},
                                               {"L", oid::octets(0x55, 0x04, 0x07)},
                                               {"O", oid::octets(0x55, 0x04, 0x0a)},
                                               {"OU", oid::octets(0x55, 0x04, 0x0b)},
                                               {"CN", oid::octets(0x55, 0x04, 0x03)}}};

Status append_rdn(Bytes& name, std::string_view type, std::string_view value) {
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const AttributeType& one) { return one.name == type; });
  if (known == kTypes.end()) return fail(ErrorCode::invalid, "a subject cannot hold the attribute " + std::string(type));
  const der::Tag string = type == "C" ? der::kPrintableString : der::kUtf8String;
  const Bytes oid = der::value(der::kObjectIdentifier, {known->oid});
  const Bytes text = der::value(string, {as_bytes(value)});
  der::append_value(name, der::kSet, {der::value(der::kSequence, {oid, text})});
  return {};
}

class OpensslGatewayTools final : public core::GatewayTools {
 public:
  Result<core::MadeKey> make_key() override {
    BIRTHMARK_TRY(const PrivateKey key, PrivateKey::generate_p256());
    return to_made_key(key);
  }

  Result<Bytes> encode_subject(const std::vector<core::SubjectAttribute>& attributes, std::string_view common_name) const override {
    Bytes name;
    for (const auto& [type, value] : attributes) BIRTHMARK_CHECK(append_rdn(name, type, value));
    BIRTHMARK_CHECK(append_rdn(name, "CN", common_name));
    return der::value(der::kSequence, {name});
  }

  Result<std::vector<core::NameAttribute>> read_subject(ByteView subject_der) const override {
    const auto name = der::read_single(subject_der, der::kSequence);
    std::vector<core::NameAttribute> attributes;
    if (!name || read_request_name(name->contents, attributes).outcome != NameOutcome::read)
      return fail(ErrorCode::internal, "the subject that was made cannot be read");
    return attributes;
  }
};

}  // namespace

std::unique_ptr<core::GatewayTools> make_gateway_tools() {
  return std::make_unique<OpensslGatewayTools>();
}

Result<core::MadeKey> to_made_key(const PrivateKey& key) {
  if (key.default_scheme() != core::SignatureScheme::ecdsa_sha256) return fail(ErrorCode::invalid, "a gateway's key must be on P-256");
  core::MadeKey made;
  unsigned char* encoded = nullptr;
  const int size = i2d_PrivateKey(key.get(), &encoded);
  if (size <= 0) return openssl_failure(ErrorCode::internal, "the private key cannot be encoded");
  append(made.der, {encoded, static_cast<std::size_t>(size)});
  OPENSSL_clear_free(encoded, static_cast<std::size_t>(size));
  BIRTHMARK_TRY(made.facts.spki_der, key.spki_der());
  made.facts.spki_sha256 = key.spki_sha256();
  made.facts.key_algorithm = core::KeyAlgorithm::ec_p256;
  made.facts.key_bits = 256;
  return made;
}

Status check_fcc_certificate(const Certificate& certificate, const std::string& what) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  std::array<char, 80> curve{};
  std::size_t length = 0;
  const bool p256 = key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
                    EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &length) == 1 &&
                    std::string_view(curve.data(), length) == "prime256v1";
  if (!p256) {
    ERR_clear_error();
    return fail(ErrorCode::misconfigured, what + ": its key must be on P-256; gateways take no other");
  }
  if (X509_get_signature_nid(certificate.get()) != NID_ecdsa_with_SHA256)
    return fail(ErrorCode::misconfigured, what + ": it must be signed with ecdsa-with-SHA256; gateways take no other signature");
  return {};
}

}  // namespace birthmark::crypto
