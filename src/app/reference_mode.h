// SPDX-License-Identifier: Apache-2.0
// `serve --registration-ref`: a server that takes the place of factory-registration-ref, configured by the same environment (protocol
// facts, Foundries 4.1).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "app/config.h"
#include "app/reference_data.h"
#include "cli/command.h"
#include "core/device_log.h"

namespace birthmark::app {

struct ReferenceEnvironment {
  ReferencePaths paths;
  std::filesystem::path state;  // the server's directory: DATA_DIR/birthmark
  std::string gateway_server;   // empty: from tls-crt
  std::string ostree_server;
  std::string group;
  std::string upstream_url;
  bool verify_ssl = true;
  std::uint16_t port = 80;

  // `lookup` answers the value of a variable, nothing when it is not set.
  using Lookup = std::function<std::optional<std::string>(const char* name)>;
  [[nodiscard]] static Result<ReferenceEnvironment> read(const Lookup& lookup);
  [[nodiscard]] static Result<ReferenceEnvironment> of_process();
};

// Takes over what is in the directories, then the configuration that the environment asks for.
[[nodiscard]] Result<Config> prepare_reference(const ReferenceEnvironment& environment, cli::Console& console);

// DEVICES_DIR/<id>: the device's public key, as the reference keeps it. Replaced in one step; the registry is what is durable.
class ReferenceDeviceLog final : public core::DeviceLog {
 public:
  ReferenceDeviceLog(std::filesystem::path directory, const core::X509Codec& codec) : directory_(std::move(directory)), codec_(codec) {}
  [[nodiscard]] Status note(const core::Enrolled& enrolled) override;

 private:
  const std::filesystem::path directory_;
  const core::X509Codec& codec_;
};

}  // namespace birthmark::app
