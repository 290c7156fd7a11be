// SPDX-License-Identifier: Apache-2.0
// The table of protocol facts, EVE section 7: each row is a situation in which the reference controller was found wanting; what it says
// here is what this one answers. Rows about the administration and the start are in admin_test and the end-to-end tests.
#include <eve.pb.h>
#include <zlib.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/ecdsa_signature.h"
#include "base/text.h"
#include "core/lifecycle.h"
#include "test_controller.h"

namespace birthmark::eve_test {
namespace {

namespace wire = birthmark::eve::wire;

constexpr const char* kRegister = "/api/v2/edgedevice/register";

std::string gzip_of(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::string register_sealed(const Pair& onboarding, const Pair& device, const Sealing& sealing) {
  return seal(onboarding, register_message(device, "S1", {}), sealing);
}

class Section7 : public ::testing::Test {
 protected:
  TestController controller;
  Pair onboarding = make_onboarding_pair("stick");
  Pair device = make_device_pair();
};

TEST_F(Section7, Row1TheSameNodeAgainIs200WithAndWithoutItsSoftSerial) {
  controller.admit(onboarding, {"S1"});
  EXPECT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, device, "S1").status, 200);
  EXPECT_EQ(controller.enroll(onboarding, device, "S1", "not-on-any-list").status, 200);
  const Pair any = make_onboarding_pair("any");
  const Pair second = make_device_pair();
  controller.admit(any, {"*"});
  EXPECT_EQ(controller.enroll(any, second, "S2", "soft-2").status, 201);
  EXPECT_EQ(controller.enroll(any, second, "S2", "soft-2").status, 200);
}

TEST_F(Section7, Row2AnotherDeviceCertificateForThePairIs409AndTheAuditNamesTheHolder) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  const std::string holder = controller.uuid(device);
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "S1").status, 409);
  const auto audit = controller.audit();
  EXPECT_NE(audit.back().find(holder), std::string::npos) << audit.back();
}

