// SPDX-License-Identifier: Apache-2.0
// The ways from this server to others: its upstream as [upstream] says, and the line's own system as [hooks] says. Only `serve` opens them;
// commands that run alone never deliver. Both may change while it runs.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

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
  ~OutsideLines();
  [[nodiscard]] static Result<std::unique_ptr<OutsideLines>> make(const std::filesystem::path& directory, const UpstreamConfig& upstream,
                                                                  const HooksConfig& hooks, Parts parts);

  [[nodiscard]] Status start();
  // Nobody waits for the upstream any more; what is under way ends.
  void stop();

  // What changed configurations come to, and that it is so from now on: what is under way on a line that changes ends before the new one
  // begins, which may take as long as one call; registrations do not wait for that. Before start() nothing is delivered.
  struct Change;
  [[nodiscard]] Result<std::shared_ptr<Change>> prepare(const UpstreamConfig& upstream, const HooksConfig& hooks) const;
  void use(const std::shared_ptr<Change>& change);

  [[nodiscard]] core::OutboxDesk& desk() { return dispatch_; }
  // Nothing where none is configured.
  [[nodiscard]] std::optional<core::CourierFigures> upstream_figures() const;
  [[nodiscard]] std::optional<core::CourierFigures> hook_figures() const;

 private:
  // A courier and what it calls; absent where nothing is configured.
  struct Line {
    std::shared_ptr<core::UpstreamSite> site;
    std::shared_ptr<core::Courier> courier;
  };
  OutsideLines(std::filesystem::path directory, Parts parts)
      : directory_(std::move(directory)), parts_(parts), dispatch_(parts.registry, parts.outbox) {}
  [[nodiscard]] Line upstream_line(const UpstreamConfig& config) const;
  [[nodiscard]] Result<Line> hooks_line(const HooksConfig& config) const;
  void finish_change();

  const std::filesystem::path directory_;
  const Parts parts_;
  core::Dispatch dispatch_;
  mutable std::mutex mutex_;
  UpstreamConfig upstream_config_;
  HooksConfig hooks_config_;
  Line upstream_;
  Line hooks_;
  bool started_ = false;
  std::jthread changing_;  // ends the lines that were replaced, then starts their successors
};

}  // namespace birthmark::app
