// SPDX-License-Identifier: Apache-2.0
#include "core/access_keeper.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "core/access_audit.h"
#include "core/secret_text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kLongestName = 128;

Status check_user_name(std::string_view name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= kLongestName && plain && is_utf8(name)) return {};
  return fail(ErrorCode::invalid, "a user's name is one line of 1 to 128 bytes");
}

std::string random_id(Random& random, Status& filled) {
  std::array<std::uint8_t, 12> octets{};
  filled = random.fill(octets);
  return to_hex(octets);
}

}  // namespace

std::string_view to_string(UserRole role) {
  switch (role) {
    case UserRole::owner: return "owner";
    case UserRole::admin: return "admin";
    case UserRole::member: return "member";
  }
  return "unknown";
}

std::optional<UserRole> parse_user_role(std::string_view name) {
  for (const UserRole role : {UserRole::owner, UserRole::admin, UserRole::member})
    if (to_string(role) == name) return role;
  return std::nullopt;
}

Status check_user_id(std::string_view id) {
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  if (plain && !id.empty() && id.size() <= 60) return {};  // with "fio-" it must fit a common name's 64 (RFC 5280 upper bounds)
  return fail(ErrorCode::invalid, "a user's id has 1 to 60 letters, digits and - _ .");
}

Task<Result<UserRecord>> AccessKeeper::add_user(UserRecord wanted, OperatorAct act) {
  Status filled;
  if (wanted.id.empty()) wanted.id = random_id(random_, filled);
  if (!filled) co_return forward_error(filled);
  if (auto good = check_user_id(wanted.id); !good) co_return forward_error(good);
  if (auto good = check_user_name(wanted.name); !good) co_return forward_error(good);
  wanted.created_at = clock_.now();
  std::string body = audit_body(AccessEvent::user_changed, wanted.created_at,
                                {{"factory", wanted.factory},
                                 {"user", wanted.id},
                                 {"name", wanted.name},
                                 {"role", std::string(to_string(wanted.role))},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  co_return co_await access_.add_user(std::move(wanted), std::move(body));
}

Task<Status> AccessKeeper::remove_user(std::string factory, std::string id, OperatorAct act) {
  const Instant now = clock_.now();
  std::string body = audit_body(AccessEvent::user_changed, now,
                                {{"factory", factory}, {"user", id}, {"role", "removed"}, {"reason", act.reason}, {"actor", act.actor}});
  co_return co_await access_.remove_user(std::move(factory), std::move(id), now, std::move(body));
}

Task<Result<NewClient>> AccessKeeper::add_client(ClientOrder order, OperatorAct act) {
  const Instant now = clock_.now();
  if (order.expires_at && *order.expires_at <= now) co_return fail(ErrorCode::invalid, "the credentials would have expired already");
  auto secret = make_secret(kClientSecretPrefix, codec_, random_);
  if (!secret) co_return forward_error(secret);
  Status filled;
  NewClient made;
  made.record.id = random_id(random_, filled);
  if (!filled) co_return forward_error(filled);
  made.secret = std::move(secret->text);
  made.record.secret_hash = secret->hash;
  made.record.factory = std::move(order.factory);
  made.record.user_id = std::move(order.user_id);
  made.record.scopes = order.scopes;
  made.record.created_at = now;
  made.record.expires_at = order.expires_at;
  std::string body = audit_body(AccessEvent::client_changed, now,
                                {{"factory", made.record.factory},
                                 {"client", made.record.id},
                                 {"user", made.record.user_id},
                                 {"scopes", made.record.scopes.to_string()},
                                 {"expires_at", made.record.expires_at ? format_rfc3339(*made.record.expires_at) : "never"},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  ClientRecord record = made.record;
  auto added = co_await access_.add_client(std::move(record), std::move(body));
  if (!added) co_return forward_error(added);
  co_return made;
}

Task<Result<ClientRecord>> AccessKeeper::revoke_client(std::string id, OperatorAct act) {
  const Instant now = clock_.now();
  std::string body =
      audit_body(AccessEvent::client_changed, now, {{"client", id}, {"scopes", "revoked"}, {"reason", act.reason}, {"actor", act.actor}});
  co_return co_await access_.revoke_client(std::move(id), now, std::move(body));
}

}  // namespace birthmark::core
