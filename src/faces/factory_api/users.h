// SPDX-License-Identifier: Apache-2.0
// The users of a factory, and the credentials that stand for them: API tokens, whose use is noted, and tokens that were given out by the
// OAuth desk. A factory has one user from the start, its owner, for whom every token acts that was not made for somebody else.
#pragma once

#include <mutex>
#include <unordered_map>

#include "core/oauth_desk.h"
#include "core/ports/api_access.h"
#include "faces/factory_api/caller.h"

namespace birthmark::faces::factory_api {

class StoredUsers final : public UserDirectory {
 public:
  // `access` must outlive it.
  StoredUsers(core::ApiAccess& access, std::string factory, std::string default_owner)
      : access_(access), factory_(std::move(factory)), default_owner_(std::move(default_owner)) {}

  [[nodiscard]] std::string user_of(const core::TokenRecord& token) const override;
  [[nodiscard]] bool knows(std::string_view user_id) const override;

  // Those who are users now, the first owner among them.
  [[nodiscard]] Result<std::vector<core::UserRecord>> users() const;
  [[nodiscard]] Result<std::optional<core::UserRecord>> find(std::string_view user_id) const;
  [[nodiscard]] const std::string& default_owner() const { return default_owner_; }

 private:
  core::ApiAccess& access_;
  const std::string factory_;
  const std::string default_owner_;
};

// API tokens, as TokenAuthenticator; their last use is noted, at most once a minute. Tokens of a removed user are refused.
class NotedTokens final : public Authenticator {
 public:
  // All must outlive it.
  NotedTokens(core::TokenCache& tokens, const StoredUsers& users, core::ApiAccess& access)
      : cache_(tokens), users_(users), access_(access) {}
  [[nodiscard]] std::optional<std::variant<Caller, core::Refusal>> recognise(std::string_view presented, Instant now) override;

 private:
  core::TokenCache& cache_;
  const StoredUsers& users_;
  core::ApiAccess& access_;
  std::mutex mutex_;
  std::unordered_map<std::string, Instant> noted_;  // by token id
};

// Tokens of approved devices and of clients that logged in.
class GivenTokens final : public Authenticator {
 public:
  // Both must outlive it.
  GivenTokens(const core::OauthDesk& desk, const StoredUsers& users) : desk_(desk), users_(users) {}
  [[nodiscard]] std::optional<std::variant<Caller, core::Refusal>> recognise(std::string_view presented, Instant now) override;

 private:
  const core::OauthDesk& desk_;
  const StoredUsers& users_;
};

}  // namespace birthmark::faces::factory_api
