// SPDX-License-Identifier: Apache-2.0
// An EVE controller as a node sees it, in API v2 (signed envelopes) or v1 (mTLS): certs, register and uuid (protocol facts, EVE 1 and 3).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "device/eve_identity.h"
#include "net/client.h"

namespace birthmark::device {

enum class EveApi : std::uint8_t { v1, v2 };

struct EveSerials {
  std::string serial, soft_serial;
};

struct EveAnswer {
  int status = 0;
  std::string message;  // of a refusal
  std::optional<std::chrono::seconds> retry_after;
  std::string uuid;  // of /uuid
};

class EveControllerClient {
 public:
  struct Files {
    std::string server;  // "host:port"
    std::filesystem::path root, onboarding_certificate, onboarding_key, device_certificate, device_key;
  };

  EveControllerClient(EveApi api, Files files, EveSerials serials) : api_(api), files_(std::move(files)), serials_(std::move(serials)) {}

  // v2: fetches the controller's certificates and believes them only under /config's root; answers are checked by them. v1: nothing.
  [[nodiscard]] Status learn_controller(Instant now);
  // An error: no answer, or one that cannot be believed. Every status is an answer.
  [[nodiscard]] Result<EveAnswer> register_device(const EveIdentity& identity);
  [[nodiscard]] Result<EveAnswer> ask_uuid(const EveIdentity& identity);

 private:
  enum class Sender : std::uint8_t { onboarding, device };
  [[nodiscard]] Result<net::ClientResponse> post(const std::string& what, std::string body, Sender sender, bool get = false);
  [[nodiscard]] Result<std::string> open(const std::string& body) const;

  const EveApi api_;
  const Files files_;
  const EveSerials serials_;
  std::string signing_pem_;
  Bytes signing_spki_;
};

}  // namespace birthmark::device
