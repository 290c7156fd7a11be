// SPDX-License-Identifier: Apache-2.0
// The Signer over a key held in memory (declared in private_key.h). A signature costs what the primitive costs: digest and signing context
// are made once for each thread. The signer owns every context, so no copy of the key outlives it.
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "crypto/digest.h"
#include "crypto/private_key.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto {
namespace {

using core::SignatureScheme;

// What a thread remembers of the signers it used. A number is never given twice, so an entry of a signer that is gone matches nobody.
struct Remembered {
  std::uint64_t signer = 0;
  SignatureScheme scheme = SignatureScheme::ecdsa_sha256;
  EVP_PKEY_CTX* context = nullptr;
};
constexpr std::size_t kRemembered = 8;
thread_local std::array<Remembered, kRemembered> remembered;

std::uint64_t next_signer_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

class FileSigner final : public core::Signer {
 public:
  explicit FileSigner(PrivateKey key) : key_(std::move(key)), number_(next_signer_number()) {}

  Task<Result<Bytes>> sign(SignatureScheme scheme, ByteView message) override { co_return sign_now(scheme, message); }
  SpkiHash spki_sha256() const override { return key_.spki_sha256(); }
  SignatureScheme default_scheme() const override { return key_.default_scheme(); }

 private:
  Result<Bytes> sign_now(SignatureScheme scheme, ByteView message) {
    BIRTHMARK_TRY(EVP_PKEY_CTX* const context, context_of_this_thread(scheme));
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> room;
    const ByteView digest = hash_into(room, digest_of(scheme), message);
    std::size_t size = 0;
    if (EVP_PKEY_sign(context, nullptr, &size, digest.data(), digest.size()) != 1)
      return openssl_failure(ErrorCode::internal, "Signing failed.");
    Bytes signature(size);
    if (EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) != 1)
      return openssl_failure(ErrorCode::internal, "Signing failed.");
    signature.resize(size);
    return signature;
  }

  Result<EVP_PKEY_CTX*> context_of_this_thread(SignatureScheme scheme) {
    Remembered& slot = remembered[(number_ * 4 + static_cast<std::uint64_t>(scheme)) % kRemembered];
    if (slot.signer != number_ || slot.scheme != scheme) {
      BIRTHMARK_TRY(EVP_PKEY_CTX* const context, find_or_make_context(scheme));
      slot = {number_, scheme, context};
    }
    return slot.context;
  }

  Result<EVP_PKEY_CTX*> find_or_make_context(SignatureScheme scheme) {
    const std::lock_guard lock(mutex_);
    PkeyContextHandle& kept = contexts_[{std::this_thread::get_id(), scheme}];
    if (kept) return kept.get();
    const SchemeFacts& facts = facts_of(scheme);
    if (EVP_PKEY_is_a(key_.get(), facts.key_type) != 1) return fail(ErrorCode::internal, "This key cannot sign by that scheme.");
    PkeyContextHandle made(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (!made || EVP_PKEY_sign_init(made.get()) != 1 || EVP_PKEY_CTX_set_signature_md(made.get(), digest_of(scheme)) != 1)
      return openssl_failure(ErrorCode::internal, "Signing failed.");
    kept = std::move(made);
    return kept.get();
  }

  PrivateKey key_;
  std::uint64_t number_;
  std::mutex mutex_;
  // A later thread with the same id inherits its predecessor's context.
  std::map<std::pair<std::thread::id, SignatureScheme>, PkeyContextHandle> contexts_;
};

}  // namespace

std::shared_ptr<core::Signer> make_file_signer(PrivateKey key) {
  return std::make_shared<FileSigner>(std::move(key));
}

}  // namespace birthmark::crypto
