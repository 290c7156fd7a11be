// SPDX-License-Identifier: Apache-2.0
// An upstream that speaks the factory API's device calls (protocol facts, Foundries 2.1 to 2.3): PUT to create, GET to compare keys.
#pragma once

#include <memory>
#include <string>

#include "core/ports/upstream.h"
#include "net/client.h"
#include "upstream/token_file.h"

namespace birthmark::upstream {

struct DeviceApiSettings {
  std::string url;         // DEVICE_REGISTRATION_API, "https://api.foundries.io/ota/devices/"
  std::string token_file;  // empty: no token is sent
  bool token_may_be_shared = false;
  net::TlsTrust trust;
  Duration timeout = std::chrono::seconds(30);  // of one call
};

class DeviceApi final : public core::UpstreamSite {
 public:
  explicit DeviceApi(DeviceApiSettings settings)
      : settings_(std::move(settings)),
        token_(settings_.token_file, settings_.token_may_be_shared ? Secrecy::advised : Secrecy::required) {}
  [[nodiscard]] std::unique_ptr<core::Upstream> connect() override;
  [[nodiscard]] std::uint64_t credentials_version() override;
  [[nodiscard]] const DeviceApiSettings& settings() const { return settings_; }
  // What to send; empty without a token file.
  [[nodiscard]] Result<std::string> token();

 private:
  const DeviceApiSettings settings_;
  TokenFile token_;
};

}  // namespace birthmark::upstream
