// SPDX-License-Identifier: Apache-2.0
// RFC 8628 and RFC 6749 as core::OauthDesk keeps them, on a real store with a clock that the test turns.
#include "core/oauth_desk.h"

#include "core/access_keeper.h"
#include "crypto/x509_codec.h"
#include "fake_clock.h"
#include "fleet_registry.h"

namespace birthmark::testing {
namespace {

using core::AuthorizationState;
using std::chrono::minutes;

class Desk : public ::testing::Test {
 protected:
  core::DeviceCodes begin(const std::string& device = "device-1") {
    auto outcome = run_task(desk.begin(device, "factory-a:devices:create", "192.0.2.7"));
    if (const auto* error = std::get_if<core::OauthError>(&outcome)) ADD_FAILURE() << error->text;
    return std::get<core::DeviceCodes>(outcome);
  }
  static std::string code_of(const core::TokenOutcome& outcome) {
    const auto* error = std::get_if<core::OauthError>(&outcome);
    return error == nullptr ? "a token" : error->code;
  }
  std::string poll(const core::DeviceCodes& codes, const std::string& device = "device-1") {
    return code_of(run_task(desk.poll(codes.device_code, device)));
  }
  core::NewClient client() {
    core::AccessKeeper keeper(fleet.registry().api_access(), kFleetCodec, clock, *random);
    core::ClientOrder order;
    order.factory = "factory-a";
    order.user_id = "somebody";
    order.scopes.add(core::Scope::devices_read);
    return good(run_task(keeper.add_client(order, {"a test", "tester"})));
  }

