// SPDX-License-Identifier: Apache-2.0
// Port: who may call the factory API beside the bearers of API tokens: users, clients of fioctl's kind with their grants, and devices that
// wait for approval (RFC 8628). Adapter: store/sqlite. Writing calls are durable transactions, with their audit record where one is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/tokens.h"

namespace birthmark::core {

// The numbers are stored; they never change.
enum class UserRole : std::uint8_t { owner = 1, admin = 2, member = 3 };
[[nodiscard]] std::string_view to_string(UserRole role);
[[nodiscard]] std::optional<UserRole> parse_user_role(std::string_view name);

struct UserRecord {
  std::string factory;
  std::string id;  // "polis-id" on the wire; a local device CA is called fio-<id>
  std::string name;
  UserRole role = UserRole::member;
  Instant created_at;
  std::optional<Instant> removed_at;
};

struct ClientRecord {
  std::string factory;
  std::string id;
  Sha256Digest secret_hash;
  std::string user_id;
  Scopes scopes;
  Instant created_at;
  std::optional<Instant> expires_at, revoked_at, last_used_at;
};

enum class GrantKind : std::uint8_t { access = 1, refresh = 2, session = 3 };

struct GrantRecord {
  std::string factory;
  Sha256Digest hash;
  GrantKind kind = GrantKind::access;
  std::string client_id;  // whose revocation ends it; empty: none
  std::string device;     // the one device it is good for; empty: any
  std::string user_id;
  std::string bearer;  // for the audit
  Scopes scopes;
  Instant expires_at;
};

enum class AuthorizationState : std::uint8_t { pending = 1, approved = 2, refused = 3 };

struct AuthorizationRecord {
  std::string factory;
  Sha256Digest device_code_hash;
  std::string user_code;  // as shown: "BCDF-GHJK"
  std::string device;     // the device's id
  std::string address;    // from where it asks
  AuthorizationState state = AuthorizationState::pending;
  Instant created_at;
  Instant expires_at;
  std::string decided_by;
  std::string user_id;  // for whom the approval stands
  std::uint32_t issued = 0;
};

// Beside what Tokens keeps.
struct TokenNote {
  std::string user_id;  // empty: the factory's owner
  std::optional<Instant> last_used_at;
};

class ApiAccess {
 public:
  virtual ~ApiAccess() = default;

  // Removed ones too, in the order they came. conflict when the id was ever used.
  [[nodiscard]] virtual Result<std::vector<UserRecord>> users() = 0;
  [[nodiscard]] virtual Task<Result<UserRecord>> add_user(UserRecord user, std::string audit_body) = 0;
  // His clients and grants end with him. not_found.
  [[nodiscard]] virtual Task<Status> remove_user(std::string factory, std::string id, Instant at, std::string audit_body) = 0;

  [[nodiscard]] virtual Result<TokenNote> token_note(const std::string& token) = 0;
  [[nodiscard]] virtual Task<Status> set_token_user(std::string token, std::string user_id) = 0;
  virtual void note_token_use(std::string token, Instant at) = 0;  // not waited for

  [[nodiscard]] virtual Result<std::vector<ClientRecord>> clients() = 0;
  [[nodiscard]] virtual Result<std::optional<ClientRecord>> client(const std::string& id) = 0;
  [[nodiscard]] virtual Task<Result<ClientRecord>> add_client(ClientRecord client, std::string audit_body) = 0;
  // Its grants end with it. not_found; a revoked one stays as it was.
  [[nodiscard]] virtual Task<Result<ClientRecord>> revoke_client(std::string id, Instant at, std::string audit_body) = 0;

  // Expired grants and authorizations are forgotten along the way.
  [[nodiscard]] virtual Task<Status> add_grants(std::vector<GrantRecord> grants, Instant now) = 0;
  [[nodiscard]] virtual Result<std::optional<GrantRecord>> grant(const Sha256Digest& hash) = 0;
  [[nodiscard]] virtual Task<Status> end_grant(Sha256Digest hash) = 0;

  // conflict when the user code is taken, or `most_of_address` from that address or `most` at all wait already.
  [[nodiscard]] virtual Task<Status> add_authorization(AuthorizationRecord asked, std::size_t most_of_address, std::size_t most) = 0;
  [[nodiscard]] virtual Result<std::optional<AuthorizationRecord>> authorization(const Sha256Digest& device_code_hash) = 0;
  [[nodiscard]] virtual Result<std::optional<AuthorizationRecord>> authorization_by_code(const std::string& user_code) = 0;
  // Of the pending ones; not_found otherwise.
  [[nodiscard]] virtual Task<Result<AuthorizationRecord>> decide(AuthorizationRecord decided, Instant now, std::string audit_body) = 0;
  // The grant for an approved one, at most `most` times; conflict beyond.
  [[nodiscard]] virtual Task<Status> redeem(Sha256Digest device_code_hash, GrantRecord grant, std::uint32_t most,
                                            std::string audit_body) = 0;
};

}  // namespace birthmark::core
