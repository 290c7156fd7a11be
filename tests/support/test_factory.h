// SPDX-License-Identifier: Apache-2.0
// A whole factory for tests: a real PKI, a registry, the real enroller, and devices that ask. Nothing in it is a mock but the clock.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/run_task.h"
#include "core/enroller.h"
#include "core/lifecycle.h"
#include "core/ports/orders.h"
#include "core/ports/tokens.h"
#include "crypto/csr_builder.h"
#include "crypto/private_key.h"
#include "fake_clock.h"

namespace birthmark::testing {

inline constexpr const char* kUuid = "28d32f3a-4387-4ecf-91ae-872d54289179";

// A directory of its own that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A device with a key; asks as lmp-device-register does.
struct TestDevice {
  explicit TestDevice(std::string id = kUuid, std::string factory = "acme", bool production = false);
  [[nodiscard]] std::string csr() const;
  [[nodiscard]] core::Enrollment enrollment(std::string station = "127.0.0.1") const;

  std::string id;
  std::string factory;
  bool production = false;
  crypto::PrivateKey key;
};

enum class Store { memory, sqlite };

class TestFactory {
 public:
  explicit TestFactory(Store store = Store::memory, core::RegistrationRules rules = {}, core::ClockRules clock_rules = {});

  [[nodiscard]] core::EnrollmentOutcome enroll(const core::Enrollment& enrollment);
  // The certificate; the test fails with the refusal's text when there is none.
  [[nodiscard]] core::Enrolled expect_enrolled(const core::Enrollment& enrollment);
  [[nodiscard]] core::Refusal expect_refused(const core::Enrollment& enrollment);
  [[nodiscard]] core::CertificateFacts facts(const core::Enrolled& enrolled);
  [[nodiscard]] core::DeviceRecord device(std::string_view id = kUuid);

  // Sets the state of the device CA at that place, and reloads the trust as `ca install` would.
  void set_authority_state(std::size_t index, core::AuthorityState state);
  // A second local CA whose key is held too, after the first in preference.
  void add_successor();
  void reload();
  // The same factory after the process ended and began again.
  void restart();

  TemporaryDirectory directory;
  FakeClock clock;
  std::unique_ptr<core::X509Codec> codec;
  std::unique_ptr<core::Random> random;
  std::unique_ptr<core::Registry> registry;
  core::Tokens* tokens = nullptr;  // the registry's
  core::Orders* orders = nullptr;  // likewise
  std::unique_ptr<core::TrustStore> trust;
  std::unique_ptr<core::ClockGuard> clock_guard;
  std::unique_ptr<core::Enroller> enroller;

 private:
  void open_registry();
  void install(std::string_view certificate_file, core::AuthorityRole role);

  const Store store_;
  const core::RegistrationRules rules_;
  const core::ClockRules clock_rules_;
  std::vector<std::shared_ptr<core::Signer>> signers_;
};

}  // namespace birthmark::testing
