// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/controller.h"

#include <eve.pb.h>
#include <algorithm>

#include "base/ecdsa_signature.h"
#include "base/text.h"
#include "faces/eve/envelope.h"

namespace birthmark::faces::eve {

namespace wire = birthmark::eve::wire;

namespace {

constexpr std::size_t kP256 = 32;

wire::ZCertType type_of(ControllerUse use) {
  switch (use) {
    case ControllerUse::signing: return wire::CERT_CONTROLLER_SIGNING;
    case ControllerUse::intermediate: return wire::CERT_CONTROLLER_INTERMEDIATE;
    case ControllerUse::ecdh: return wire::CERT_CONTROLLER_ECDH_EXCHANGE;
  }
  return wire::CERT_NONE;
}

}  // namespace

Result<std::shared_ptr<const Controller>> make_controller(std::vector<ControllerCertificate> published, std::string signing_pem,
                                                          std::shared_ptr<core::Signer> signer, const core::X509Codec& codec) {
  const auto used_for = [&](ControllerUse use) {
    return std::count_if(published.begin(), published.end(), [&](const ControllerCertificate& one) { return one.use == use; });
  };
  if (used_for(ControllerUse::signing) != 1)
    return fail(ErrorCode::misconfigured, "the EVE controller needs exactly one signing certificate");
  if (used_for(ControllerUse::ecdh) == 0) return fail(ErrorCode::misconfigured, "the EVE controller needs an ECDH certificate");
  auto controller = std::make_shared<Controller>();
  wire::ZControllerCert all;
  for (const ControllerCertificate& one : published) {
    const Sha256Digest hash = codec.sha256(as_bytes(one.pem));
    wire::ZCert& certificate = *all.add_certs();
    certificate.set_hashalgo(wire::HASH_SHA256_16BYTES);
    certificate.set_certhash(std::string(as_text(hash.view().first(16))));
    certificate.set_type(type_of(one.use));
    certificate.set_cert(one.pem);
  }
  controller->certificates = all.SerializeAsString();
  controller->fingerprint = to_hex(codec.sha256(as_bytes(controller->certificates)).view());
  controller->signing_hash = codec.sha256(as_bytes(signing_pem));
  controller->signing_pem = std::move(signing_pem);
  controller->published = std::move(published);
  controller->signer = std::move(signer);
  return std::shared_ptr<const Controller>(std::move(controller));
}

Task<Result<std::string>> seal(const Controller& controller, std::string payload) {
  const ByteView message = as_bytes(payload);
  auto der = co_await controller.signer->sign(core::SignatureScheme::ecdsa_sha256, message);
  if (!der) co_return tl::make_unexpected(der.error());
  const auto raw = ecdsa_to_raw(*der, kP256);
  if (!raw) co_return fail(ErrorCode::internal, "the controller's signing key is not on P-256");
  co_return make_envelope(payload, controller.signing_hash.view(), *raw);
}

}  // namespace birthmark::faces::eve
