// SPDX-License-Identifier: Apache-2.0
#include "device/eve_controller_client.h"

#include <eve.pb.h>

#include <algorithm>
#include <charconv>

#include "base/ecdsa_signature.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/certificate_reader.h"
#include "crypto/digest.h"
#include "crypto/signature.h"
#include "device/config_file.h"

namespace birthmark::device {

namespace wire = birthmark::eve::wire;

namespace {

constexpr const char* kProtobuf = "application/x-proto-binary";
constexpr std::size_t kP256 = 32;

// A payload under the key of `certificate` (protocol facts, EVE 3).
Result<std::string> seal(const crypto::Certificate& certificate, const crypto::PrivateKey& key, const std::string& payload) {
  BIRTHMARK_TRY(const Bytes der, key.sign(core::SignatureScheme::ecdsa_sha256, as_bytes(payload)));
  const auto raw = ecdsa_to_raw(der, kP256);
  if (!raw) return fail(ErrorCode::misconfigured, "the key is not on P-256");
  wire::AuthContainer container;
  container.mutable_protectedpayload()->set_payload(payload);
  container.set_algo(wire::HASH_SHA256_32BYTES);
  container.set_sendercerthash(std::string(as_text(crypto::sha256(certificate.der()).view())));
  container.set_signaturehash(std::string(as_text(*raw)));
  return container.SerializeAsString();
}

EveAnswer answer_of(const net::ClientResponse& response) {
  EveAnswer answer;
  answer.status = response.status;
  if (response.status >= 400) answer.message = response.body.substr(0, 200);
  const std::string_view retry = response.header("Retry-After");
  long seconds = 0;
  const auto read = std::from_chars(retry.data(), retry.data() + retry.size(), seconds);
  if (!retry.empty() && read.ec == std::errc() && seconds >= 0) answer.retry_after = std::chrono::seconds(std::min(seconds, 86'400L));
  return answer;
}

// The roots of `pem`, any of which may have signed.
Result<std::vector<crypto::Certificate>> read_roots(const std::string& pem) {
  std::vector<crypto::Certificate> roots;
  BIRTHMARK_TRY(const auto blocks, decode_pem(pem));
  for (const PemBlock& block : blocks) {
    if (block.label != "CERTIFICATE") continue;
    BIRTHMARK_TRY(auto root, crypto::Certificate::from_der(block.contents));
    roots.push_back(std::move(root));
  }
  if (roots.empty()) return fail(ErrorCode::misconfigured, "root-certificate.pem holds no certificate");
  return roots;
}

// Directly, or by one of the intermediates that came along; dates as of now, usage serverAuth or none (protocol facts, EVE 0.4).
bool is_believed(const crypto::Certificate& leaf, const std::vector<crypto::Certificate>& intermediates,
                 const std::vector<crypto::Certificate>& roots, Instant now) {
  const auto in_time = [&](const crypto::Certificate& one) { return one.not_before() <= now && now <= one.not_after(); };
  const auto by_root = [&](const crypto::Certificate& one) {
    return std::any_of(roots.begin(), roots.end(),
                       [&](const auto& root) { return root.is_ca() && in_time(root) && one.is_signed_by(root); });
  };
  if (!in_time(leaf)) return false;
  if (by_root(leaf)) return true;
  return std::any_of(intermediates.begin(), intermediates.end(),
                     [&](const crypto::Certificate& ca) { return ca.is_ca() && in_time(ca) && leaf.is_signed_by(ca) && by_root(ca); });
}

}  // namespace

Result<net::ClientResponse> EveControllerClient::post(const std::string& what, std::string body, Sender sender, bool get) {
  net::TlsTrust trust;
  trust.ca_file = files_.root.string();
  if (api_ == EveApi::v1) {
    trust.certificate_file = (sender == Sender::onboarding ? files_.onboarding_certificate : files_.device_certificate).string();
    trust.key_file = (sender == Sender::onboarding ? files_.onboarding_key : files_.device_key).string();
  }
  net::ClientRequest request;
  request.method = get ? "GET" : "POST";
  request.url = "https://" + files_.server + (api_ == EveApi::v1 ? "/api/v1/edgedevice/" : "/api/v2/edgedevice/") + what;
  if (!get) request.headers.emplace_back("Content-Type", kProtobuf);
  if (!serials_.serial.empty()) request.headers.emplace_back("X-Serial-Number", serials_.serial);
  if (!serials_.soft_serial.empty()) request.headers.emplace_back("X-Soft-Serial", serials_.soft_serial);
  request.body = std::move(body);
  return net::http_request(request, trust);
}

// The signature of this one answer cannot be checked: it brings the key to check with. What it brings is believed by the root alone.
Status EveControllerClient::learn_controller(Instant now) {
  if (api_ == EveApi::v1) return {};
  BIRTHMARK_TRY(const auto response, post("certs", {}, Sender::device, true));
  if (response.status != 200) return fail(ErrorCode::unavailable, "the controller's certificates: HTTP " + std::to_string(response.status));
  wire::AuthContainer container;
  wire::ZControllerCert all;
  if (!container.ParseFromString(response.body) || !all.ParseFromString(container.protectedpayload().payload()))
    return fail(ErrorCode::unavailable, "the controller's certificates cannot be read");
  BIRTHMARK_TRY(const std::string root_pem, read_file(files_.root));
  BIRTHMARK_TRY(const auto roots, read_roots(root_pem));
  std::vector<crypto::Certificate> intermediates;
  const wire::ZCert* signing = nullptr;
  for (const wire::ZCert& one : all.certs()) {
    if (one.type() == wire::CERT_CONTROLLER_INTERMEDIATE) {
      BIRTHMARK_TRY(auto ca, crypto::Certificate::from_pem(one.cert()));
      intermediates.push_back(std::move(ca));
    }
    if (one.type() != wire::CERT_CONTROLLER_SIGNING) continue;
    if (signing != nullptr) return fail(ErrorCode::unavailable, "the controller shows two signing certificates");
    signing = &one;
  }
  if (signing == nullptr) return fail(ErrorCode::unavailable, "the controller shows no signing certificate");
  BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_pem(signing->cert()));
  if (!is_believed(certificate, intermediates, roots, now))
    return fail(ErrorCode::misconfigured, "the controller's signing certificate does not come from root-certificate.pem");
  BIRTHMARK_TRY(auto facts, crypto::read_certificate(certificate.der()));
  signing_pem_ = signing->cert();
  signing_spki_ = std::move(facts.spki_der);
  return {};
}

Result<std::string> EveControllerClient::open(const std::string& body) const {
  wire::AuthContainer container;
  if (!container.ParseFromString(body)) return fail(ErrorCode::unavailable, "the answer is no AuthContainer");
  const auto hash = crypto::sha256(as_bytes(signing_pem_));
  const std::size_t size = container.algo() == wire::HASH_SHA256_16BYTES ? 16 : 32;
  if (container.sendercerthash() != as_text(hash.view().first(size)))
    return fail(ErrorCode::unavailable, "the answer is signed with a certificate that the controller does not show");
  const std::string& payload = container.protectedpayload().payload();
  BIRTHMARK_TRY(const bool good, crypto::verify_signature(signing_spki_, core::SignatureScheme::ecdsa_sha256, as_bytes(payload),
                                                          ecdsa_to_der(as_bytes(container.signaturehash()))));
  if (!good) return fail(ErrorCode::unavailable, "the answer's signature is wrong");
  return payload;
}

Result<EveAnswer> EveControllerClient::register_device(const EveIdentity& identity) {
  wire::ZRegisterMsg message;
  message.set_pemcert(to_base64(as_bytes(identity.certificate.pem())));
  message.set_serial(serials_.serial);
  message.set_softserial(serials_.soft_serial);
  std::string body = message.SerializeAsString();
  if (api_ == EveApi::v2) {
    BIRTHMARK_TRY(const auto key, read_config_key(files_.onboarding_key));
    BIRTHMARK_TRY(const std::string pem, read_file(files_.onboarding_certificate));
    BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_pem(pem));
    BIRTHMARK_TRY(const std::string sealed, seal(certificate, key, body));
    wire::AuthContainer container;
    static_cast<void>(container.ParseFromString(sealed));
    container.set_sendercert(to_base64(as_bytes(pem)));
    body = container.SerializeAsString();
  }
  BIRTHMARK_TRY(const auto response, post("register", std::move(body), Sender::onboarding));
  return answer_of(response);
}

// v1: the deprecated GET config tells the UUID in its id, and every v1 controller has it (protocol facts, EVE 4.4).
Result<EveAnswer> EveControllerClient::ask_uuid(const EveIdentity& identity) {
  const bool old = api_ == EveApi::v1;
  std::string body;
  if (!old) {
    BIRTHMARK_TRY(body, seal(identity.certificate, identity.key, {}));
  }
  BIRTHMARK_TRY(auto response, post("uuid", std::move(body), Sender::device));
  if (old && response.status == 404) {
    BIRTHMARK_TRY(response, post("config", {}, Sender::device, true));
    EveAnswer answer = answer_of(response);
    wire::EdgeDevConfig config;
    if (answer.status == 200 && config.ParseFromString(response.body)) answer.uuid = config.id().uuid();
    return answer;
  }
  EveAnswer answer = answer_of(response);
  if (answer.status != 200) return answer;
  std::string payload = std::move(response.body);
  if (!old) {
    BIRTHMARK_TRY(payload, open(payload));
  }
  wire::UuidResponse found;
  if (!found.ParseFromString(payload) || !parse_uuid(found.uuid())) return fail(ErrorCode::unavailable, "the answer names no UUID");
  answer.uuid = to_lower(found.uuid());
  return answer;
}

}  // namespace birthmark::device
