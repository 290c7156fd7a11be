// SPDX-License-Identifier: Apache-2.0
// Port: the API tokens of a factory. Adapters: store/sqlite, store/memory; both pass tests/contract. As with the registry, each writing
// call is one durable transaction with its audit record, and raises the trust epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"

namespace birthmark::core {

// What a token allows; names as in protocol facts, Foundries 2.3. The numbers are stored; they never change.
enum class Scope : std::uint8_t {
  devices_create = 1,
  devices_read = 2,
  devices_update = 4,
  devices_delete = 8,
  ca_manage = 16,  // the factory's PKI, by the API
  admin = 128,     // holds all
};

class Scopes {
 public:
  Scopes() = default;
  explicit Scopes(std::uint8_t bits) : bits_(bits) {}
  // "devices:create,devices:read"
  [[nodiscard]] static Result<Scopes> parse(std::string_view list);
  [[nodiscard]] std::string to_string() const;

  void add(Scope scope) { bits_ = static_cast<std::uint8_t>(bits_ | static_cast<std::uint8_t>(scope)); }
  // Whether they suffice for something that needs `scope`.
  [[nodiscard]] bool hold(Scope scope) const { return has(scope) || has(Scope::admin); }
  [[nodiscard]] std::uint8_t bits() const { return bits_; }
  bool operator==(const Scopes&) const = default;

 private:
  [[nodiscard]] bool has(Scope scope) const { return (bits_ & static_cast<std::uint8_t>(scope)) != 0; }
  std::uint8_t bits_ = 0;
};
[[nodiscard]] std::string_view to_string(Scope scope);

// The token itself is never kept: 256 random bits need no slow hash, and their SHA-256 tells nobody what they were.
struct TokenRecord {
  std::string factory;
  Sha256Digest hash;
  Scopes scopes;
  std::string station;  // who registers with it; empty: the token stands for itself
  Instant created_at;
  std::optional<Instant> expires_at;
  std::optional<Instant> revoked_at;

  // The first ten digits of the hash: how lists and the audit name it.
  [[nodiscard]] std::string id() const;
};

class Tokens {
 public:
  virtual ~Tokens() = default;
  // conflict when there is one with that hash or that id.
  [[nodiscard]] virtual Task<Result<TokenRecord>> add_token(TokenRecord token, std::string audit_body) = 0;
  // not_found when there is no such token; a revoked one stays as it was, without a second audit record.
  [[nodiscard]] virtual Task<Result<TokenRecord>> revoke_token(std::string id, Instant at, std::string audit_body) = 0;
  // All of them, revoked and expired ones too, in the order they were made.
  [[nodiscard]] virtual Result<std::vector<TokenRecord>> tokens() = 0;
};

}  // namespace birthmark::core
