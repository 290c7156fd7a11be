// SPDX-License-Identifier: Apache-2.0
// An X509Codec for store tests: it digests, which is all a registry asks of it, and refuses everything else.
#pragma once

#include <openssl/sha.h>

#include "core/ports/x509_codec.h"

namespace birthmark::testing {

class DigestCodec final : public core::X509Codec {
 public:
  Result<core::CsrFacts> read_csr_pem(std::string_view) const override { return not_here(); }
  Result<core::CsrFacts> read_csr_der(ByteView) const override { return not_here(); }
  Result<core::CertificateFacts> read_certificate(ByteView) const override { return not_here(); }
  Result<Bytes> encode_to_be_signed(const core::CertificatePlan&) const override { return not_here(); }
  Bytes assemble_certificate(ByteView, core::SignatureScheme, ByteView) const override { return {}; }
  Result<Bytes> with_business_category(ByteView, std::string_view) const override { return not_here(); }
  Result<Bytes> without_business_category(ByteView) const override { return not_here(); }

  Result<Bytes> key_identifier(ByteView) const override { return not_here(); }

  Sha256Digest sha256(ByteView bytes) const override {
    Sha256Digest digest;
    SHA256(bytes.data(), bytes.size(), digest.octets.data());
    return digest;
  }

 private:
  static tl::unexpected<Error> not_here() { return fail(ErrorCode::internal, "the digest codec reads no X.509"); }
};

}  // namespace birthmark::testing
