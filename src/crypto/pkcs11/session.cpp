// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/session.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "crypto/der_writer.h"
#include "crypto/digest.h"

namespace birthmark::crypto::pkcs11 {
namespace {

using core::SignatureScheme;

constexpr std::size_t kMostObjects = 4096;

struct Curve {
  const char* name;
  ByteView parameters;  // DER OBJECT IDENTIFIER, as CKA_EC_PARAMS has it
  std::size_t field_bytes;
  SignatureScheme scheme;
};
constexpr std::array<std::uint8_t, 10> kP256 = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::array<std::uint8_t, 7> kP384 = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::array<std::uint8_t, 7> kP521 = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
constexpr std::array<Curve, 3> kCurves{{{"P-256", kP256, 32, SignatureScheme::ecdsa_sha256},
                                        {"P-384", kP384, 48, SignatureScheme::ecdsa_sha384},
                                        {"P-521", kP521, 66, SignatureScheme::ecdsa_sha512}}};

// DigestInfo up to the digest itself, for CKM_RSA_PKCS with SHA-256 (RFC 8017 9.2 note 1).
constexpr std::array<std::uint8_t, 19> kSha256DigestInfo = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                            0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

std::string trimmed(const CK_UTF8CHAR* text, std::size_t size) {
  std::string trimmed(reinterpret_cast<const char*>(text), size);
  const std::size_t end = trimmed.find_last_not_of(std::string_view(" \0", 2));
  trimmed.resize(end == std::string::npos ? 0 : end + 1);
  return trimmed;
}

tl::unexpected<Error> call_failed(const char* function, CK_RV value) {
  return fail(ErrorCode::unavailable, "the token does not answer as it should", failed_call(function, value));
}

Result<std::vector<CK_OBJECT_HANDLE>> find_objects(const Session& session, std::vector<CK_ATTRIBUTE> wanted) {
  CK_RV got = session.functions->C_FindObjectsInit(session.handle, wanted.data(), wanted.size());
  if (got != CKR_OK) return call_failed("C_FindObjectsInit", got);
  std::vector<CK_OBJECT_HANDLE> found;
  const char* function = "C_FindObjects";
  for (CK_ULONG count = 1; got == CKR_OK && count != 0 && found.size() < kMostObjects;) {
    std::array<CK_OBJECT_HANDLE, 32> some{};
    got = session.functions->C_FindObjects(session.handle, some.data(), some.size(), &count);
    if (got == CKR_OK)
      found.insert(found.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(std::min<CK_ULONG>(count, some.size())));
  }
  const CK_RV ended = session.functions->C_FindObjectsFinal(session.handle);
  if (got == CKR_OK && ended != CKR_OK) {
    got = ended;
    function = "C_FindObjectsFinal";
  }
  if (got != CKR_OK) return call_failed(function, got);
  return found;
}

// Empty when the object has no such attribute.
Result<Bytes> attribute_of(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  constexpr CK_ULONG kLongest = 1U << 16U;
  CK_ATTRIBUTE asked{type, nullptr, 0};
  CK_RV got = session.functions->C_GetAttributeValue(session.handle, object, &asked, 1);
  if (got == CKR_ATTRIBUTE_TYPE_INVALID || got == CKR_ATTRIBUTE_SENSITIVE) return Bytes();
  if (got != CKR_OK) return call_failed("C_GetAttributeValue", got);
  if (asked.ulValueLen == 0 || asked.ulValueLen == CK_UNAVAILABLE_INFORMATION) return Bytes();
  if (asked.ulValueLen > kLongest) return fail(ErrorCode::misconfigured, "an object of the token has an attribute of absurd size");
  Bytes value(asked.ulValueLen);
  asked.pValue = value.data();
  got = session.functions->C_GetAttributeValue(session.handle, object, &asked, 1);
  if (got != CKR_OK) return call_failed("C_GetAttributeValue", got);
  if (asked.ulValueLen > value.size()) return fail(ErrorCode::misconfigured, "an object of the token has an attribute of changing size");
  value.resize(asked.ulValueLen);
  return value;
}

Result<bool> flag_of(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  BIRTHMARK_TRY(const Bytes value, attribute_of(session, object, type));
  return value.size() == sizeof(CK_BBOOL) && value[0] != CK_FALSE;
}

Result<CK_KEY_TYPE> key_type_of(const Session& session, CK_OBJECT_HANDLE object) {
  BIRTHMARK_TRY(const Bytes value, attribute_of(session, object, CKA_KEY_TYPE));
  CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
  if (value.size() == sizeof(type)) std::copy(value.begin(), value.end(), reinterpret_cast<std::uint8_t*>(&type));
  return type;
}

CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size) {
  return {type, const_cast<void*>(value), static_cast<CK_ULONG>(size)};  // the API does not know const; templates are only read
}

// ---- public halves

struct ParamsFreer {
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
using ParamsHandle = std::unique_ptr<OSSL_PARAM, ParamsFreer>;
using BuilderHandle = std::unique_ptr<OSSL_PARAM_BLD, ParamsFreer>;

Result<std::shared_ptr<EVP_PKEY>> public_key_from(const char* type, OSSL_PARAM* params) {
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (params == nullptr || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return openssl_failure(ErrorCode::misconfigured, "the public half of the key in the token cannot be used");
  std::shared_ptr<EVP_PKEY> key(made, EVP_PKEY_free);
  const PkeyContextHandle check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1)
    return openssl_failure(ErrorCode::misconfigured, "the public half of the key in the token is no point of its curve");
  return key;
}

// CKA_EC_POINT is the point in a DER OCTET STRING (PKCS#11 2.3.3); some tokens give the bare point.
Bytes bare_point(Bytes value, const Curve& curve) {
  const std::size_t size = 1 + 2 * curve.field_bytes;
  if (value.size() > size && value[0] == 0x04) value.erase(value.begin(), value.end() - static_cast<std::ptrdiff_t>(size));
  return value;
}

Result<std::shared_ptr<EVP_PKEY>> read_ec_public(const Session& session, CK_OBJECT_HANDLE object, FoundKey& key) {
  BIRTHMARK_TRY(const Bytes parameters, attribute_of(session, object, CKA_EC_PARAMS));
  const auto curve = std::find_if(kCurves.begin(), kCurves.end(), [&](const Curve& known) { return equal(known.parameters, parameters); });
  if (curve == kCurves.end())
    return fail(ErrorCode::misconfigured,
                "the key is on none of the curves P-256, P-384 and P-521 (CKA_EC_PARAMS " + to_hex(parameters) + ")");
  BIRTHMARK_TRY(Bytes value, attribute_of(session, object, CKA_EC_POINT));
  const Bytes point = bare_point(std::move(value), *curve);
  const BuilderHandle builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return openssl_failure(ErrorCode::internal, "OpenSSL gives no parameters");
  key.scheme = curve->scheme;
  const ParamsHandle params(OSSL_PARAM_BLD_to_param(builder.get()));
  return public_key_from("EC", params.get());
}

Result<std::shared_ptr<EVP_PKEY>> read_rsa_public(const Session& session, CK_OBJECT_HANDLE object, FoundKey& key) {
  BIRTHMARK_TRY(const Bytes modulus, attribute_of(session, object, CKA_MODULUS));
  BIRTHMARK_TRY(const Bytes exponent, attribute_of(session, object, CKA_PUBLIC_EXPONENT));
  const BignumHandle n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const BignumHandle e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const BuilderHandle builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return openssl_failure(ErrorCode::internal, "OpenSSL gives no parameters");
  if (BN_num_bits(n.get()) < 2048) return fail(ErrorCode::misconfigured, "an RSA key needs at least 2048 bits");
  key.scheme = SignatureScheme::rsa_pkcs1_sha256;
  const ParamsHandle params(OSSL_PARAM_BLD_to_param(builder.get()));
  return public_key_from("RSA", params.get());
}

// The public key object with the private key's id and label, or with either.
Result<CK_OBJECT_HANDLE> find_public_object(const Session& session, const FoundKey& key) {
  const CK_OBJECT_CLASS kind = CKO_PUBLIC_KEY;
  const CK_ATTRIBUTE of_kind = attribute(CKA_CLASS, &kind, sizeof(kind));
  const CK_ATTRIBUTE by_id = attribute(CKA_ID, key.id.data(), key.id.size());
  const CK_ATTRIBUTE by_label = attribute(CKA_LABEL, key.label.data(), key.label.size());
  std::vector<std::vector<CK_ATTRIBUTE>> tries;
  if (!key.id.empty() && !key.label.empty()) tries.push_back({of_kind, by_id, by_label});
  if (!key.id.empty()) tries.push_back({of_kind, by_id});
  if (!key.label.empty()) tries.push_back({of_kind, by_label});
  for (const auto& wanted : tries) {
    BIRTHMARK_TRY(const auto found, find_objects(session, wanted));
    if (!found.empty()) return found.front();
  }
  return fail(
      ErrorCode::misconfigured,
      "its public half is not in the token: write it there with the same id and label (pkcs11-tool --write-object ... --type pubkey)");
}

Status read_public_half(const Session& session, FoundKey& key) {
  BIRTHMARK_TRY(const CK_OBJECT_HANDLE object, find_public_object(session, key));
  BIRTHMARK_TRY(const CK_KEY_TYPE type, key_type_of(session, key.handle));
  if (type == CKK_EC) {
    BIRTHMARK_TRY(key.public_half, read_ec_public(session, object, key));
  } else if (type == CKK_RSA) {
    BIRTHMARK_TRY(key.public_half, read_rsa_public(session, object, key));
  } else {
    return fail(ErrorCode::misconfigured, "it is neither an EC nor an RSA key");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key.public_half.get(), &encoded);
  if (size <= 0) return openssl_failure(ErrorCode::internal, "The public key cannot be encoded.");
  key.spki.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  key.spki_sha256 = SpkiHash{sha256(key.spki).octets};
  return {};
}

// Not in a token for nothing: a key that could be read out is as good as a file.
Status check_attributes(const Session& session, CK_OBJECT_HANDLE key) {
  BIRTHMARK_TRY(const bool extractable, flag_of(session, key, CKA_EXTRACTABLE));
  if (extractable) return fail(ErrorCode::misconfigured, "it can be read out of the token (CKA_EXTRACTABLE): make it anew in the token");
  BIRTHMARK_TRY(const bool sensitive, flag_of(session, key, CKA_SENSITIVE));
  if (!sensitive)
    return fail(ErrorCode::misconfigured, "its value can be read in the clear (CKA_SENSITIVE is false): make it anew in the token");
  BIRTHMARK_TRY(const bool signs, flag_of(session, key, CKA_SIGN));
  if (!signs) return fail(ErrorCode::misconfigured, "it may not sign (CKA_SIGN is false)");
  return {};
}

Result<std::vector<CK_OBJECT_HANDLE>> find_private(const Session& session, const Uri& uri) {
  const CK_OBJECT_CLASS kind = CKO_PRIVATE_KEY;
  std::vector<CK_ATTRIBUTE> wanted{attribute(CKA_CLASS, &kind, sizeof(kind))};
  if (!uri.object.empty()) wanted.push_back(attribute(CKA_LABEL, uri.object.data(), uri.object.size()));
  if (!uri.id.empty()) wanted.push_back(attribute(CKA_ID, uri.id.data(), uri.id.size()));
  return find_objects(session, std::move(wanted));
}

// ---- signatures

// r and s as a token gives them, each of half the octets, to Ecdsa-Sig-Value (RFC 3279 2.2.3). Empty when it is no signature: of odd size,
// or with a zero in it, which is what a buffer holds that nobody wrote into.
Bytes der_signature(ByteView raw) {
  if (raw.empty() || raw.size() % 2 != 0) return {};
  Bytes both;
  for (const ByteView half : {raw.first(raw.size() / 2), raw.subspan(raw.size() / 2)}) {
    const auto first = std::find_if(half.begin(), half.end(), [](std::uint8_t octet) { return octet != 0; });
    if (first == half.end()) return {};
    Bytes number(first, half.end());
    if ((number.front() & 0x80U) != 0) number.insert(number.begin(), 0);
    der::append_value(both, der::kInteger, {number});
  }
  return der::value(der::kSequence, {both});
}

}  // namespace

bool TokenInfo::matches(const Uri& uri) const {
  return (uri.token.empty() || uri.token == label) && (uri.manufacturer.empty() || uri.manufacturer == manufacturer) &&
         (uri.model.empty() || uri.model == model) && (uri.serial.empty() || uri.serial == serial);
}

Result<std::vector<TokenInfo>> list_tokens(const CK_FUNCTION_LIST& functions) {
  CK_ULONG count = 0;
  CK_RV got = functions.C_GetSlotList(CK_TRUE, nullptr, &count);
  if (got != CKR_OK) return call_failed("C_GetSlotList", got);
  std::vector<CK_SLOT_ID> slots(count + 8);  // one may be added between the two calls
  count = slots.size();
  got = functions.C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (got != CKR_OK) return call_failed("C_GetSlotList", got);
  slots.resize(std::min<std::size_t>(count, slots.size()));
  std::vector<TokenInfo> tokens;
  CK_RV trouble = CKR_OK;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    got = functions.C_GetTokenInfo(slot, &info);
    if (got != CKR_OK) trouble = got;  // one bad reader must not hide the others
    if (got != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    tokens.push_back({slot, trimmed(info.label, sizeof(info.label)), trimmed(info.manufacturerID, sizeof(info.manufacturerID)),
                      trimmed(info.model, sizeof(info.model)), trimmed(info.serialNumber, sizeof(info.serialNumber)), info.flags,
                      info.ulMaxSessionCount});
  }
  if (tokens.empty() && trouble != CKR_OK) return call_failed("C_GetTokenInfo", trouble);
  return tokens;
}

Result<TokenInfo> choose_token(const std::vector<TokenInfo>& tokens, const Uri& uri) {
  std::string others;
  std::vector<const TokenInfo*> fitting;
  for (const TokenInfo& token : tokens) {
    others += (others.empty() ? "'" : ", '") + token.label + "'";
    if (token.matches(uri)) fitting.push_back(&token);
  }
  if (fitting.empty())
    return fail(ErrorCode::not_found, uri.token_text() + " is not there; " + (others.empty() ? "no token is" : "there are: " + others));
  if (fitting.size() > 1)
    return fail(ErrorCode::conflict, "several tokens fit (" + others + "): name one by its serial number (serial=...)");
  return *fitting.front();
}

std::string describe_keys(const Session& session) {
  const auto found = find_private(session, {});
  if (!found) return "unknown";
  std::string text;
  for (const CK_OBJECT_HANDLE object : *found) {
    const auto label = attribute_of(session, object, CKA_LABEL);
    const auto id = attribute_of(session, object, CKA_ID);
    if (!text.empty()) text += ", ";
    text += "'" + (label ? std::string(as_text(*label)) : std::string("?")) + "'";
    if (id && !id->empty()) text += " (id " + to_hex(*id) + ")";
  }
  return text.empty() ? "none" : text;
}

Result<FoundKey> find_key(const Session& session, const Uri& uri) {
  if (!uri.names_key()) return fail(ErrorCode::misconfigured, "the URI names no key: add object=LABEL or id=%XX");
  BIRTHMARK_TRY(const auto found, find_private(session, uri));
  const std::string who = uri.key_text();
  if (found.empty()) return fail(ErrorCode::not_found, who + " is not in the token; it holds the keys: " + describe_keys(session));
  if (found.size() > 1) return fail(ErrorCode::conflict, "several keys of the token are " + who + ": name one by label and id");
  FoundKey key;
  key.handle = found.front();
  BIRTHMARK_TRY(const Bytes label, attribute_of(session, key.handle, CKA_LABEL));
  key.label = as_text(label);
  BIRTHMARK_TRY(key.id, attribute_of(session, key.handle, CKA_ID));
  Status good = check_attributes(session, key.handle);
  if (good) good = read_public_half(session, key);
  if (good) return key;
  if (good.error().code == ErrorCode::misconfigured) good.error().public_message = who + ": " + good.error().public_message;
  return tl::make_unexpected(good.error());
}

RawResult sign_digest(const Session& session, CK_OBJECT_HANDLE key, SignatureScheme scheme, ByteView digest) {
  const bool rsa = scheme == SignatureScheme::rsa_pkcs1_sha256;
  CK_MECHANISM mechanism{static_cast<CK_MECHANISM_TYPE>(rsa ? CKM_RSA_PKCS : CKM_ECDSA), nullptr, 0};
  Bytes input;
  if (rsa) append(input, kSha256DigestInfo);
  append(input, digest);
  RawResult result;
  result.function = "C_SignInit";
  result.value = session.functions->C_SignInit(session.handle, &mechanism, key);
  if (result.value != CKR_OK) return result;
  std::array<std::uint8_t, 2048> room{};  // RSA of 16384 bits
  CK_ULONG size = room.size();
  result.function = "C_Sign";
  result.value = session.functions->C_Sign(session.handle, input.data(), input.size(), room.data(), &size);
  if (result.value != CKR_OK) return result;
  const ByteView raw(room.data(), std::min<std::size_t>(size, room.size()));
  const bool written = std::any_of(raw.begin(), raw.end(), [](std::uint8_t octet) { return octet != 0; });
  result.signature = rsa ? (written ? to_bytes(raw) : Bytes()) : der_signature(raw);
  if (result.signature.empty()) result.value = CKR_FUNCTION_FAILED;
  return result;
}

Status generate_p256(const Session& session, const std::string& label, ByteView id) {
  const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 5> of_public{{attribute(CKA_TOKEN, &yes, sizeof(yes)), attribute(CKA_VERIFY, &yes, sizeof(yes)),
                                         attribute(CKA_EC_PARAMS, kP256.data(), kP256.size()),
                                         attribute(CKA_LABEL, label.data(), label.size()), attribute(CKA_ID, id.data(), id.size())}};
  std::array<CK_ATTRIBUTE, 7> of_private{{attribute(CKA_TOKEN, &yes, sizeof(yes)), attribute(CKA_PRIVATE, &yes, sizeof(yes)),
                                          attribute(CKA_SENSITIVE, &yes, sizeof(yes)), attribute(CKA_EXTRACTABLE, &no, sizeof(no)),
                                          attribute(CKA_SIGN, &yes, sizeof(yes)), attribute(CKA_LABEL, label.data(), label.size()),
                                          attribute(CKA_ID, id.data(), id.size())}};
  CK_MECHANISM mechanism{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  const CK_RV got = session.functions->C_GenerateKeyPair(session.handle, &mechanism, of_public.data(), of_public.size(), of_private.data(),
                                                         of_private.size(), &public_key, &private_key);
  if (got == CKR_OK) return {};
  return fail(got == CKR_TOKEN_WRITE_PROTECTED || got == CKR_SESSION_READ_ONLY ? ErrorCode::misconfigured : ErrorCode::unavailable,
              "the token makes no key '" + label + "'", failed_call("C_GenerateKeyPair", got));
}

}  // namespace birthmark::crypto::pkcs11
