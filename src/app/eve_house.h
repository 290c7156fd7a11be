// SPDX-License-Identifier: Apache-2.0
// What a data directory has for EVE nodes: the controller's certificates as they are on disk, the sealing key, and who lets nodes in. A
// part of Site; everything here is made whether or not a listener for nodes runs, so that commands work either way.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "core/onboarder.h"
#include "core/ports/node_crypto.h"
#include "core/trust_store.h"
#include "faces/eve/controller.h"

namespace birthmark::app {

class EveHouse final : public faces::eve::ControllerSource {
 public:
  // What it borrows; all of it outlives the house.
  struct Parts {
    std::filesystem::path directory;
    const core::X509Codec& codec;
    core::Registry& registry;
    core::Nodes& nodes;
    core::ClockGuard& clock;
    core::Random& random;
  };

  EveHouse(Parts parts, core::OnboardingRules rules, std::string factory)
      : parts_(std::move(parts)),
        onboarder_(parts_.codec, parts_.registry, parts_.nodes, parts_.clock, parts_.random, std::move(rules), std::move(factory)) {}

  // Certificates and keys as they are on disk, whole or not at all; a directory that has none keeps none.
  struct Candidate {
    core::RowId authority = 0;
    std::shared_ptr<const faces::eve::Controller> controller;
    std::unique_ptr<core::NodeCrypto> crypto;  // the first time
  };
  [[nodiscard]] Result<Candidate> prepare() const;
  void use(Candidate candidate);

  [[nodiscard]] core::Onboarder& onboarder() { return onboarder_; }
  [[nodiscard]] const core::NodeCrypto* crypto() const { return crypto_.get(); }  // null until there is a controller
  [[nodiscard]] std::shared_ptr<const faces::eve::Controller> current() const override;

 private:
  [[nodiscard]] Result<std::shared_ptr<const faces::eve::Controller>> read_controller() const;
  [[nodiscard]] Result<core::RowId> controller_authority() const;

  const Parts parts_;
  core::Onboarder onboarder_;
  std::unique_ptr<core::NodeCrypto> crypto_;
  mutable std::mutex mutex_;
  std::shared_ptr<const faces::eve::Controller> current_;
};

}  // namespace birthmark::app
