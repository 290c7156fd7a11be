// SPDX-License-Identifier: Apache-2.0
#include "crypto/detached_signature.h"

#include <openssl/cms.h>
#include <openssl/pem.h>

#include <algorithm>

#include "crypto/openssl.h"
#include "crypto/pki/profiles.h"

namespace birthmark::crypto {
namespace {

using CmsHandle = std::unique_ptr<CMS_ContentInfo, Freer<CMS_ContentInfo_free>>;

tl::unexpected<Error> failed() {
  return openssl_failure(ErrorCode::internal, "the signature could not be made");
}

}  // namespace

struct DetachedSignature::State {
  CmsHandle cms;
  BioHandle digester;  // in front of a sink that forgets the content
};

DetachedSignature::DetachedSignature(std::unique_ptr<State> state) : state_(std::move(state)) {}
DetachedSignature::DetachedSignature(DetachedSignature&&) noexcept = default;
DetachedSignature& DetachedSignature::operator=(DetachedSignature&&) noexcept = default;
DetachedSignature::~DetachedSignature() = default;

Result<DetachedSignature> DetachedSignature::begin(const Certificate& signer, const PrivateKey& key) {
  if (signer.spki_sha256() != key.spki_sha256())
    return fail(ErrorCode::misconfigured, "the signing key is not that of certificate " + signer.subject_text());
  constexpr unsigned kHow = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_STREAM | CMS_NOSMIMECAP;
  auto state = std::make_unique<State>();
  state->cms.reset(CMS_sign(nullptr, nullptr, nullptr, nullptr, kHow));
  if (!state->cms || CMS_add1_signer(state->cms.get(), signer.get(), key.get(), digest_for(key), kHow) == nullptr) return failed();
  BioHandle sink(BIO_new(BIO_s_null()));
  if (!sink) return failed();
  BIO* const chain = CMS_dataInit(state->cms.get(), sink.get());
  if (chain == nullptr) return failed();
  static_cast<void>(sink.release());  // the chain ends in it
  state->digester.reset(chain);
  return DetachedSignature(std::move(state));
}

Status DetachedSignature::update(ByteView piece) {
  constexpr std::size_t kMost = 1U << 20U;  // BIO_write counts in int
  while (!piece.empty()) {
    const ByteView part = piece.first(std::min(piece.size(), kMost));
    if (BIO_write(state_->digester.get(), part.data(), static_cast<int>(part.size())) != static_cast<int>(part.size())) return failed();
    piece = piece.subspan(part.size());
  }
  return {};
}

Result<std::string> DetachedSignature::finish_pem() {
  if (BIO_flush(state_->digester.get()) != 1 || CMS_dataFinal(state_->cms.get(), state_->digester.get()) != 1) return failed();
  const BioHandle out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_CMS(out.get(), state_->cms.get()) != 1) return failed();
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace birthmark::crypto
