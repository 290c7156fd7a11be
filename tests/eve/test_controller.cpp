// SPDX-License-Identifier: Apache-2.0
#include "test_controller.h"

#include <eve.pb.h>

#include "base/ecdsa_signature.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pki/profiles.h"
#include "crypto/x509_codec.h"

namespace birthmark::eve_test {

namespace wire = birthmark::eve::wire;

namespace {

const Instant kStart = from_unix_ms(1'767'225'600'000);  // 2026-01-01

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().describe());
  return std::move(*result);
}

Pair as_pair(const crypto::Certificate& certificate, crypto::PrivateKey key) {
  return {certificate.der(), certificate.pem(), std::move(key)};
}

}  // namespace

Pair make_onboarding_pair(const std::string& common_name) {
  const auto random = crypto::make_system_random();
  auto made = need(crypto::make_onboarding_certificate(common_name, *random, kStart, 1));
  return as_pair(need(crypto::Certificate::from_pem(made.certificate_pem)), need(crypto::PrivateKey::from_pem(made.key_pem)));
}

Pair make_device_pair() {
  const auto random = crypto::make_system_random();
  auto key = need(crypto::PrivateKey::generate_p256());
  const auto certificate = need(crypto::make_eve_device_certificate(key, *random, kStart));
  return as_pair(certificate, std::move(key));
}

std::string seal(const Pair& sender, const std::string& payload, const Sealing& sealing) {
  wire::AuthContainer container;
  container.mutable_protectedpayload()->set_payload(payload);
  container.set_algo(static_cast<wire::HashAlgorithm>(sealing.algorithm));
  Bytes hash = to_bytes(crypto::sha256(sender.der).view());
  if (sealing.algorithm == 1) hash.resize(16);
  if (sealing.hash) hash = *sealing.hash;
  container.set_sendercerthash(std::string(as_text(hash)));
  const Bytes der = need(sender.key.sign(core::SignatureScheme::ecdsa_sha256, as_bytes(payload)));
  const Bytes raw = sealing.signature ? *sealing.signature : *ecdsa_to_raw(der, 32);
  container.set_signaturehash(std::string(as_text(raw)));
  if (sealing.sender_certificate) container.set_sendercert(to_base64(as_bytes(sender.pem)));
  return container.SerializeAsString();
}

std::string register_message(const Pair& device, const std::string& serial, const std::string& soft_serial) {
  wire::ZRegisterMsg message;
  message.set_pemcert(to_base64(as_bytes(device.pem)));
  message.set_serial(serial);
  message.set_softserial(soft_serial);
  return message.SerializeAsString();
}

TestController::TestController(faces::eve::EveSettings settings, core::OnboardingRules rules) : clock(kStart) {
  codec = need(crypto::make_x509_codec({}));
  random = crypto::make_system_random();
  store::SqliteOptions options;
  options.path = directory.path() / "birthmark.db";
  registry = need(store::SqliteRegistry::open(options, *codec));
  guard = std::make_unique<core::ClockGuard>(clock, core::ClockRules{}, std::nullopt);
  std::filesystem::create_directory(directory.path() / "keys");
  const crypto::EveCeremony ceremony{*random, kStart, kFactory, directory.path() / "pki", directory.path()};
  if (auto made = crypto::make_eve_controller(ceremony, {"localhost"}); !made) throw std::runtime_error(made.error().describe());
  auto signing = need(crypto::load_key_bundle(directory.path() / crypto::kEveSigningBundle));
  const auto ecdh = need(crypto::load_key_bundle(directory.path() / crypto::kEveEcdhBundle));
  const std::string signing_pem = signing.certificate.pem();
  controller_ = need(faces::eve::make_controller(
      {{faces::eve::ControllerUse::signing, signing_pem}, {faces::eve::ControllerUse::ecdh, ecdh.certificate.pem()}}, signing_pem,
      crypto::make_file_signer(std::move(signing.key)), *codec));
  core::TrustChange change;
  change.upserts.push_back({0, kFactory, core::kControllerRole, core::AuthorityState::active, signing.certificate.der(), kStart});
  if (auto applied = run_task(registry->apply(std::move(change))); !applied) throw std::runtime_error(applied.error().describe());
  onboarder = std::make_unique<core::Onboarder>(*codec, *registry, registry->nodes(), *guard, *random, std::move(rules), kFactory);
  onboarder->set_controller(need(registry->authorities()).front().row);
  crypto::SealingKey key{};
  crypto = crypto::make_node_crypto(key, *random);
  const faces::eve::EveParts parts{*onboarder, registry->nodes(), registry->field(), *registry, *codec, *crypto, clock, *random, *this};
  face = std::make_unique<faces::eve::EveFace>(parts, settings);
}

TestController::~TestController() = default;

void TestController::admit(const Pair& onboarding, std::vector<std::string> serials, std::optional<std::uint64_t> places) {
  core::OnboardingKeeper keeper(registry->nodes(), *codec, clock);
  core::OnboardingOrder order;
  order.factory = kFactory;
  order.der = onboarding.der;
  order.serials = std::move(serials);
  order.places = places;
  const auto put = run_task(keeper.put(std::move(order), {"test", "tester"}));
  ASSERT_TRUE(put) << put.error().describe();
}

Answer TestController::ask(const std::string& method, const std::string& path, const std::string& body, const Pair* tls) {
  net::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.content_type = "application/x-proto-binary";
  request.peer.address = "192.0.2.7";
  request.peer.encrypted = true;
  if (tls != nullptr) {
    auto certificate = std::make_shared<net::PeerCertificate>();
    certificate->chain.push_back(tls->der);
    certificate->fingerprint = *Fingerprint::from(crypto::sha256(tls->der).view());
    request.peer.certificate = certificate;
  }
  const net::Response response = run_task(face->handle(request));
  Answer answer{response.status, response.content_type, response.body, {}};
  wire::AuthContainer container;
  if (response.content_type == "application/x-proto-binary" && container.ParseFromString(response.body))
    answer.payload = container.protectedpayload().payload();
  return answer;
}

Answer TestController::enroll(const Pair& onboarding, const Pair& device, const std::string& serial, const std::string& soft_serial) {
  return ask("POST", "/api/v2/edgedevice/register",
             seal(onboarding, register_message(device, serial, soft_serial), {.hash = {}, .signature = {}, .sender_certificate = true}));
}

Answer TestController::enroll_v1(const Pair& onboarding, const Pair& device, const std::string& serial) {
  return ask("POST", "/api/v1/edgedevice/register", register_message(device, serial, {}), &onboarding);
}

std::string TestController::uuid(const Pair& device) {
  const Answer answer = ask("POST", "/api/v2/edgedevice/uuid", seal(device, {}));
  wire::UuidResponse found;
  if (answer.status != 200 || !found.ParseFromString(answer.payload)) return {};
  return found.uuid();
}

Answer TestController::post(const Pair& device, const std::string& uuid, const std::string& what, const std::string& payload) {
  return ask("POST", "/api/v2/edgedevice/id/" + uuid + "/" + what, seal(device, payload));
}

core::DeviceIdentity TestController::identity(const std::string& uuid) const {
  return {kFactory, core::Ecosystem::eve, uuid};
}

std::vector<std::string> TestController::audit() const {
  std::vector<std::string> bodies;
  const auto records = registry->audit_records(0, 10'000);
  if (!records) return bodies;
  for (const core::AuditRecord& record : *records) bodies.push_back(record.body);
  return bodies;
}

}  // namespace birthmark::eve_test
