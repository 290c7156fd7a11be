// SPDX-License-Identifier: Apache-2.0
// Whatever is handed to `ca install`: PEM bundles with certificates, CRLs and keys. Nothing crashes, and nothing is ever installed that
// the server's root did not sign.
#include <algorithm>

#include "base/pem.h"
#include "crypto/pki/describe.h"
#include "crypto/pki/trust_change.h"
#include "crypto/x509_codec.h"

namespace {

using namespace birthmark;
using namespace birthmark::crypto;

// factory_ca.pem and local-ca.pem of tests/data/foundries.
constexpr const char* kRoot = R"(-----BEGIN CERTIFICATE-----
MIIBrDCCAVKgAwIBAgIVAMRZeQhwhg3LqL9QsKT5724MA3MLMAoGCCqGSM49BAMC
MCQxEzARBgNVBAMMCkZhY3RvcnktQ0ExDTALBgNVBAsMBGFjbWUwHhcNMjYxMTIw
MTQyMzQyWhcNNDYxMTIwMTQyMzQyWjAkMRMwEQYDVQQDDApGYWN0b3J5LUNBMQ0w
CwYDVQQLDARhY21lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQWnfICV8IIu8
jO2QSqmWnRVIEBNgjV+Jd/mEaw73EJdTGjNZGp4sdvOhfkLTrjF/Se6qG+I/eASd
gZsa0eMPwKNhMF8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdJQQWMBQGCCsGAQUFBwMB
BggrBgEFBQcDAjAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBSGd+7xde0gNNLZ
RzWFX2drORK0VjAKBggqhkjOPQQDAgNIADBFAiB43nRAxhExhqffL8AD6tiQbmgT
6QRLQk+5AoUlfFZbfwIhAL1scc+lJIp+cX3Jkbw6r/ChaY/q2zR32cBGPpnCty2O
-----END CERTIFICATE-----
)";
constexpr const char* kLocalCa = R"(-----BEGIN CERTIFICATE-----
MIIBwjCCAWigAwIBAgIUW5gmcxIwOA30JyyRIJ1x6Dak3icwCgYIKoZIzj0EAwIw
JDETMBEGA1UEAwwKRmFjdG9yeS1DQTENMAsGA1UECwwEYWNtZTAeFw0yNjExMjAx
NDIzNDJaFw0zNjExMjAxNDIzNDJaMDYxJTAjBgNVBAMMHGZpby01ZTEzMjMyZjcz
OTI3NTUwYWY4ODNlN2IxDTALBgNVBAsMBGFjbWUwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQDZK1oxnXzxoaH+q9vpyIVpw4v4e/aAjOE543yt+uUDBMMQZwFedQh
fY21qzjl3oeTsibTRJZiJQv5wJwoNmhuo2YwZDAOBgNVHQ8BAf8EBAMCAgQwEgYD
VR0TAQH/BAgwBgEB/wIBADAdBgNVHQ4EFgQUnP7/tl1/F/v8yJmH+I7X+5Ck0LQw
HwYDVR0jBBgwFoAUhnfu8XXtIDTS2Uc1hV9nazkStFYwCgYIKoZIzj0EAwIDSAAw
RQIhANRHijrDvJXXzvQ6ZIyKUtCWXeX3c7hLxjYrfj17o7BFAiBu1nd/DPkcx1la
MItW2RPsthXqAQCLG+zc5jAn4SEm1w==
-----END CERTIFICATE-----
)";

// The root that fioctl made, with its CAs installed: so that CRLs and CAs of the corpus can take effect.
struct Server {
  TrustSituation situation;
  std::vector<Certificate> root;
  std::unique_ptr<core::X509Codec> codec;

  Server() {
    situation.factory = "acme";
    situation.actor = "fuzz";
    auto now = parse_rfc3339("2026-11-20T14:30:00Z");
    auto made = make_x509_codec();
    BIRTHMARK_ASSERT(now && made);
    situation.now = *now;
    codec = std::move(*made);
    add(kRoot, core::AuthorityRole::root);
    add(kLocalCa, core::AuthorityRole::device_ca);
  }

  void add(const char* pem, core::AuthorityRole role) {
    auto certificate = Certificate::from_pem(pem);
    BIRTHMARK_ASSERT(certificate);
    const auto row = static_cast<core::RowId>(situation.authorities.size() + 1);
    situation.authorities.push_back({row, "acme", role, core::AuthorityState::active, certificate->der(), situation.now});
    if (role == core::AuthorityRole::root) root.push_back(std::move(*certificate));
  }
};

void check(const Server& server, const TrustJudgement& judgement) {
  BIRTHMARK_ASSERT(judgement.change.upserts.size() <= judgement.change.audit_bodies.size());
  for (const core::AuthorityRecord& record : judgement.change.upserts) {
    const auto certificate = Certificate::from_der(record.der);
    BIRTHMARK_ASSERT(certificate && certificate->is_signed_by(server.root.front()));
    BIRTHMARK_ASSERT(server.codec->read_certificate(record.der));
  }
}

// What `ca show --pretty` does with it.
void describe_all(std::string_view text) {
  const auto blocks = decode_pem(text);
  if (!blocks) return;
  for (const PemBlock& block : *blocks) {
    if (const auto certificate = Certificate::from_der(block.contents)) static_cast<void>(describe_certificate(*certificate));
    if (const auto crl = Crl::from_der(block.contents)) static_cast<void>(describe_crl(*crl));
    static_cast<void>(CertificateRequest::from_pem(encode_pem("CERTIFICATE REQUEST", block.contents)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Server server;
  const std::string text(as_text({data, size}));
  describe_all(text);
  const auto judgement = judge_trust_change(server.situation, *server.codec, {{"input.key", text}});
  if (judgement) check(server, *judgement);
  // Raw DER reaches further than what survives base64.
  const auto crl = Crl::from_der({data, size});
  if (crl) static_cast<void>(describe_crl(*crl));
  const auto certificate = Certificate::from_der({data, size});
  if (certificate) static_cast<void>(describe_certificate(*certificate));
  ERR_clear_error();
  return 0;
}
