// SPDX-License-Identifier: Apache-2.0
// Who may register: networks, tokens, rates; and what the proof means for the unseen rule. On both stores.
#include <gtest/gtest.h>

#include "base/text.h"
#include "core/gate.h"
#include "core/token_keeper.h"
#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::RefusalKind;
using core::RefusalReason;

class Admission : public ::testing::TestWithParam<Store> {
 protected:
  std::string make_token(std::string_view scopes, std::string station = {}, std::optional<Duration> life = {}) {
    core::TokenOrder order{"acme", *core::Scopes::parse(scopes), std::move(station), {}};
    if (life) order.expires_at = factory_.clock.now() + *life;
    auto made = run_task(keeper_.create(std::move(order), {"a test", "tester"}));
    EXPECT_TRUE(made) << made.error().describe();
    last_id_ = made->record.id();
    return made->text;
  }
  core::Gate gate(core::RegistrationTrust trust) {
    core::AdmissionRules rules;
    rules.trust = trust;
    return {rules, cache_, factory_.clock};
  }
  static core::Presented from(std::string_view token, std::string_view address = "203.0.113.9") { return {address, token}; }

  static core::Refusal refusal(const std::variant<core::Admission, core::Refusal>& judged) {
    if (const auto* refused = std::get_if<core::Refusal>(&judged)) return *refused;
    ADD_FAILURE() << "admitted";
    return {};
  }
  static core::Admission admission(const std::variant<core::Admission, core::Refusal>& judged) {
    if (const auto* admitted = std::get_if<core::Admission>(&judged)) return *admitted;
    ADD_FAILURE() << "refused: " << std::get<core::Refusal>(judged).public_text;
    return {};
  }

  TestFactory factory_{GetParam()};
  core::TokenKeeper keeper_{*factory_.tokens, *factory_.codec, factory_.clock, *factory_.random};
  core::TokenCache cache_{*factory_.tokens, *factory_.registry, *factory_.codec, "acme"};
  std::string last_id_;
};

TEST_P(Admission, OpenTrustTakesPrivateAndLoopbackAddressesOnly) {
  core::Gate open = gate(core::RegistrationTrust::open);
  const auto admitted = admission(open.admit(from("na", "192.168.7.7")));
  EXPECT_EQ(admitted.proof, core::Proof::open_network);
  EXPECT_EQ(admitted.origin.station, "192.168.7.7");
  const auto refused = refusal(open.admit(from("na", "203.0.113.9")));
  EXPECT_EQ(refused.reason, RefusalReason::outside_networks);
  EXPECT_EQ(refused.kind, RefusalKind::forbidden);
  EXPECT_NE(refused.public_text.find("203.0.113.9"), std::string::npos);
}

TEST_P(Admission, ConfiguredNetworksHoldUnderTokenTrustToo) {
  const std::string token = make_token("devices:create");
  core::AdmissionRules rules;
  rules.trust = core::RegistrationTrust::token;
  rules.networks = {*core::Network::parse("10.5.0.0/16")};
  core::Gate closed(rules, cache_, factory_.clock);
  EXPECT_EQ(refusal(closed.admit(from(token, "10.6.0.1"))).reason, RefusalReason::outside_networks);
  EXPECT_EQ(admission(closed.admit(from(token, "10.5.0.1"))).proof, core::Proof::token);
}

TEST_P(Admission, ATokenIsTakenRawAndInBase64) {
  const std::string token = make_token("devices:create", "line-1");
  core::Gate closed = gate(core::RegistrationTrust::token);
  for (const std::string& presented : {token, to_base64(as_bytes(token))}) {
    const auto admitted = admission(closed.admit(from(presented)));
    EXPECT_EQ(admitted.proof, core::Proof::token);
    EXPECT_EQ(admitted.origin.station, "line-1");
    EXPECT_EQ(admitted.origin.credential, last_id_);
    EXPECT_EQ(admitted.origin.peer_address, "203.0.113.9");
  }
}

TEST_P(Admission, ATokenWithoutAStationStandsForItself) {
  const std::string token = make_token("devices:create");
  core::Gate closed = gate(core::RegistrationTrust::token);
  EXPECT_EQ(admission(closed.admit(from(token))).origin.station, "token:" + last_id_);
}

TEST_P(Admission, MissingUnknownExpiredAndRevokedTokensAreUnauthenticated) {
  const std::string good = make_token("devices:create", {}, std::chrono::hours(1));
  core::Gate closed = gate(core::RegistrationTrust::token);
  for (const std::string& presented : {std::string(), std::string("na"), good.substr(1), good + "x", std::string(5000, 'x')}) {
    const auto refused = refusal(closed.admit(from(presented)));
    EXPECT_EQ(refused.reason, RefusalReason::unauthenticated) << presented;
    EXPECT_EQ(refused.kind, RefusalKind::unauthenticated);
  }
  EXPECT_EQ(admission(closed.admit(from(good))).proof, core::Proof::token);
  factory_.clock.pass(std::chrono::hours(1));
  EXPECT_NE(refusal(closed.admit(from(good))).public_text.find("expired"), std::string::npos);

  const std::string other = make_token("devices:create");
  EXPECT_EQ(admission(closed.admit(from(other))).proof, core::Proof::token);
  ASSERT_TRUE(run_task(keeper_.revoke(last_id_, {"lost", "tester"})));
  EXPECT_EQ(refusal(closed.admit(from(other))).kind, RefusalKind::unauthenticated);
}

