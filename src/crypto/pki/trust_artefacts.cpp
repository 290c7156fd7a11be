// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/trust_artefacts.h"

#include <algorithm>

#include "base/pem.h"

namespace birthmark::crypto {

tl::unexpected<Error> refuse(const std::string& from, const std::string& why, ErrorCode code) {
  return fail(code, from + ": " + why);
}

namespace {

template <class T>
Result<T> naming(Result<T> result, const std::string& from) {
  if (!result) result.error().public_message = from + ": " + result.error().public_message;
  return result;
}

// An artefact that must be one thing is not another.
Status check_kind(const Artefact& artefact, const Certificate& certificate) {
  const bool self_signed = certificate.is_self_signed();
  const auto is_not = [&](const std::string& what) {
    return refuse(artefact.name, certificate.subject_text() + " is not " + what, ErrorCode::invalid);
  };
  switch (artefact.kind) {
    case ArtefactKind::any: break;
    case ArtefactKind::root: return self_signed && certificate.is_ca() ? Status() : is_not("a self-signed root CA");
    case ArtefactKind::device_cas: return !self_signed && certificate.is_ca() ? Status() : is_not("a device CA below the root");
    case ArtefactKind::tls:
    case ArtefactKind::est_tls: return !self_signed && !certificate.is_ca() ? Status() : is_not("a TLS server certificate");
    case ArtefactKind::crl: return is_not("a CRL");
  }
  return {};
}

Status take_certificate(const Artefact& artefact, const PemBlock& block, bool in_bundle, Handed& handed) {
  const std::string& from = artefact.name;
  BIRTHMARK_TRY(Certificate certificate, naming(Certificate::from_der(block.contents), from));
  BIRTHMARK_CHECK(check_kind(artefact, certificate));
  const bool repeated = std::any_of(handed.certificates.begin(), handed.certificates.end(),
                                    [&](const HandedCertificate& other) { return other.certificate == certificate; });
  if (!repeated) handed.certificates.push_back({from, std::move(certificate), artefact.kind, in_bundle});
  return {};
}

Status take_block(const Artefact& artefact, const PemBlock& block, bool in_bundle, Handed& handed) {
  const std::string& from = artefact.name;
  if (block.label == "CERTIFICATE") return take_certificate(artefact, block, in_bundle, handed);
  const bool fits = artefact.kind == ArtefactKind::any || (artefact.kind == ArtefactKind::crl && block.label == "X509 CRL");
  if (!fits) return refuse(from, "a " + block.label.substr(0, 64) + " does not belong here", ErrorCode::invalid);
  if (block.label == "X509 CRL") {
    BIRTHMARK_TRY(Crl crl, naming(Crl::from_der(block.contents), from));
    handed.crls.push_back({from, std::move(crl)});
    return {};
  }
  if (block.label.ends_with("PRIVATE KEY")) {
    BIRTHMARK_TRY(PrivateKey key, naming(PrivateKey::from_pem(encode_pem(block.label, block.contents)), from));
    handed.keys.push_back({from, std::move(key)});
    return {};
  }
  if (block.label == "EC PARAMETERS") return {};  // what openssl writes before a key
  return refuse(from, "a " + block.label.substr(0, 64) + " cannot be installed", ErrorCode::invalid);
}

}  // namespace

Result<Handed> take_apart(const std::vector<Artefact>& artefacts) {
  Handed handed;
  for (const Artefact& artefact : artefacts) {
    BIRTHMARK_TRY(const auto blocks, naming(decode_pem(artefact.contents), artefact.name));
    if (blocks.empty()) return refuse(artefact.name, "there is no certificate, CRL or key in it", ErrorCode::invalid);
    const auto certificates =
        std::count_if(blocks.begin(), blocks.end(), [](const PemBlock& block) { return block.label == "CERTIFICATE"; });
    for (const PemBlock& block : blocks) BIRTHMARK_CHECK(take_block(artefact, block, certificates > 1, handed));
  }
  return handed;
}

}  // namespace birthmark::crypto
