// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/caller.h"

namespace birthmark::faces::factory_api {

std::optional<std::variant<Caller, core::Refusal>> TokenAuthenticator::recognise(std::string_view presented, Instant now) {
  auto judged = tokens_.identify(presented, now);
  if (!judged) return std::nullopt;
  if (auto* refusal = std::get_if<core::Refusal>(&*judged)) return std::move(*refusal);
  const core::TokenRecord& token = std::get<core::TokenRecord>(*judged);
  // Without a station the token stands for itself; no station's name has a colon.
  return Caller{token.station.empty() ? "token:" + token.id() : token.station, users_.user_of(token), token.scopes};
}

}  // namespace birthmark::faces::factory_api
