// SPDX-License-Identifier: Apache-2.0
// Who calls the factory API, and how that is found out. Every way to authenticate is an Authenticator; the face asks them in turn. What a
// caller may do is his scopes; whose devices his local CAs bring is his user id.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/enrollment.h"
#include "core/ports/tokens.h"
#include "core/token_cache.h"

namespace birthmark::faces::factory_api {

struct Caller {
  std::string name;     // for the audit, and as a station: "token:3f09c1d2aa", or the token's station
  std::string user_id;  // the user for whom he acts ("polis-id" on the wire)
  core::Scopes scopes;
  std::string device{};  // the one device that he may create; empty: any
};

// The users of a factory, as far as the API needs them (protocol facts, Foundries 1.7): a local device CA is called fio-<user id>.
class UserDirectory {
 public:
  virtual ~UserDirectory() = default;
  // The user for whom a token acts.
  [[nodiscard]] virtual std::string user_of(const core::TokenRecord& token) const = 0;
  [[nodiscard]] virtual bool knows(std::string_view user_id) const = 0;
};

// A factory with one user, its owner, for whom every token acts.
class SingleOwner final : public UserDirectory {
 public:
  explicit SingleOwner(std::string user_id) : user_id_(std::move(user_id)) {}
  [[nodiscard]] std::string user_of(const core::TokenRecord&) const override { return user_id_; }
  [[nodiscard]] bool knows(std::string_view user_id) const override { return user_id == user_id_; }

 private:
  const std::string user_id_;
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // The caller, or why not. Nothing: this is no credential of the kind that this authenticator knows, another one may.
  [[nodiscard]] virtual std::optional<std::variant<Caller, core::Refusal>> recognise(std::string_view presented, Instant now) = 0;
};

// API tokens: OSF-TOKEN or Authorization: Bearer, raw or in base64 (protocol facts, Foundries 2.3).
class TokenAuthenticator final : public Authenticator {
 public:
  // Both must outlive it.
  TokenAuthenticator(core::TokenCache& tokens, const UserDirectory& users) : tokens_(tokens), users_(users) {}
  [[nodiscard]] std::optional<std::variant<Caller, core::Refusal>> recognise(std::string_view presented, Instant now) override;

 private:
  core::TokenCache& tokens_;
  const UserDirectory& users_;
};

}  // namespace birthmark::faces::factory_api
