// SPDX-License-Identifier: Apache-2.0
#include "core/token_keeper.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::string_view kPrefix = "bmk_";  // so that scanners of leaked secrets can know it

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

Status check_station_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= 64 && is_letter(name.front()) && std::all_of(name.begin(), name.end(), is_name_character);
  if (good) return {};
  return fail(ErrorCode::invalid, "a station's name has 1 to 64 letters, digits and - _ . and begins with a letter");
}

Task<Result<NewToken>> TokenKeeper::create(TokenOrder order, OperatorAct act) {
  if (!order.station.empty()) {
    if (auto named = check_station_name(order.station); !named) co_return forward_error(named);
  }
  const Instant now = clock_.now();
  if (order.expires_at && *order.expires_at <= now) co_return fail(ErrorCode::invalid, "the token would have expired already");
  std::array<std::uint8_t, 32> secret{};
  if (auto filled = random_.fill(secret); !filled) co_return forward_error(filled);
  NewToken made;
  made.text = std::string(kPrefix) + to_hex(secret);
  made.record.factory = std::move(order.factory);
  made.record.hash = codec_.sha256(as_bytes(made.text));
  made.record.scopes = order.scopes;
  made.record.station = std::move(order.station);
  made.record.created_at = now;
  made.record.expires_at = order.expires_at;
  std::string body = audit_body(AuditEvent::token_created, now,
                                {{"factory", made.record.factory},
                                 {"token", made.record.id()},
                                 {"scopes", made.record.scopes.to_string()},
                                 {"station", made.record.station},
                                 {"expires_at", made.record.expires_at ? format_rfc3339(*made.record.expires_at) : "never"},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  TokenRecord record = made.record;
  auto added = co_await tokens_.add_token(std::move(record), std::move(body));
  if (!added) co_return forward_error(added);
  co_return made;
}

Task<Result<TokenRecord>> TokenKeeper::revoke(std::string id, OperatorAct act) {
  const Instant now = clock_.now();
  std::string body = audit_body(AuditEvent::token_revoked, now, {{"token", id}, {"reason", act.reason}, {"actor", act.actor}});
  co_return co_await tokens_.revoke_token(std::move(id), now, std::move(body));
}

}  // namespace birthmark::core
