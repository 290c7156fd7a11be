// SPDX-License-Identifier: Apache-2.0
// The registration procedure of an EVE node on its /config: until the controller knows it, and no further (protocol facts, EVE 4.4).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "crypto/x509_codec.h"
#include "device/eve_controller_client.h"

namespace birthmark::device {

struct EveOnboardOptions {
  std::filesystem::path config_directory = "/config";
  EveApi api = EveApi::v2;
  std::optional<std::string> serial, soft_serial;  // instead of what the machine and /config say
  std::filesystem::path status_file;               // empty: CONFIG_DIR/onboard-status.json
  unsigned attempts = 0;                           // 0: for ever
  bool again = false;                              // register although it has before, as current EVE does at every boot
  std::chrono::seconds first_delay{2}, longest_delay{600};
};

enum class EveOutcome : std::uint8_t {
  registered,      // and its UUID is known
  not_configured,  // server, root or onboarding pair are missing or cannot be used
  refused,         // the controller said no as often as it was asked
  unreachable,     // no answer that can be believed, as often as it was asked
};

struct EveOnboardTools {
  core::Random& random;
  std::function<Instant()> now;
  std::function<void(std::chrono::seconds)> wait;
  std::function<void(const std::string&)> say;
};

[[nodiscard]] EveOutcome onboard_eve(const EveOnboardOptions& options, const EveOnboardTools& tools);

// What the hardware says, in EVE's order: DMI, /proc/cpuinfo, the SoC (protocol facts, EVE 4.2). `root` is "/" but in tests.
[[nodiscard]] std::string discover_serial(const std::filesystem::path& root);

}  // namespace birthmark::device