TEST_F(Section7, Row2SixteenAtOnceGiveOneNode) {
  controller.admit(onboarding, {"S1"});
  std::vector<Pair> devices;
  for (int i = 0; i < 16; ++i) devices.push_back(make_device_pair());
  std::map<int, std::atomic<int>> statuses;
  statuses[201] = 0;
  statuses[409] = 0;
  std::vector<std::thread> threads;
  for (const Pair& one : devices) {
    threads.emplace_back([&, node = &one] {
      const int status = controller.enroll(onboarding, *node, "S1").status;
      if (statuses.contains(status)) ++statuses.at(status);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(statuses.at(201), 1);
  EXPECT_EQ(statuses.at(409), 15);
  const auto nodes = controller.registry->nodes().list_nodes(kFactory, 0, 100);
  ASSERT_TRUE(nodes);
  EXPECT_EQ(nodes->size(), 1U);
}

TEST_F(Section7, Row3AnyListOneHardwareSerialIsOneNodeWhateverItsSoftSerial) {
  controller.admit(onboarding, {"*"});
  EXPECT_EQ(controller.enroll(onboarding, device, "HW1", "soft-a").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "HW1", "soft-b").status, 409);
}

TEST_F(Section7, Row4TheSameDeviceCertificateUnderAnotherSerialIs409) {
  controller.admit(onboarding, {"S1", "S2"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, device, "S2").status, 409);
  EXPECT_NE(controller.audit().back().find("S1"), std::string::npos) << controller.audit().back();
}

TEST_F(Section7, Row5SerialsMayHoldSpaces) {
  controller.admit(onboarding, {"ACME 12 34"});
  EXPECT_EQ(controller.enroll(onboarding, device, " ACME 12 34\n").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, device, "ACME 12 34").status, 200);
}

TEST_F(Section7, Row6TwoOnboardingCertificatesOfOneNameAreTwo) {
  const Pair twin = make_onboarding_pair("stick");
  controller.admit(onboarding, {"S1"});
  controller.admit(twin, {"S1"});
  EXPECT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  EXPECT_EQ(controller.enroll(twin, make_device_pair(), "S1").status, 201);
}

TEST_F(Section7, Row7ANameLikeAPathIsOnlyAName) {
  const Pair odd = make_onboarding_pair("..");
  controller.admit(odd, {"S1"});
  EXPECT_EQ(controller.enroll(odd, device, "S1").status, 201);
}

TEST_F(Section7, Row8AShortSignatureIs401AndAPemThatIsNoneIs422) {
  controller.admit(onboarding, {"S1"});
  const std::string message = register_message(device, "S1", {});
  EXPECT_EQ(
      controller.ask("POST", kRegister, seal(onboarding, message, {.hash = {}, .signature = Bytes(10, 1), .sender_certificate = true}))
          .status,
      401);
  wire::ZRegisterMsg bad;
  bad.set_pemcert(to_base64(as_bytes("no certificate at all")));
  bad.set_serial("S1");
  const std::string sealed = seal(onboarding, bad.SerializeAsString(), {.hash = {}, .signature = {}, .sender_certificate = true});
  EXPECT_EQ(controller.ask("POST", kRegister, sealed).status, 422);
}

TEST_F(Section7, Row9AWrongAlgorithmAForeignHashAndADerSignatureAre401) {
  controller.admit(onboarding, {"S1"});
  EXPECT_EQ(controller
                .ask("POST", kRegister,
                     register_sealed(onboarding, device, {.algorithm = 7, .hash = {}, .signature = {}, .sender_certificate = true}))
                .status,
            401);
  EXPECT_EQ(
      controller
          .ask("POST", kRegister, register_sealed(onboarding, device, {.hash = Bytes(32, 9), .signature = {}, .sender_certificate = true}))
          .status,
      401);
  const std::string message = register_message(device, "S1", {});
  const auto der = onboarding.key.sign(core::SignatureScheme::ecdsa_sha256, as_bytes(message));
  ASSERT_TRUE(der);
  EXPECT_EQ(
      controller.ask("POST", kRegister, seal(onboarding, message, {.hash = {}, .signature = *der, .sender_certificate = true})).status,
      401);
  EXPECT_TRUE(controller.uuid(device).empty());
}

TEST_F(Section7, Row10SixteenByteHashesAreTakenFromNodes) {
  controller.admit(onboarding, {"S1"});
  EXPECT_EQ(controller
                .ask("POST", kRegister,
                     register_sealed(onboarding, device, {.algorithm = 1, .hash = {}, .signature = {}, .sender_certificate = true}))
                .status,
            201);
  const Answer answer = controller.ask("POST", "/api/v2/edgedevice/uuid", seal(device, {}, {.algorithm = 1, .hash = {}, .signature = {}}));
  EXPECT_EQ(answer.status, 200);
}

TEST_F(Section7, Row11AnEnvelopeOnTheUrlOfAnotherNodeIs403) {
  controller.admit(onboarding, {"S1", "S2"});
  const Pair other = make_device_pair();
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  ASSERT_EQ(controller.enroll(onboarding, other, "S2").status, 201);
  EXPECT_EQ(controller.post(device, controller.uuid(other), "info", "x").status, 403);
  EXPECT_EQ(controller.post(device, controller.uuid(other), "config", "").status, 403);
  EXPECT_EQ(controller.post(device, controller.uuid(device), "info", "x").status, 201);
}

TEST_F(Section7, Row12MalformedAndEmptyBodiesAre4xx) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  const std::string uuid = controller.uuid(device);
  for (const std::string& body : {std::string(), std::string("\x0a\x7f"), std::string("\xff\xff\xff"), std::string(3000, 'a')}) {
    EXPECT_EQ(controller.ask("POST", kRegister, body).status, 422);
    EXPECT_EQ(controller.ask("POST", "/api/v2/edgedevice/uuid", body).status, 400);
    EXPECT_EQ(controller.ask("POST", "/api/v2/edgedevice/id/" + uuid + "/config", body).status, 400);
    EXPECT_EQ(controller.ask("POST", "/api/v2/edgedevice/id/" + uuid + "/info", body).status, 400);
  }
  EXPECT_EQ(controller.post(device, uuid, "config", "\xff\xff").status, 400);
  EXPECT_EQ(controller.post(device, uuid, "attest", "\xff\xff").status, 422);
}

TEST_F(Section7, Row13EverySuccessHasItsContentType) {
  controller.admit(onboarding, {"S1"});
  const Answer made = controller.enroll(onboarding, device, "S1");
  EXPECT_EQ(made.content_type, "application/x-proto-binary");
  EXPECT_TRUE(made.body.empty());
  EXPECT_EQ(controller.post(device, controller.uuid(device), "info", "x").content_type, "application/x-proto-binary");
  EXPECT_EQ(controller.ask("GET", "/api/v2/edgedevice/ping", {}).content_type, "application/x-proto-binary");
}

