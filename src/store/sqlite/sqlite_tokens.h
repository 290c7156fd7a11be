// SPDX-License-Identifier: Apache-2.0
// The Tokens port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/tokens.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteTokens final : public core::Tokens {
 public:
  // Both must outlive it.
  SqliteTokens(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<core::TokenRecord>> add_token(core::TokenRecord token, std::string audit_body) override;
  Task<Result<core::TokenRecord>> revoke_token(std::string id, Instant at, std::string audit_body) override;
  Result<std::vector<core::TokenRecord>> tokens() override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
