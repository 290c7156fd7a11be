// SPDX-License-Identifier: Apache-2.0
#include "core/issuer.h"

namespace birthmark::core {
namespace {

// Whether the certificate says what the plan says, field by field.
bool matches(const CertificateFacts& made, const CertificatePlan& plan) {
  return made.serial == plan.serial.der_contents() && made.issuer_der == plan.issuer_subject_der && made.subject_der == plan.subject_der &&
         made.spki_sha256 == plan.spki_sha256 && made.not_before == plan.not_before && made.not_after == plan.not_after && !made.is_ca &&
         made.client_auth && !made.server_auth && made.key_usage == std::uint16_t{1} && made.authority_key_id == plan.issuer_key_id &&
         !made.subject_key_id.empty();
}

}  // namespace

Task<Result<IssuedCertificate>> Issuer::sign(SigningPermit permit, Signer& signer) const {
  const CertificatePlan& plan = permit.plan();
  auto to_be_signed = codec_.encode_to_be_signed(plan);
  if (!to_be_signed) co_return forward_error(to_be_signed);
  const ByteView message = *to_be_signed;
  auto signature = co_await signer.sign(plan.scheme, message);
  if (!signature) co_return forward_error(signature);
  IssuedCertificate issued;
  issued.der = codec_.assemble_certificate(*to_be_signed, plan.scheme, *signature);
  auto made = codec_.read_certificate(issued.der);
  if (!made) co_return fail(ErrorCode::internal, "the signed certificate cannot be read back", made.error().describe());
  if (!matches(*made, plan)) co_return fail(ErrorCode::internal, "the signed certificate differs from its plan");
  issued.fingerprint = made->fingerprint;
  co_return issued;
}

}  // namespace birthmark::core
