// SPDX-License-Identifier: Apache-2.0
// The administrative calls that eden and EVE's own test framework make of adam (protocol facts, EVE 5.2), in their order.
#include <eve.pb.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "faces/eve/adam_admin.h"
#include "test_controller.h"

namespace birthmark::eve_test {
namespace {

namespace json = boost::json;
namespace wire = birthmark::eve::wire;

class Adam : public ::testing::Test {
 protected:
  net::Response call(const std::string& method, const std::string& path, const std::string& body = {},
                     const std::string& type = "application/json", const std::string& accept = {}) {
    net::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.content_type = type;
    if (!accept.empty()) request.headers.emplace_back("Accept", accept);
    request.peer.address = "192.0.2.9";
    return run_task(adam.handle(request));
  }
  std::string onboard_body(const char* cert_key = "Cert", const char* serial_key = "Serial") {
    return json::serialize(json::object{{cert_key, to_base64(as_bytes(onboarding.pem))}, {serial_key, "S 1,S2"}});
  }

  TestController controller;
  faces::eve::AdamAdmin adam{{*controller.onboarder, controller.registry->nodes(), controller.registry->field(), *controller.registry,
                              *controller.codec, controller.clock, controller}};
  Pair onboarding = make_onboarding_pair("bench");
  Pair device = make_device_pair();
};

TEST_F(Adam, OnboardingCertificatesAreAddedListedShownAndRemoved) {
  EXPECT_EQ(call("POST", "/admin/onboard", onboard_body(), "text/plain").status, 400);
  EXPECT_EQ(call("POST", "/admin/onboard", "junk").status, 400);
  EXPECT_EQ(call("POST", "/admin/onboard", onboard_body()).status, 201);
  EXPECT_EQ(call("POST", "/admin/onboard", onboard_body("cert", "serial")).status, 201);
  EXPECT_EQ(call("GET", "/admin/onboard").body, "bench\n");
  const json::value shown = json::parse(call("GET", "/admin/onboard/bench").body);
  EXPECT_EQ(shown.at("Cert").as_string(), to_base64(as_bytes(onboarding.pem)));
  EXPECT_EQ(shown.at("Serial").as_string(), "S 1,S2");
  EXPECT_EQ(call("GET", "/admin/onboard/nobody").status, 404);
  EXPECT_EQ(controller.enroll(onboarding, device, "S 1").status, 201);
  EXPECT_EQ(call("DELETE", "/admin/onboard/bench").status, 200);
  EXPECT_EQ(call("GET", "/admin/onboard").body, "");
  EXPECT_EQ(call("DELETE", "/admin/onboard/nobody").status, 404);
}

TEST_F(Adam, DevicesAppearOnceTheyRegisteredAndTakeConfigurations) {
  ASSERT_EQ(call("POST", "/admin/onboard", onboard_body()).status, 201);
  EXPECT_EQ(call("GET", "/admin/device").body, "");
  ASSERT_EQ(controller.enroll(onboarding, device, "S2").status, 201);
  const std::string uuid = controller.uuid(device);
  EXPECT_EQ(call("GET", "/admin/device").body, uuid + "\n");
  const json::value shown = json::parse(call("GET", "/admin/device/" + uuid).body);
  EXPECT_EQ(shown.at("Cert").as_string(), to_base64(as_bytes(device.pem)));
  EXPECT_EQ(shown.at("Onboard").as_string(), to_base64(as_bytes(onboarding.pem)));
  EXPECT_EQ(shown.at("Serial").as_string(), "S2");

  wire::EdgeDevConfig config;
  config.mutable_id()->set_uuid(uuid);
  config.mutable_id()->set_version("4");
  config.set_devicename("from protobuf");
  EXPECT_EQ(call("PUT", "/admin/device/" + uuid + "/config", config.SerializeAsString(), "application/x-proto-binary").status, 200);
  wire::EdgeDevConfig got;
  ASSERT_TRUE(got.ParseFromString(call("GET", "/admin/device/" + uuid + "/config", {}, {}, "application/x-proto-binary").body));
  EXPECT_EQ(got.id().version(), "4");
  EXPECT_EQ(call("PUT", "/admin/device/" + uuid + "/config", R"({"deviceName":"from JSON"})").status, 200);
  const json::value read = json::parse(call("GET", "/admin/device/" + uuid + "/config").body);
  EXPECT_EQ(read.at("deviceName").as_string(), "from JSON");
  wire::ConfigResponse delivered;
  ASSERT_TRUE(delivered.ParseFromString(controller.post(device, uuid, "config", {}).payload));
  EXPECT_EQ(delivered.config().devicename(), "from JSON");
}

TEST_F(Adam, ADeviceMayBeRegisteredByItsOperator) {
  ASSERT_EQ(call("POST", "/admin/onboard", onboard_body()).status, 201);
  const auto body = [&](const std::string& serial) {
    return json::serialize(
        json::object{{"Cert", to_base64(as_bytes(device.pem))}, {"Onboard", to_base64(as_bytes(onboarding.pem))}, {"Serial", serial}});
  };
  EXPECT_EQ(call("POST", "/admin/device", body("any serial at all")).status, 201);
  EXPECT_FALSE(controller.uuid(device).empty());
  EXPECT_EQ(call("POST", "/admin/device", body("another")).status, 409);
}

TEST_F(Adam, Row18UnknownDevicesAre404AndDeletedOnesAreGone) {
  const std::string nobody = "/admin/device/28d32f3a-4387-4ecf-91ae-872d54289179";
  for (const char* what : {"", "/config", "/info", "/logs", "/certs"}) EXPECT_EQ(call("GET", nobody + what).status, 404) << what;
  ASSERT_EQ(call("POST", "/admin/onboard", onboard_body()).status, 201);
  ASSERT_EQ(controller.enroll(onboarding, device, "S2").status, 201);
  const std::string uuid = controller.uuid(device);
  ASSERT_EQ(controller.post(device, uuid, "info", "an info message").status, 201);
  const json::value info = json::parse(call("GET", "/admin/device/" + uuid + "/info").body);
  EXPECT_EQ(info.at("message").as_string(), to_base64(as_bytes("an info message")));
  EXPECT_EQ(call("DELETE", "/admin/device/" + uuid).status, 200);
  EXPECT_EQ(call("GET", "/admin/device/" + uuid).status, 404);
  EXPECT_EQ(controller.post(device, uuid, "config", {}).status, 404);
}

}  // namespace
}  // namespace birthmark::eve_test
