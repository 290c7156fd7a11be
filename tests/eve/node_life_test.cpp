// SPDX-License-Identifier: Apache-2.0
// Whom an onboarding certificate lets in, and what denying, deleting and letting in again mean for a node.
#include <eve.pb.h>

#include "core/audit_verifier.h"
#include "core/lifecycle.h"
#include "test_controller.h"

namespace birthmark::eve_test {
namespace {

namespace wire = birthmark::eve::wire;

class NodeLife : public ::testing::Test {
 protected:
  [[nodiscard]] int config_status(const Pair& node, const std::string& uuid) { return controller.post(node, uuid, "config", {}).status; }
  void expect_sound_audit() {
    const auto verdict = core::verify_audit(*controller.registry, *controller.codec, {}, {});
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->good()) << verdict->text;
  }

  TestController controller;
  core::Lifecycle lifecycle{*controller.registry, controller.clock};
  Pair onboarding = make_onboarding_pair("stick");
  Pair device = make_device_pair();
};

TEST_F(NodeLife, UnknownOnboardingCertificatesAndSerialsAre403) {
  EXPECT_EQ(controller.enroll(onboarding, device, "S1").status, 403);
  controller.admit(onboarding, {"S2"});
  EXPECT_EQ(controller.enroll(onboarding, device, "S1").status, 403);
  EXPECT_EQ(controller.enroll(onboarding, device, "S2").status, 201);
}

TEST_F(NodeLife, ThePlacesOfACertificateAreCountedOnce) {
  controller.admit(onboarding, {"*"}, 2);
  const Pair second = make_device_pair(), third = make_device_pair();
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, second, "B").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, third, "C").status, 403);
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 200);
}

TEST_F(NodeLife, ARevokedOrExpiredCertificateBringsNobodyNewAndKeepsWhoIsIn) {
  controller.admit(onboarding, {"*"});
  ASSERT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  core::OnboardingKeeper keeper(controller.registry->nodes(), *controller.codec, controller.clock);
  ASSERT_TRUE(run_task(keeper.revoke(kFactory, "stick", {"lost", "tester"})));
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "B").status, 403);
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 200);
  EXPECT_FALSE(controller.uuid(device).empty());
}

TEST_F(NodeLife, MachinesWithOneSharedSerialAreToldApartByTheirSoftSerials) {
  controller.admit(onboarding, {"*"});
  const Pair second = make_device_pair();
  EXPECT_EQ(controller.enroll(onboarding, device, "To be filled by O.E.M.", "soft-1").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, second, "to be filled by o.e.m. ", "soft-2").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "Default string").status, 403);
  EXPECT_NE(controller.uuid(device), controller.uuid(second));
}

TEST_F(NodeLife, ADeniedNodeIs403EverywhereUntilItIsAllowed) {
  controller.admit(onboarding, {"*"});
  ASSERT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  const std::string uuid = controller.uuid(device);
  ASSERT_TRUE(run_task(lifecycle.deny(controller.identity(uuid), {"stolen", "tester"})));
  EXPECT_EQ(config_status(device, uuid), 403);
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 403);
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "A").status, 403);  // the pair is denied too
  ASSERT_TRUE(run_task(lifecycle.allow(controller.identity(uuid), {"found", "tester"})));
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  EXPECT_EQ(controller.uuid(device), uuid);
  expect_sound_audit();
}

TEST_F(NodeLife, ADeletedNodeIs404AtConfigAndComesBackByItselfWhenAllowed) {
  controller.admit(onboarding, {"*"});
  ASSERT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  const std::string uuid = controller.uuid(device);
  ASSERT_TRUE(run_task(lifecycle.remove(controller.identity(uuid), {"scrapped", "tester"})));
  EXPECT_EQ(config_status(device, uuid), 404);
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 403);
  ASSERT_TRUE(run_task(lifecycle.allow(controller.identity(uuid), {"not scrapped", "tester"})));
  // Not for somebody who only knows the certificate.
  const std::string forged = seal(device, {}, {.algorithm = 2, .hash = {}, .signature = Bytes(64, 1), .sender_certificate = false});
  EXPECT_EQ(controller.ask("POST", "/api/v2/edgedevice/id/" + uuid + "/config", forged).status, 401);
  EXPECT_EQ(controller.registry->find(controller.identity(uuid)).value()->status, core::DeviceStatus::released);
  // Without a boot, hence without registering: the node asks for its configuration, as it does every minute.
  EXPECT_EQ(config_status(device, uuid), 200);
  EXPECT_EQ(config_status(device, uuid), 200);
  expect_sound_audit();
}

TEST_F(NodeLife, AReplacedDiskRegistersOnceWhenAnOperatorAllowsIt) {
  controller.admit(onboarding, {"A"});
  ASSERT_EQ(controller.enroll(onboarding, device, "A").status, 201);
  const std::string uuid = controller.uuid(device);
  ASSERT_TRUE(run_task(lifecycle.allow_rekey(controller.identity(uuid), std::chrono::hours(1), {"new disk", "tester"})));
  const Pair again = make_device_pair();
  EXPECT_EQ(controller.enroll(onboarding, again, "A").status, 201);
  EXPECT_EQ(controller.uuid(again), uuid);
  EXPECT_TRUE(controller.uuid(device).empty());
  EXPECT_EQ(controller.enroll(onboarding, make_device_pair(), "A").status, 409);
  expect_sound_audit();
}

TEST_F(NodeLife, V1AndV2AreOneNode) {
  controller.admit(onboarding, {"A"});
  ASSERT_EQ(controller.enroll_v1(onboarding, device, "A").status, 201);
  EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 200);
  const Answer v1 = controller.ask("POST", "/api/v1/edgedevice/uuid", {}, &device);
  wire::UuidResponse found;
  ASSERT_TRUE(found.ParseFromString(v1.body));
  EXPECT_EQ(found.uuid(), controller.uuid(device));
  const Answer old = controller.ask("GET", "/api/v1/edgedevice/config", {}, &device);
  wire::EdgeDevConfig config;
  ASSERT_TRUE(config.ParseFromString(old.body));
  EXPECT_EQ(config.id().uuid(), found.uuid());
}

}  // namespace
}  // namespace birthmark::eve_test
