// SPDX-License-Identifier: Apache-2.0
// The provider: EC key management without a private half to export, and ECDSA digest-sign that asks the token. Shapes and names are those
// of provider-keymgmt(7) and provider-signature(7).
#include "crypto/pkcs11/provider.h"

#include <openssl/async.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "base/file.h"
#include "base/log.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto::pkcs11 {
namespace {

using core::SignatureScheme;

constexpr const char* kName = "birthmark";
constexpr const char* kKeyParameter = "birthmark-token-key";

// What an EVP_PKEY of ours holds.
struct HeldKey {
  std::shared_ptr<Token> token;
  std::shared_ptr<const TokenKey> key;
  Bytes point;  // uncompressed
};

struct CurveFacts {
  SignatureScheme scheme;
  const char* group;
  const char* digest;
  int bits, security_bits, signature_bytes;
};
constexpr std::array<CurveFacts, 3> kCurves{{{SignatureScheme::ecdsa_sha256, "prime256v1", "SHA256", 256, 128, 72},
                                             {SignatureScheme::ecdsa_sha384, "secp384r1", "SHA384", 384, 192, 104},
                                             {SignatureScheme::ecdsa_sha512, "secp521r1", "SHA512", 521, 256, 139}}};

const CurveFacts& curve_of(const HeldKey& key) {
  for (const CurveFacts& curve : kCurves)
    if (key.key->default_scheme() == curve.scheme) return curve;
  return kCurves[0];
}

// ---- keys (provider-keymgmt(7))

HeldKey& key_at(void* data) {
  return *static_cast<HeldKey*>(data);
}
const HeldKey& key_at(const void* data) {
  return *static_cast<const HeldKey*>(data);
}

void* new_key(void*) {
  return new HeldKey;
}
void free_key(void* data) {
  delete static_cast<HeldKey*>(data);
}
int key_has(const void* data, int selection) {
  constexpr int kBoth = OSSL_KEYMGMT_SELECT_KEYPAIR;
  return (selection & kBoth) == 0 || key_at(data).key != nullptr ? 1 : 0;
}
int keys_match(const void* a, const void* b, int) {
  return key_at(a).point == key_at(b).point ? 1 : 0;
}

int import_key(void* data, int, const OSSL_PARAM* params) {
  const OSSL_PARAM* found = OSSL_PARAM_locate_const(params, kKeyParameter);
  const void* held = nullptr;
  std::size_t size = 0;
  if (found == nullptr || OSSL_PARAM_get_octet_ptr(found, &held, &size) != 1 || size != sizeof(HeldKey)) return 0;
  key_at(data) = *static_cast<const HeldKey*>(held);
  return 1;
}
const OSSL_PARAM* import_types(int) {
  static const std::array<OSSL_PARAM, 2> kTypes{{OSSL_PARAM_octet_ptr(kKeyParameter, nullptr, 0), OSSL_PARAM_END}};
  return kTypes.data();
}

// The public half, so that OpenSSL can compare it with a certificate's. The private one stays where it is.
int export_key(void* data, int selection, OSSL_CALLBACK* take, void* argument) {
  if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0) return 0;
  HeldKey& key = key_at(data);
  std::string group = curve_of(key).group;
  std::array<OSSL_PARAM, 3> params{{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
                                    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key.point.data(), key.point.size()),
                                    OSSL_PARAM_construct_end()}};
  return take(params.data(), argument);
}
const OSSL_PARAM* export_types(int selection) {
  static const std::array<OSSL_PARAM, 3> kTypes{{OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                                 OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END}};
  return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? nullptr : kTypes.data();
}

bool set_number(OSSL_PARAM* params, const char* name, int value) {
  OSSL_PARAM* found = OSSL_PARAM_locate(params, name);
  return found == nullptr || OSSL_PARAM_set_int(found, value) == 1;
}
bool set_text(OSSL_PARAM* params, const char* name, const char* value) {
  OSSL_PARAM* found = OSSL_PARAM_locate(params, name);
  return found == nullptr || OSSL_PARAM_set_utf8_string(found, value) == 1;
}
bool set_octets(OSSL_PARAM* params, const char* name, ByteView value) {
  OSSL_PARAM* found = OSSL_PARAM_locate(params, name);
  return found == nullptr || OSSL_PARAM_set_octet_string(found, value.data(), value.size()) == 1;
}

int get_key_params(void* data, OSSL_PARAM* params) {
  const HeldKey& key = key_at(data);
  const CurveFacts& curve = curve_of(key);
  const bool good =
      set_number(params, OSSL_PKEY_PARAM_BITS, curve.bits) && set_number(params, OSSL_PKEY_PARAM_SECURITY_BITS, curve.security_bits) &&
      set_number(params, OSSL_PKEY_PARAM_MAX_SIZE, curve.signature_bytes) && set_text(params, OSSL_PKEY_PARAM_GROUP_NAME, curve.group) &&
      set_text(params, OSSL_PKEY_PARAM_DEFAULT_DIGEST, curve.digest) &&
      set_text(params, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") &&
      set_octets(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, key.point) && set_octets(params, OSSL_PKEY_PARAM_PUB_KEY, key.point);
  return good ? 1 : 0;
}
const OSSL_PARAM* gettable_key_params(void*) {
  static const std::array<OSSL_PARAM, 9> kParams{
      {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr), OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
       OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr), OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, nullptr, 0),
       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, nullptr, 0),
       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, nullptr, 0),
       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0), OSSL_PARAM_END}};
  return kParams.data();
}
const char* operation_name(int operation) {
  return operation == OSSL_OP_SIGNATURE ? "ECDSA" : nullptr;
}

