// SPDX-License-Identifier: Apache-2.0
// The way from this server to its upstream: connection settings, courier and desk, as [upstream] says. Only `serve` starts one; commands
// that run alone never deliver.
#pragma once

#include <filesystem>
#include <memory>

#include "app/upstream_config.h"
#include "core/dispatch.h"
#include "upstream/device_api.h"

namespace birthmark::app {

class UpstreamLine {
 public:
  struct Parts {
    core::Outbox& outbox;
    const core::X509Codec& codec;
    const core::Clock& clock;
    core::Random& random;
  };
  // Paths in `config` are below `directory` unless absolute. Delivers from start() on.
  UpstreamLine(const std::filesystem::path& directory, const UpstreamConfig& config, Parts parts);

  [[nodiscard]] Status start() { return courier_.start(); }
  // Nobody waits for the upstream any more; what is under way ends.
  void stop() { courier_.stop(); }
  [[nodiscard]] core::OutboxDesk& desk() { return dispatch_; }
  [[nodiscard]] core::CourierFigures figures() const { return courier_.figures(); }

 private:
  upstream::DeviceApi site_;
  core::Courier courier_;
  core::Dispatch dispatch_;
};

}  // namespace birthmark::app
