// SPDX-License-Identifier: Apache-2.0
// A controller with its registry, and nodes that speak to it in v1 and v2 as EVE does. Nothing in it is a mock but the clock.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/onboarder.h"
#include "core/onboarding_keeper.h"
#include "crypto/node_crypto.h"
#include "crypto/pki/eve_controller.h"
#include "faces/eve/eve_face.h"
#include "store/sqlite/sqlite_registry.h"
#include "test_factory.h"

namespace birthmark::eve_test {

inline constexpr const char* kFactory = "acme";

// A certificate with its key, self-signed.
struct Pair {
  Bytes der;
  std::string pem;
  crypto::PrivateKey key;
};
[[nodiscard]] Pair make_onboarding_pair(const std::string& common_name);
[[nodiscard]] Pair make_device_pair();

// How an envelope is made; every step can go wrong on purpose.
struct Sealing {
  int algorithm = 2;
  std::optional<Bytes> hash;       // instead of that of the certificate
  std::optional<Bytes> signature;  // instead of a good one
  bool sender_certificate = false;
};
[[nodiscard]] std::string seal(const Pair& sender, const std::string& payload, const Sealing& sealing = {});

struct Answer {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string payload;  // of the envelope in the body, when it is one
};

class TestController : public faces::eve::ControllerSource {
 public:
  explicit TestController(faces::eve::EveSettings settings = {}, core::OnboardingRules rules = {});
  ~TestController() override;

  [[nodiscard]] std::shared_ptr<const faces::eve::Controller> current() const override { return controller_; }

  // Lets nodes in by this certificate.
  void admit(const Pair& onboarding, std::vector<std::string> serials, std::optional<std::uint64_t> places = {});
  [[nodiscard]] Answer ask(const std::string& method, const std::string& path, const std::string& body, const Pair* tls = nullptr);
  // POST /api/v2/edgedevice/register
  [[nodiscard]] Answer enroll(const Pair& onboarding, const Pair& device, const std::string& serial, const std::string& soft_serial = {});
  [[nodiscard]] Answer enroll_v1(const Pair& onboarding, const Pair& device, const std::string& serial);
  // The UUID that /uuid says; empty when it refuses.
  [[nodiscard]] std::string uuid(const Pair& device);
  // POST to /api/v2/edgedevice/id/<uuid>/<what>
  [[nodiscard]] Answer post(const Pair& device, const std::string& uuid, const std::string& what, const std::string& payload);
  [[nodiscard]] core::DeviceIdentity identity(const std::string& uuid) const;
  [[nodiscard]] std::vector<std::string> audit() const;

  testing::TemporaryDirectory directory;
  testing::FakeClock clock;
  std::unique_ptr<core::X509Codec> codec;
  std::unique_ptr<core::Random> random;
  std::unique_ptr<store::SqliteRegistry> registry;
  std::unique_ptr<core::ClockGuard> guard;
  std::unique_ptr<core::Onboarder> onboarder;
  std::unique_ptr<core::NodeCrypto> crypto;
  std::unique_ptr<faces::eve::EveFace> face;

 private:
  std::shared_ptr<const faces::eve::Controller> controller_;
};

[[nodiscard]] std::string register_message(const Pair& device, const std::string& serial, const std::string& soft_serial);

}  // namespace birthmark::eve_test
