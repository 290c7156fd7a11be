// SPDX-License-Identifier: Apache-2.0
#include "net/tls_verifier.h"

#include <algorithm>
#include <cstring>

#include "net/tls_library.h"

namespace birthmark::net::tls {
namespace {

constexpr std::size_t kRemembered = 65'536;  // in each of the two halves

// 0 when the moment cannot be read, which is before anything valid.
std::time_t moment(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return ::timegm(&parts);
}

// Errors that mean "nobody we trust signed this".
bool means_no_issuer(int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return true;
    default: return false;
  }
}

}  // namespace

Result<Fingerprint> fingerprint_of(ByteView der) {
  Fingerprint fingerprint;
  unsigned size = 0;
  if (EVP_Digest(der.data(), der.size(), fingerprint.octets.data(), &size, EVP_sha256(), nullptr) != 1) {
    return fail(ErrorCode::internal, "SHA-256 failed", take_errors());
  }
  return fingerprint;
}

std::size_t Verifier::FingerprintHash::operator()(const Fingerprint& fingerprint) const {
  std::size_t hash = 0;
  std::memcpy(&hash, fingerprint.octets.data(), sizeof hash);
  return hash;
}

Result<std::unique_ptr<Verifier>> Verifier::create(const TlsServerSettings& settings) {
  auto verifier = std::make_unique<Verifier>();
  verifier->any_certificate_ = settings.any_certificate;
  verifier->store_.reset(X509_STORE_new());
  if (!verifier->store_) return fail(ErrorCode::unavailable, "out of memory", take_errors());
  for (const TlsAnchor& anchor : settings.anchors) {
    BIRTHMARK_TRY(X509Handle certificate, read_certificate(anchor.der, server_library()));
    if (X509_STORE_add_cert(verifier->store_.get(), certificate.get()) != 1) {
      return fail(ErrorCode::misconfigured, "a trusted CA cannot be used", take_errors());
    }
    verifier->tags_.emplace(certificate.get(), anchor.tag);
    verifier->anchors_.push_back(std::move(certificate));
  }
  for (const Bytes& der : settings.known_roots) {
    BIRTHMARK_TRY(X509Handle certificate, read_certificate(der, server_library()));
    verifier->roots_.push_back(std::move(certificate));
  }
  return verifier;
}

STACK_OF(X509_NAME) * Verifier::anchor_names() const {
  if (anchors_.empty()) return nullptr;
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  if (names == nullptr) return nullptr;
  for (const X509Handle& anchor : anchors_) {
    X509_NAME* copy = X509_NAME_dup(X509_get_subject_name(anchor.get()));
    if (copy != nullptr && sk_X509_NAME_push(names, copy) == 0) X509_NAME_free(copy);
  }
  return names;
}

Verdict Verifier::judge(X509* leaf, const Fingerprint& fingerprint) const {
  if (any_certificate_) {
    Verdict verdict;
    verdict.error = X509_V_OK;
    return verdict;
  }
  if (const auto known = remembered(fingerprint, std::time(nullptr))) return *known;
  Verdict verdict = verify(leaf);
  if (verdict.error == X509_V_OK) remember(fingerprint, verdict);
  return verdict;
}

std::optional<Verdict> Verifier::remembered(const Fingerprint& fingerprint, std::time_t now) const {
  const std::lock_guard lock(mutex_);
  for (const Memory* half : {&young_, &old_}) {
    const auto found = half->find(fingerprint);
    if (found == half->end()) continue;
    const Verdict& verdict = found->second;
    if (now < verdict.not_before || now > verdict.not_after) return std::nullopt;
    return verdict;
  }
  return std::nullopt;
}

void Verifier::remember(const Fingerprint& fingerprint, const Verdict& verdict) const {
  const std::lock_guard lock(mutex_);
  if (young_.size() >= kRemembered) {
    old_ = std::move(young_);
    young_ = {};
  }
  young_.insert_or_assign(fingerprint, verdict);
}

Verdict Verifier::verify(X509* leaf) const {
  Verdict verdict;
  const StoreContextHandle context(X509_STORE_CTX_new_ex(server_library(), nullptr));
  // No untrusted certificates: whatever else the peer sent can make no difference.
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), leaf, nullptr) != 1) return verdict;
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_set_depth(context.get(), 0);
  verdict.not_before = moment(X509_get0_notBefore(leaf));
  verdict.not_after = moment(X509_get0_notAfter(leaf));
  if (X509_verify_cert(context.get()) == 1) {
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
    const X509* anchor = sk_X509_value(chain, sk_X509_num(chain) - 1);
    const auto tag = tags_.find(anchor);
    verdict.anchor = tag == tags_.end() ? 0 : tag->second;
    verdict.not_before = std::max(verdict.not_before, moment(X509_get0_notBefore(anchor)));
    verdict.not_after = std::min(verdict.not_after, moment(X509_get0_notAfter(anchor)));
    verdict.error = X509_V_OK;
    return verdict;
  }
  verdict.error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (verdict.error == X509_V_OK) verdict.error = X509_V_ERR_UNSPECIFIED;
  if (!means_no_issuer(verdict.error) || !signed_by_known_root(leaf)) return verdict;
  const std::time_t now = std::time(nullptr);
  verdict.under_root = true;
  verdict.error = now < verdict.not_before  ? X509_V_ERR_CERT_NOT_YET_VALID
                  : now > verdict.not_after ? X509_V_ERR_CERT_HAS_EXPIRED
                                            : X509_V_OK;
  return verdict;
}

bool Verifier::signed_by_known_root(X509* leaf) const {
  return std::any_of(roots_.begin(), roots_.end(), [&](const X509Handle& root) {
    EVP_PKEY* key = X509_get0_pubkey(root.get());
    const bool named = X509_NAME_cmp(X509_get_issuer_name(leaf), X509_get_subject_name(root.get())) == 0;
    const bool good = named && key != nullptr && X509_verify(leaf, key) == 1;
    ERR_clear_error();
    return good;
  });
}

}  // namespace birthmark::net::tls