TEST_P(Admission, ATokenNeedsTheScopeAndAdminHoldsAll) {
  core::Gate closed = gate(core::RegistrationTrust::token);
  const auto refused = refusal(closed.admit(from(make_token("devices:read,devices:delete"))));
  EXPECT_EQ(refused.reason, RefusalReason::not_permitted);
  EXPECT_EQ(refused.kind, RefusalKind::forbidden);
  EXPECT_NE(refused.public_text.find("devices:create"), std::string::npos);
  EXPECT_EQ(admission(closed.admit(from(make_token("admin")))).proof, core::Proof::token);
}

TEST_P(Admission, ATokenOfAnotherFactoryIsUnknown) {
  const std::string token = make_token("devices:create");
  core::TokenCache other(*factory_.tokens, *factory_.registry, *factory_.codec, "other");
  const auto judged = other.authenticate(token, core::Scope::devices_create, factory_.clock.now());
  ASSERT_TRUE(std::holds_alternative<core::Refusal>(judged));
  EXPECT_EQ(std::get<core::Refusal>(judged).kind, RefusalKind::unauthenticated);
}

TEST_P(Admission, TheTokenItselfIsKeptNowhere) {
  const std::string token = make_token("devices:create", "line-1");
  const auto records = factory_.registry->audit_records(0, 1000);
  ASSERT_TRUE(records);
  bool audited = false;
  for (const auto& record : *records) {
    EXPECT_EQ(record.body.find(token), std::string::npos);
    audited = audited || record.body.find(R"("event":"token_created")") != std::string::npos;
  }
  EXPECT_TRUE(audited);
}

TEST_P(Admission, AStationMayNotLookLikeAnAddressOrAToken) {
  for (const char* name : {"10.0.0.1", "token:abc", "a b", "", "-x"}) EXPECT_FALSE(core::check_station_name(name)) << name;
  EXPECT_TRUE(core::check_station_name("line-1.A_b"));
}

TEST_P(Admission, AStationFasterThanItsRateIsToldWhenToComeAgain) {
  core::AdmissionRules rules;
  rules.rate_per_station = *core::parse_rate("2/s");
  core::Gate slow(rules, cache_, factory_.clock);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(admission(slow.admit(from({}, "10.0.0.1"))).proof, core::Proof::open_network);
  const auto refused = refusal(slow.admit(from({}, "10.0.0.1")));
  EXPECT_EQ(refused.kind, RefusalKind::too_many);
  EXPECT_EQ(refused.retry_after, std::chrono::seconds(1));
  EXPECT_EQ(admission(slow.admit(from({}, "10.0.0.2"))).proof, core::Proof::open_network) << "another station has a bucket of its own";
  factory_.clock.pass(std::chrono::milliseconds(500));
  EXPECT_EQ(admission(slow.admit(from({}, "10.0.0.1"))).proof, core::Proof::open_network);
  EXPECT_EQ(refusal(slow.admit(from({}, "10.0.0.1"))).kind, RefusalKind::too_many);
}

TEST_P(Admission, RatesAreRead) {
  EXPECT_EQ(core::parse_rate("600/m")->count, 600U);
  EXPECT_EQ(core::parse_rate("600/m")->per, std::chrono::minutes(1));
  for (const char* text : {"", "5", "0/s", "5/d", "-1/s", "5/s ", "/s"}) EXPECT_FALSE(core::parse_rate(text)) << text;
}

// A registration whose answer was lost, then another key for the same id.
core::Enrollment with_proof(core::Enrollment enrollment, std::string station, std::string credential) {
  enrollment.proof = core::Proof::token;
  enrollment.origin = {"10.0.0.1", std::move(station), std::move(credential)};
  return enrollment;
}

TEST_P(Admission, UnderTokensTheUnseenRuleHoldsByDefaultForTheSameStation) {
  const auto lost = factory_.expect_enrolled(with_proof(TestDevice().enrollment(), "line-1", "aaaa"));
  EXPECT_TRUE(lost.track_delivery);
  EXPECT_EQ(factory_.expect_refused(with_proof(TestDevice().enrollment(), "line-2", "bbbb")).reason, RefusalReason::key_conflict);
  const TestDevice retry;
  static_cast<void>(factory_.expect_enrolled(with_proof(retry.enrollment(), "line-1", "cccc")));
  EXPECT_EQ(factory_.device().current_key, retry.key.spki_sha256());
  EXPECT_EQ(factory_.device().station, "line-1");
}

TEST_P(Admission, TheAuditOfARegistrationNamesStationPeerAndProof) {
  static_cast<void>(factory_.expect_enrolled(with_proof(TestDevice().enrollment(), "line-1", "3f09c1d2aa")));
  const auto records = factory_.registry->audit_records(0, 1000);
  ASSERT_TRUE(records);
  const std::string& body = records->back().body;
  EXPECT_NE(body.find(R"("station":"line-1","peer":"10.0.0.1","proof":"token:3f09c1d2aa")"), std::string::npos) << body;
}

INSTANTIATE_TEST_SUITE_P(Stores, Admission, ::testing::Values(Store::memory, Store::sqlite),
                         [](const auto& instance) { return instance.param == Store::memory ? "memory" : "sqlite"; });

}  // namespace
}  // namespace birthmark::testing