// ---- signatures (provider-signature(7))

struct Signing {
  const HeldKey* key = nullptr;  // the EVP_PKEY outlives its contexts
  SignatureScheme scheme = SignatureScheme::ecdsa_sha256;
  DigestContextHandle digest;
};

Signing& signing_at(void* data) {
  return *static_cast<Signing*>(data);
}
void* new_signing(void*, const char*) {
  return new Signing;
}
void free_signing(void* data) {
  delete static_cast<Signing*>(data);
}

int begin_signing(void* data, const char* digest_name, void* key, const OSSL_PARAM*) {
  Signing& signing = signing_at(data);
  if (key != nullptr) signing.key = static_cast<const HeldKey*>(key);
  if (signing.key == nullptr) return 0;
  if (digest_name == nullptr) digest_name = curve_of(*signing.key).digest;
  for (const SignatureScheme scheme : {SignatureScheme::ecdsa_sha256, SignatureScheme::ecdsa_sha384, SignatureScheme::ecdsa_sha512}) {
    if (EVP_MD_is_a(digest_of(scheme), digest_name) != 1) continue;
    signing.scheme = scheme;
    if (!signing.digest) signing.digest.reset(EVP_MD_CTX_new());
    return signing.digest && EVP_DigestInit_ex2(signing.digest.get(), digest_of(scheme), nullptr) == 1 ? 1 : 0;
  }
  return 0;
}
int update_signing(void* data, const unsigned char* bytes, std::size_t size) {
  return EVP_DigestUpdate(signing_at(data).digest.get(), bytes, size);
}
void* copy_signing(void* data) {
  const Signing& from = signing_at(data);
  auto copy = std::make_unique<Signing>();
  copy->key = from.key;
  copy->scheme = from.scheme;
  if (from.digest) {
    copy->digest.reset(EVP_MD_CTX_new());
    if (!copy->digest || EVP_MD_CTX_copy_ex(copy->digest.get(), from.digest.get()) != 1) return nullptr;
  }
  return copy.release();
}

// A signature on its way, owned by who waits and by who brings it: the waiting side may be gone by then.
struct Pending {
  FileDescriptor signal;
  std::mutex mutex;
  std::optional<Result<Bytes>> result;
};

std::optional<Result<Bytes>> take_result(Pending& pending) {
  const std::lock_guard lock(pending.mutex);
  return std::exchange(pending.result, std::nullopt);
}

// Inside an ASYNC job: the thread goes on with other connections meanwhile (ASYNC_pause_job(3)).
Result<Bytes> sign_paused(ASYNC_JOB* job, const HeldKey& key, SignatureScheme scheme, ByteView digest) {
  const auto pending = std::make_shared<Pending>();
  pending->signal.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ASYNC_WAIT_CTX* waiting = ASYNC_get_wait_ctx(job);
  if (!pending->signal.valid() || ASYNC_WAIT_CTX_set_wait_fd(waiting, pending.get(), pending->signal.get(), nullptr, nullptr) != 1)
    return openssl_failure(ErrorCode::unavailable, "nothing to wait on");
  key.token->sign(key.key, scheme, digest, [pending](Result<Bytes> result) {
    {
      const std::lock_guard lock(pending->mutex);
      pending->result = std::move(result);
    }
    const std::uint64_t one = 1;
    (void)!::write(pending->signal.get(), &one, sizeof(one));
  });
  std::optional<Result<Bytes>> result = take_result(*pending);
  while (!result) {
    ASYNC_pause_job();
    result = take_result(*pending);
  }
  ASYNC_WAIT_CTX_clear_fd(waiting, pending.get());
  return std::move(*result);
}

