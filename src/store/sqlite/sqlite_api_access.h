// SPDX-License-Identifier: Apache-2.0
// The ApiAccess port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/api_access.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteApiAccess final : public core::ApiAccess {
 public:
  // Both must outlive it.
  SqliteApiAccess(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Result<std::vector<core::UserRecord>> users() override;
  Task<Result<core::UserRecord>> add_user(core::UserRecord user, std::string audit_body) override;
  Task<Status> remove_user(std::string factory, std::string id, Instant at, std::string audit_body) override;
  Result<core::TokenNote> token_note(const std::string& token) override;
  Task<Status> set_token_user(std::string token, std::string user_id) override;
  void note_token_use(std::string token, Instant at) override;
  Result<std::vector<core::ClientRecord>> clients() override;
  Result<std::optional<core::ClientRecord>> client(const std::string& id) override;
  Task<Result<core::ClientRecord>> add_client(core::ClientRecord client, std::string audit_body) override;
  Task<Result<core::ClientRecord>> revoke_client(std::string id, Instant at, std::string audit_body) override;
  Task<Status> add_grants(std::vector<core::GrantRecord> grants, Instant now) override;
  Result<std::optional<core::GrantRecord>> grant(const Sha256Digest& hash) override;
  Task<Status> end_grant(Sha256Digest hash) override;
  Task<Status> add_authorization(core::AuthorizationRecord asked, std::size_t most_of_address, std::size_t most) override;
  Result<std::optional<core::AuthorizationRecord>> authorization(const Sha256Digest& device_code_hash) override;
  Result<std::optional<core::AuthorizationRecord>> authorization_by_code(const std::string& user_code) override;
  Task<Result<core::AuthorizationRecord>> decide(core::AuthorizationRecord decided, Instant now, std::string audit_body) override;
  Task<Status> redeem(Sha256Digest device_code_hash, core::GrantRecord grant, std::uint32_t most, std::string audit_body) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
