// SPDX-License-Identifier: Apache-2.0
// The ways from this server to others: its upstream as [upstream] says, and the line's own system as [hooks] says. Only `serve` opens them;
// commands that run alone never deliver.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "app/upstream_config.h"
#include "core/dispatch.h"
#include "crypto/private_key.h"
#include "upstream/device_api.h"
#include "upstream/hook.h"

namespace birthmark::app {

class OutsideLines {
 public:
  struct Parts {
    core::Registry& registry;
    core::Outbox& outbox;
    const core::X509Codec& codec;
    const core::Clock& clock;
    core::Random& random;
  };
  // Paths in the configurations are below `directory` unless absolute. Makes keys/hooks.key and hooks.pub when hooks are configured and
  // there are none. Delivers from start() on.
  [[nodiscard]] static Result<std::unique_ptr<OutsideLines>> make(const std::filesystem::path& directory, const UpstreamConfig& upstream,
                                                                  const HooksConfig& hooks, Parts parts);

  [[nodiscard]] Status start();
  // Nobody waits for the upstream any more; what is under way ends.
  void stop();
  [[nodiscard]] core::OutboxDesk& desk() { return dispatch_; }
  // Nothing where none is configured.
  [[nodiscard]] std::optional<core::CourierFigures> upstream_figures() const;
  [[nodiscard]] std::optional<core::CourierFigures> hook_figures() const;

 private:
  struct Line {
    std::unique_ptr<core::UpstreamSite> site;
    std::unique_ptr<core::Courier> courier;
  };
  explicit OutsideLines(Parts parts) : dispatch_(parts.registry, parts.outbox) {}
  void add_upstream(const std::filesystem::path& directory, const UpstreamConfig& config, const Parts& parts);
  void add_hooks(const std::filesystem::path& directory, const HooksConfig& config, const Parts& parts, crypto::PrivateKey key);

  core::Dispatch dispatch_;
  Line upstream_;
  Line hooks_;
};

}  // namespace birthmark::app