int finish_signing(void* data, unsigned char* signature, std::size_t* size, std::size_t room) {
  Signing& signing = signing_at(data);
  if (signature == nullptr) {
    *size = static_cast<std::size_t>(curve_of(*signing.key).signature_bytes);
    return 1;
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  if (EVP_DigestFinal_ex(signing.digest.get(), digest.data(), &digest_size) != 1) return 0;
  const ByteView view = ByteView(digest).first(digest_size);
  ASYNC_JOB* job = ASYNC_get_current_job();
  const HeldKey& key = *signing.key;
  const Result<Bytes> made =
      job != nullptr ? sign_paused(job, key, signing.scheme, view) : key.token->sign_now(key.key, signing.scheme, view);
  if (!made) {
    log::debug("a token did not sign for OpenSSL", {{"reason", made.error().describe()}});
    ERR_raise_data(ERR_LIB_PROV, ERR_R_OPERATION_FAIL, "%s", made.error().describe().c_str());
    return 0;
  }
  if (made->size() > room) return 0;
  std::copy(made->begin(), made->end(), signature);
  *size = made->size();
  return 1;
}

int sign_at_once(void* data, unsigned char* signature, std::size_t* size, std::size_t room, const unsigned char* bytes, std::size_t count) {
  if (signature != nullptr && update_signing(data, bytes, count) != 1) return 0;
  return finish_signing(data, signature, size, room);
}

// X509_sign asks for it (EVP_DigestSign and the certificate must name the same algorithm).
int get_signing_params(void* data, OSSL_PARAM* params) {
  return set_octets(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID, facts_of(signing_at(data).scheme).algorithm_identifier) ? 1 : 0;
}
const OSSL_PARAM* gettable_signing_params(void*, void*) {
  static const std::array<OSSL_PARAM, 2> kParams{{OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0), OSSL_PARAM_END}};
  return kParams.data();
}

// ---- the tables by which OpenSSL finds all that

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  static const std::array<OSSL_DISPATCH, 13> kKeys{{entry(OSSL_FUNC_KEYMGMT_NEW, new_key),
                                                    entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                                    entry(OSSL_FUNC_KEYMGMT_HAS, key_has),
                                                    entry(OSSL_FUNC_KEYMGMT_MATCH, keys_match),
                                                    entry(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
                                                    entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
                                                    entry(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
                                                    entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types),
                                                    entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_key_params),
                                                    entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_key_params),
                                                    entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name),
                                                    {0, nullptr},
                                                    {0, nullptr}}};
  static const std::array<OSSL_DISPATCH, 10> kSignatures{{entry(OSSL_FUNC_SIGNATURE_NEWCTX, new_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_FREECTX, free_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_DUPCTX, copy_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish_signing),
                                                          entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_at_once),
                                                          entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_signing_params),
                                                          entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_signing_params),
                                                          {0, nullptr}}};
  static const std::array<OSSL_ALGORITHM, 2> kKeyAlgorithms{
      {{"EC:id-ecPublicKey", "provider=birthmark", kKeys.data(), nullptr}, {nullptr, nullptr, nullptr, nullptr}}};
  static const std::array<OSSL_ALGORITHM, 2> kSignatureAlgorithms{
      {{"ECDSA", "provider=birthmark", kSignatures.data(), nullptr}, {nullptr, nullptr, nullptr, nullptr}}};
  *no_cache = 0;
  if (operation == OSSL_OP_KEYMGMT) return kKeyAlgorithms.data();
  return operation == OSSL_OP_SIGNATURE ? kSignatureAlgorithms.data() : nullptr;
}

int begin_provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  static const std::array<OSSL_DISPATCH, 2> kProvider{{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query), {0, nullptr}}};
  *out = kProvider.data();
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);  // opaque, only compared
  return 1;
}

// Null when OpenSSL refuses it. Never freed: keys of it may be the last thing that goes.
OSSL_LIB_CTX* provider_context() {
  static OSSL_LIB_CTX* const kContext = [] {
    OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
    if (context == nullptr || OSSL_PROVIDER_add_builtin(context, kName, begin_provider) != 1 ||
        OSSL_PROVIDER_load(context, kName) == nullptr)
      return static_cast<OSSL_LIB_CTX*>(nullptr);
    return context;
  }();
  return kContext;
}

}  // namespace

Result<std::shared_ptr<EVP_PKEY>> make_token_pkey(std::shared_ptr<Token> token, std::shared_ptr<const TokenKey> key) {
  if (EVP_PKEY_is_a(key->public_half(), "EC") != 1)
    return fail(ErrorCode::misconfigured, key->uri().key_text() +
                                              " is an RSA key: in a token it can issue certificates, but TLS and the PKI "
                                              "tool need an EC key there");
  HeldKey held{std::move(token), std::move(key), {}};
  unsigned char* point = nullptr;
  const std::size_t point_size = EVP_PKEY_get1_encoded_public_key(held.key->public_half(), &point);
  held.point.assign(point, point + point_size);
  OPENSSL_free(point);
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_name(provider_context(), "EC", "provider=birthmark"));
  void* at = &held;
  std::array<OSSL_PARAM, 2> params{{OSSL_PARAM_construct_octet_ptr(kKeyParameter, &at, sizeof(held)), OSSL_PARAM_construct_end()}};
  EVP_PKEY* made = nullptr;
  if (provider_context() == nullptr || !context || held.point.empty() || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.data()) != 1)
    return openssl_failure(ErrorCode::internal, "OpenSSL does not take the token's key");
  return std::shared_ptr<EVP_PKEY>(made, EVP_PKEY_free);
}

Result<PrivateKey> token_private_key(const std::shared_ptr<Token>& token, const std::shared_ptr<const TokenKey>& key) {
  BIRTHMARK_TRY(const auto pkey, make_token_pkey(token, key));
  return PrivateKey::behind(pkey.get(), key->public_half());
}

}  // namespace birthmark::crypto::pkcs11
