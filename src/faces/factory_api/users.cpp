// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/users.h"

#include <algorithm>

namespace birthmark::faces::factory_api {
namespace {

constexpr Duration kNoteEvery = std::chrono::minutes(1);

core::Refusal refused(std::string text) {
  return {core::RefusalReason::unauthenticated, core::RefusalKind::unauthenticated, std::move(text), {}, {}, {}};
}

core::Refusal unavailable(const Error& error) {
  return {core::RefusalReason::storage_unavailable, core::RefusalKind::unavailable, error.public_message, error.describe(), {}, {}};
}

}  // namespace

std::string StoredUsers::user_of(const core::TokenRecord& token) const {
  const auto note = access_.token_note(token.id());
  return note && !note->user_id.empty() ? note->user_id : default_owner_;
}

bool StoredUsers::knows(std::string_view user_id) const {
  const auto found = find(user_id);
  return found && found->has_value();
}

Result<std::vector<core::UserRecord>> StoredUsers::users() const {
  BIRTHMARK_TRY(const auto all, access_.users());
  std::vector<core::UserRecord> present;
  bool owner_described = false;
  for (const core::UserRecord& user : all) {
    if (user.factory != factory_) continue;
    owner_described = owner_described || user.id == default_owner_;
    if (!user.removed_at) present.push_back(user);
  }
  if (owner_described) return present;
  core::UserRecord owner;
  owner.factory = factory_;
  owner.id = default_owner_;
  owner.name = factory_;
  owner.role = core::UserRole::owner;
  present.insert(present.begin(), std::move(owner));
  return present;
}

Result<std::optional<core::UserRecord>> StoredUsers::find(std::string_view user_id) const {
  BIRTHMARK_TRY(const auto present, users());
  const auto found = std::find_if(present.begin(), present.end(), [&](const core::UserRecord& user) { return user.id == user_id; });
  if (found == present.end()) return std::nullopt;
  return *found;
}

std::optional<std::variant<Caller, core::Refusal>> NotedTokens::recognise(std::string_view presented, Instant now) {
  auto judged = cache_.identify(presented, now);
  if (!judged) return std::nullopt;
  if (auto* refusal = std::get_if<core::Refusal>(&*judged)) return std::move(*refusal);
  const core::TokenRecord& token = std::get<core::TokenRecord>(*judged);
  const std::string user = users_.user_of(token), id = token.id();
  const auto known = users_.find(user);
  if (!known) return unavailable(known.error());
  if (!*known) return refused("Invalid token");  // as for every other token that has ended
  {
    const std::lock_guard held(mutex_);
    Instant& last = noted_[id];
    if (now - last < kNoteEvery) return Caller{token.station.empty() ? "token:" + id : token.station, user, token.scopes};
    last = now;
  }
  access_.note_token_use(id, now);
  return Caller{token.station.empty() ? "token:" + id : token.station, user, token.scopes};
}

std::optional<std::variant<Caller, core::Refusal>> GivenTokens::recognise(std::string_view presented, Instant) {
  const auto found = desk_.grant(presented, core::GrantKind::access);
  if (!found) return unavailable(found.error());
  if (!*found) return std::nullopt;
  const core::GrantRecord& grant = **found;
  const auto known = users_.find(grant.user_id);
  if (!known) return unavailable(known.error());
  if (!*known) return refused("Invalid token");
  Caller caller{grant.bearer, grant.user_id, grant.scopes};
  caller.device = grant.device;
  return caller;
}

}  // namespace birthmark::faces::factory_api
