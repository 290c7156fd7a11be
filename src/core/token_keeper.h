// SPDX-License-Identifier: Apache-2.0
// Makes and revokes tokens, each with its audit record. Called by the command line and the admin listener.
#pragma once

#include <string>

#include "core/lifecycle.h"
#include "core/ports/clock.h"
#include "core/ports/tokens.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

// 1 to 64 letters, digits, '-', '_', '.'; first a letter, so that no station looks like an address.
[[nodiscard]] Status check_station_name(std::string_view name);

struct TokenOrder {
  std::string factory;
  Scopes scopes;
  std::string station;  // may be empty
  std::optional<Instant> expires_at;
};

struct NewToken {
  std::string text;  // shown once and kept nowhere
  TokenRecord record;
};

class TokenKeeper {
 public:
  TokenKeeper(Tokens& tokens, const X509Codec& codec, const Clock& clock, Random& random)
      : tokens_(tokens), codec_(codec), clock_(clock), random_(random) {}

  [[nodiscard]] Task<Result<NewToken>> create(TokenOrder order, OperatorAct act);
  [[nodiscard]] Task<Result<TokenRecord>> revoke(std::string id, OperatorAct act);

 private:
  Tokens& tokens_;
  const X509Codec& codec_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace birthmark::core