  FleetRegistry fleet;
  FakeClock clock{from_unix_ms(kSampleEpochMs)};
  std::unique_ptr<core::Random> random = crypto::make_system_random();
  core::OauthDesk desk{"factory-a", fleet.registry().api_access(), kFleetCodec, clock, *random, {}};
  const core::Decider decider{"somebody", "token:1", "192.0.2.9"};
};

TEST_F(Desk, Rfc8628ApprovedDeviceGetsATokenForItselfAlone) {
  const auto codes = begin();
  EXPECT_EQ(poll(codes), "authorization_pending");
  EXPECT_EQ(good(desk.waiting(codes.user_code)).device, "device-1");
  EXPECT_TRUE(run_task(desk.decide(codes.user_code, AuthorizationState::approved, decider)));
  const auto outcome = run_task(desk.poll(codes.device_code, "device-1"));
  const auto& token = std::get<core::TokenAnswer>(outcome);
  const auto grant = good(desk.grant(token.access_token, core::GrantKind::access));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->device, "device-1");
  EXPECT_EQ(grant->user_id, "somebody");
  EXPECT_TRUE(grant->scopes.hold(core::Scope::devices_create));
  EXPECT_FALSE(grant->scopes.hold(core::Scope::devices_read));
  EXPECT_TRUE(good(desk.grant(to_base64(as_bytes(token.access_token)), core::GrantKind::access))) << "as the clients send it";
  EXPECT_FALSE(good(desk.grant(token.access_token, core::GrantKind::session)));
  clock.pass(desk.rules().device_token_lifetime);
  EXPECT_FALSE(good(desk.grant(token.access_token, core::GrantKind::access)));
}

TEST_F(Desk, Rfc8628RefusedDeviceIsToldSo) {
  const auto codes = begin();
  EXPECT_TRUE(run_task(desk.decide(codes.user_code, AuthorizationState::refused, decider)));
  EXPECT_EQ(poll(codes), "access_denied");
}

TEST_F(Desk, Rfc8628CodesExpire) {
  const auto codes = begin();
  clock.pass(desk.rules().code_lifetime);
  EXPECT_EQ(poll(codes), "expired_token");
  EXPECT_EQ(desk.waiting(codes.user_code).error().code, ErrorCode::not_found);
  EXPECT_FALSE(run_task(desk.decide(codes.user_code, AuthorizationState::approved, decider)));
}

TEST_F(Desk, ADecisionIsMadeOnce) {
  const auto codes = begin();
  EXPECT_TRUE(run_task(desk.decide(codes.user_code, AuthorizationState::refused, decider)));
  EXPECT_EQ(run_task(desk.decide(codes.user_code, AuthorizationState::approved, decider)).error().code, ErrorCode::not_found);
  EXPECT_EQ(poll(codes), "access_denied");
}

TEST_F(Desk, ADeviceCodeIsNoUseToAnotherDeviceAndNotForEver) {
  const auto codes = begin();
  EXPECT_TRUE(run_task(desk.decide(codes.user_code, AuthorizationState::approved, decider)));
  EXPECT_EQ(poll(codes, "device-2"), "invalid_grant");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(poll(codes), "a token");  // an answer may get lost
  EXPECT_EQ(poll(codes), "invalid_grant");
  EXPECT_EQ(code_of(run_task(desk.poll("bmd_guessed", "device-1"))), "invalid_grant");
}

TEST_F(Desk, ScopeMustBeThisFactorys) {
  const auto outcome = run_task(desk.begin("device-1", "other:devices:create", "192.0.2.7"));
  ASSERT_TRUE(std::holds_alternative<core::OauthError>(outcome));
  EXPECT_EQ(std::get<core::OauthError>(outcome).code, "invalid_scope");
  EXPECT_EQ(std::get<core::OauthError>(outcome).text, "'scope' parameter is not valid: wrong Factory value");
}

TEST_F(Desk, OneAddressCannotFillTheListOfThoseWhoWait) {
  for (int i = 0; i < 200; ++i) static_cast<void>(begin("device-" + std::to_string(i)));
  const auto outcome = run_task(desk.begin("one-more", "factory-a:devices:create", "192.0.2.7"));
  ASSERT_TRUE(std::holds_alternative<core::OauthError>(outcome));
  EXPECT_TRUE(std::holds_alternative<core::DeviceCodes>(run_task(desk.begin("one-more", "factory-a:devices:create", "192.0.2.8"))));
  clock.pass(desk.rules().code_lifetime);
  EXPECT_TRUE(std::holds_alternative<core::DeviceCodes>(run_task(desk.begin("one-more", "factory-a:devices:create", "192.0.2.7"))));
}

TEST_F(Desk, Rfc6749ClientCredentialsGiveTokensThatCanBeRefreshed) {
  const auto made = client();
  const auto first = std::get<core::TokenAnswer>(run_task(desk.client_credentials(made.record.id, made.secret)));
  EXPECT_TRUE(good(desk.grant(first.access_token, core::GrantKind::access))->scopes.hold(core::Scope::devices_read));
  clock.pass(desk.rules().access_lifetime);
  EXPECT_FALSE(good(desk.grant(first.access_token, core::GrantKind::access)));
  const auto second = std::get<core::TokenAnswer>(run_task(desk.refresh(made.record.id, made.secret, first.refresh_token)));
  EXPECT_TRUE(good(desk.grant(second.access_token, core::GrantKind::access)));
  EXPECT_EQ(second.refresh_token, first.refresh_token);
  EXPECT_FALSE(good(desk.grant(first.refresh_token, core::GrantKind::access))) << "a refresh token opens nothing";
  EXPECT_EQ(code_of(run_task(desk.client_credentials(made.record.id, "wrong"))), "invalid_client");
  EXPECT_EQ(code_of(run_task(desk.client_credentials("unknown", made.secret))), "invalid_client");
  EXPECT_EQ(code_of(run_task(desk.refresh(made.record.id, made.secret, "bmr_guessed"))), "invalid_grant");
}

TEST_F(Desk, ARevokedClientEndsWithEverythingItGot) {
  const auto made = client();
  const auto token = std::get<core::TokenAnswer>(run_task(desk.client_credentials(made.record.id, made.secret)));
  core::AccessKeeper keeper(fleet.registry().api_access(), kFleetCodec, clock, *random);
  EXPECT_TRUE(run_task(keeper.revoke_client(made.record.id, {"a test", "tester"})));
  EXPECT_FALSE(good(desk.grant(token.access_token, core::GrantKind::access)));
  EXPECT_EQ(code_of(run_task(desk.client_credentials(made.record.id, made.secret))), "invalid_client");
  EXPECT_EQ(code_of(run_task(desk.refresh(made.record.id, made.secret, token.refresh_token))), "invalid_client");
}

TEST_F(Desk, UserCodesAreReadHoweverTheyAreTyped) {
  EXPECT_EQ(core::normal_user_code(" bcdf ghjk "), "BCDF-GHJK");
  EXPECT_EQ(core::normal_user_code("BCDFGHJK"), "BCDF-GHJK");
  EXPECT_EQ(core::normal_user_code("BCDF-GHJ"), "");
  EXPECT_EQ(core::normal_user_code("BCDF-GHJKL"), "");
  EXPECT_EQ(core::normal_user_code("ACDF-GHJK"), "");
  EXPECT_EQ(core::normal_user_code(std::string(4000, 'B')), "");
}

}  // namespace
}  // namespace birthmark::testing