TEST_F(Section7, Row14TheFirstConfigurationOfANodeIsAValidEmptyOneAnd304Afterwards) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  const std::string uuid = controller.uuid(device);
  const Answer answer = controller.post(device, uuid, "config", {});
  ASSERT_EQ(answer.status, 200);
  wire::ConfigResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.payload));
  EXPECT_EQ(response.config().id().uuid(), uuid);
  EXPECT_EQ(response.config().id().version(), "1");
  EXPECT_FALSE(response.confighash().empty());
  EXPECT_FALSE(response.config().controllercertconfighash().empty());
  wire::ConfigRequest again;
  again.set_confighash(response.confighash());
  const Answer unchanged = controller.post(device, uuid, "config", again.SerializeAsString());
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_TRUE(unchanged.body.empty());
}

TEST_F(Section7, Row15PingInV1TakesAnOnboardingCertificateBeforeRegistration) {
  EXPECT_EQ(controller.ask("GET", "/api/v1/edgedevice/ping", {}, &onboarding).status, 200);
  EXPECT_EQ(controller.ask("GET", "/api/v1/edgedevice/ping", {}).status, 401);
  EXPECT_EQ(controller.ask("GET", "/api/v2/edgedevice/ping", {}).status, 200);
}

TEST_F(Section7, Row22NoncesAreLongAndNeverTheSame) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  const std::string uuid = controller.uuid(device);
  wire::ZAttestReq ask;
  ask.set_reqtype(wire::ATTEST_REQ_NONCE);
  std::vector<std::string> nonces;
  for (int i = 0; i < 2; ++i) {
    wire::ZAttestResponse response;
    ASSERT_TRUE(response.ParseFromString(controller.post(device, uuid, "attest", ask.SerializeAsString()).payload));
    nonces.push_back(response.nonce().nonce());
    EXPECT_GE(nonces.back().size(), 12U);
    EXPECT_LE(nonces.back().size(), 32U);
  }
  EXPECT_NE(nonces[0], nonces[1]);
}

TEST_F(Section7, Row24BodiesAndGzipAreBounded) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll(onboarding, device, "S1").status, 201);
  const std::string uuid = controller.uuid(device);
  const std::string lines = std::string("{\"content\":\"") + std::string(100'000, 'x') + "\"}\n";
  EXPECT_EQ(controller.post(device, uuid, "newlogs", gzip_of(lines)).status, 201);
  EXPECT_EQ(controller.post(device, uuid, "newlogs", gzip_of(std::string(64U << 20U, 'b'))).status, 413);
  EXPECT_EQ(controller.post(device, uuid, "newlogs", "no gzip").status, 422);
  EXPECT_EQ(controller.post(device, uuid, "newlogs", gzip_of(lines).substr(0, 40)).status, 422);
  EXPECT_EQ(controller.post(device, uuid, "info", std::string(10U << 20U, 'i')).status, 413);
}

TEST_F(Section7, Row25BothSpellingsAndTheV1UrlsOfApplicationLogsAreServed) {
  controller.admit(onboarding, {"S1"});
  ASSERT_EQ(controller.enroll_v1(onboarding, device, "S1").status, 201);
  EXPECT_EQ(controller.ask("GET", "/api/v2/edgeDevice/ping", {}).status, 200);
  EXPECT_EQ(controller.ask("POST", "/api/v1/edgeDevice/info", "x", &device).status, 201);
  EXPECT_EQ(controller.ask("POST", "/api/v1/edgedevice/apps/instances/id/app-1/logs", "x", &device).status, 201);
  EXPECT_EQ(controller.ask("POST", "/api/v1/edgedevice/apps/instanceid/id/app-1/newlogs", gzip_of("{}\n"), &device).status, 201);
}

TEST_F(Section7, Row26WhoKnockedIsListedAcceptedAndLetIn) {
  EXPECT_EQ(controller.enroll(onboarding, device, "S9", "soft-9").status, 403);
  const auto knocks = [&] {
    static_cast<void>(run_task(controller.registry->append_audit("{\"event\":\"x\"}")));  // behind the note in the writer's line
    auto found = controller.registry->nodes().knocks(kFactory, 10);
    EXPECT_TRUE(found);
    return *found;
  };
  auto waiting = knocks();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].serial, "S9");
  core::OnboardingKeeper keeper(controller.registry->nodes(), *controller.codec, controller.clock);
  ASSERT_TRUE(run_task(keeper.accept(std::move(waiting[0]), {}, {"known", "tester"})));
  EXPECT_TRUE(knocks().empty());
  EXPECT_EQ(controller.enroll(onboarding, device, "S9", "soft-9").status, 201);
}

}  // namespace
}  // namespace birthmark::eve_test
