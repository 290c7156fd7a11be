// SPDX-License-Identifier: Apache-2.0
// Makes and ends users of the factory API and clients of fioctl's kind, each with its audit record. Called by the command line.
#pragma once

#include <string>

#include "core/lifecycle.h"
#include "core/ports/api_access.h"
#include "core/ports/clock.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

struct ClientOrder {
  std::string factory;
  std::string user_id;
  Scopes scopes;
  std::optional<Instant> expires_at;
};

struct NewClient {
  std::string secret;  // shown once and kept nowhere
  ClientRecord record;
};

class AccessKeeper {
 public:
  AccessKeeper(ApiAccess& access, const X509Codec& codec, const Clock& clock, Random& random)
      : access_(access), codec_(codec), clock_(clock), random_(random) {}

  // Without an id one is made.
  [[nodiscard]] Task<Result<UserRecord>> add_user(UserRecord wanted, OperatorAct act);
  [[nodiscard]] Task<Status> remove_user(std::string factory, std::string id, OperatorAct act);
  [[nodiscard]] Task<Result<NewClient>> add_client(ClientOrder order, OperatorAct act);
  [[nodiscard]] Task<Result<ClientRecord>> revoke_client(std::string id, OperatorAct act);

 private:
  ApiAccess& access_;
  const X509Codec& codec_;
  const Clock& clock_;
  Random& random_;
};

// 1 to 64 letters, digits, '-', '_' and '.': it stands in the name of a device CA.
[[nodiscard]] Status check_user_id(std::string_view id);

}  // namespace birthmark::core
