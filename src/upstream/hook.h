// SPDX-License-Identifier: Apache-2.0
// A line's own system that listens to events: each is POSTed as it stands, with a signature over its bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/ports/upstream.h"
#include "net/client.h"

namespace birthmark::upstream {

struct HookSettings {
  std::string url;
  net::TlsTrust trust;
  Duration timeout = std::chrono::seconds(10);
  // Base64 of a signature over the body. Called on the courier's threads.
  std::function<Result<std::string>(const std::string& body)> sign;
};

class Hook final : public core::UpstreamSite {
 public:
  explicit Hook(HookSettings settings) : settings_(std::move(settings)) {}
  [[nodiscard]] std::unique_ptr<core::Upstream> connect() override;
  [[nodiscard]] std::uint64_t credentials_version() override { return 1; }

 private:
  const HookSettings settings_;
};

}  // namespace birthmark::upstream
