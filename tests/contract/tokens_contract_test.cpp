// SPDX-License-Identifier: Apache-2.0
// The contract of core/ports/tokens.h, run against every adapter.
#include "base/run_task.h"
#include "registry_samples.h"
#include "registry_under_test.h"

namespace birthmark::testing {
namespace {

core::TokenRecord sample_token(std::uint64_t number) {
  core::TokenRecord token;
  token.factory = "factory-a";
  token.hash = kCodec.sha256(as_bytes("token " + std::to_string(number)));
  token.scopes.add(core::Scope::devices_create);
  token.station = number % 2 == 0 ? "station-" + std::to_string(number) : "";
  token.created_at = from_unix_ms(kSampleEpochMs + static_cast<std::int64_t>(number));
  if (number % 3 == 0) token.expires_at = token.created_at + std::chrono::hours(24);
  return token;
}

class TokensContract : public ::testing::TestWithParam<Adapter> {
 protected:
  TokensContract() : under_test_(GetParam().make()) {}

  Result<core::TokenRecord> add(std::uint64_t number) {
    const core::TokenRecord token = sample_token(number);
    return run_task(
        tokens().add_token(token, core::audit_body(core::AuditEvent::token_created, token.created_at, {{"token", token.id()}})));
  }
  Result<core::TokenRecord> revoke(const std::string& id) {
    return run_task(tokens().revoke_token(id, kLater, core::audit_body(core::AuditEvent::token_revoked, kLater, {{"token", id}})));
  }
  core::Tokens& tokens() { return under_test_->tokens(); }
  std::uint64_t audit_count() { return under_test_->registry().audit_head()->count; }
  std::uint64_t epoch() { return *under_test_->registry().trust_epoch(); }

  static constexpr Instant kLater = Instant(Duration(kSampleEpochMs + 3600000));

 private:
  std::unique_ptr<RegistryUnderTest> under_test_;
};

TEST_P(TokensContract, tokens_come_back_as_they_were_added_in_that_order) {
  for (std::uint64_t number = 0; number < 4; ++number) ASSERT_TRUE(add(number));
  const auto all = tokens().tokens();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 4U);
  for (std::uint64_t number = 0; number < 4; ++number) {
    const core::TokenRecord& token = (*all)[number];
    const core::TokenRecord expected = sample_token(number);
    EXPECT_EQ(token.factory, expected.factory);
    EXPECT_EQ(token.hash, expected.hash);
    EXPECT_EQ(token.scopes, expected.scopes);
    EXPECT_EQ(token.station, expected.station);
    EXPECT_EQ(token.created_at, expected.created_at);
    EXPECT_EQ(token.expires_at, expected.expires_at);
    EXPECT_FALSE(token.revoked_at);
  }
}

TEST_P(TokensContract, each_change_is_audited_and_raises_the_trust_epoch) {
  const auto records = audit_count();
  const auto before = epoch();
  ASSERT_TRUE(add(1));
  EXPECT_EQ(audit_count(), records + 1);
  EXPECT_GT(epoch(), before);
  const auto between = epoch();
  ASSERT_TRUE(revoke(sample_token(1).id()));
  EXPECT_EQ(audit_count(), records + 2);
  EXPECT_GT(epoch(), between);
}

TEST_P(TokensContract, the_same_token_twice_is_a_conflict_that_leaves_no_trace) {
  ASSERT_TRUE(add(1));
  const auto records = audit_count();
  const auto again = add(1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(tokens().tokens()->size(), 1U);
}

TEST_P(TokensContract, a_revoked_token_keeps_its_first_moment) {
  ASSERT_TRUE(add(1));
  const std::string id = sample_token(1).id();
  const auto revoked = revoke(id);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->revoked_at, kLater);
  const auto records = audit_count();
  ASSERT_TRUE(revoke(id));
  EXPECT_EQ(audit_count(), records);
  EXPECT_EQ(tokens().tokens()->front().revoked_at, kLater);
}

TEST_P(TokensContract, revoking_an_unknown_token_is_not_found) {
  const auto records = audit_count();
  const auto revoked = revoke("0123456789");
  ASSERT_FALSE(revoked);
  EXPECT_EQ(revoked.error().code, ErrorCode::not_found);
  EXPECT_EQ(audit_count(), records);
}

INSTANTIATE_TEST_SUITE_P(Adapters, TokensContract, every_adapter(), adapter_name);

}  // namespace
}  // namespace birthmark::testing
