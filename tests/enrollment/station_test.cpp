// SPDX-License-Identifier: Apache-2.0
// Certificate trust: whose certificate is let in, and rules that change while a server runs.
#include <gtest/gtest.h>

#include "core/gate.h"
#include "core/site_certificate_keeper.h"
#include "crypto/x509_codec.h"
#include "store/memory/memory_registry.h"
#include "test_factory.h"

namespace birthmark::testing {
namespace {

using core::HolderRole;
using core::RefusalKind;

class StationTrust : public ::testing::Test {
 protected:
  Fingerprint give(const std::string& holder, HolderRole role = HolderRole::station, const std::string& factory = "acme") {
    core::SiteCertificate certificate;
    certificate.factory = factory;
    certificate.role = role;
    certificate.holder = holder;
    certificate.fingerprint.octets[0] = ++last_;
    const Bytes magnitude{0x4d, last_};
    certificate.serial = *Serial::from_magnitude(magnitude);
    certificate.not_after = clock_.now() + std::chrono::hours(24);
    const auto added = run_task(keeper_.add(certificate, {"a test", "tester"}));
    EXPECT_TRUE(added) << added.error().describe();
    return certificate.fingerprint;
  }
  std::variant<core::Admission, core::Refusal> admit(const Fingerprint* shown, std::string_view token = {}) {
    return gate_.admit({"203.0.113.9", token, shown, "request-1"});
  }
  core::Refusal refusal(const std::variant<core::Admission, core::Refusal>& judged) {
    if (const auto* refused = std::get_if<core::Refusal>(&judged)) return *refused;
    ADD_FAILURE() << "admitted";
    return {};
  }
  static core::AdmissionRules certificate_rules() {
    core::AdmissionRules rules;
    rules.trust = core::RegistrationTrust::certificate;
    return rules;
  }

  FakeClock clock_{from_unix_ms(1'795'000'000'000)};
  std::unique_ptr<core::X509Codec> codec_ = std::move(*crypto::make_x509_codec());
  std::unique_ptr<store::MemoryRegistry> registry_ = store::make_memory_registry(*codec_);
  core::TokenCache tokens_{*registry_, *registry_, *codec_, "acme"};
  core::SiteCertificateCache holders_{*registry_, *registry_, "acme"};
  core::SiteCertificateKeeper keeper_{*registry_, clock_};
  core::Gate gate_{certificate_rules(), tokens_, clock_, &holders_};
  std::uint8_t last_ = 0;
};

TEST_F(StationTrust, AStationsCertificateIsItsProof) {
  const Fingerprint shown = give("line-1");
  const auto judged = admit(&shown);
  ASSERT_TRUE(std::holds_alternative<core::Admission>(judged)) << refusal(judged).public_text;
  const auto& admission = std::get<core::Admission>(judged);
  EXPECT_EQ(admission.proof, core::Proof::station);
  EXPECT_EQ(admission.origin.station, "line-1");
  EXPECT_EQ(admission.origin.request, "request-1");
  EXPECT_EQ(core::describe(admission.proof, admission.origin), "station:4d01");
}

TEST_F(StationTrust, NoneUnknownExpiredRevokedAndForeignAreUnauthenticated) {
  EXPECT_EQ(refusal(admit(nullptr)).kind, RefusalKind::unauthenticated);
  const Fingerprint unknown{};
  EXPECT_EQ(refusal(admit(&unknown)).kind, RefusalKind::unauthenticated);
  const Fingerprint elsewhere = give("line-1", HolderRole::station, "other");
  EXPECT_EQ(refusal(admit(&elsewhere)).kind, RefusalKind::unauthenticated);
  const Fingerprint revoked = give("line-2");
  ASSERT_TRUE(std::holds_alternative<core::Admission>(admit(&revoked)));
  ASSERT_TRUE(run_task(keeper_.revoke({"acme", HolderRole::station, "line-2", {}}, {"lost", "tester"})));
  EXPECT_NE(refusal(admit(&revoked)).public_text.find("revoked"), std::string::npos);
  const Fingerprint old = give("line-3");
  clock_.pass(std::chrono::hours(24));
  EXPECT_NE(refusal(admit(&old)).public_text.find("expired"), std::string::npos);
}

TEST_F(StationTrust, AnOperatorIsForbiddenAndATokenIsNotAsked) {
  const Fingerprint shown = give("anna", HolderRole::operator_);
  EXPECT_EQ(refusal(admit(&shown)).kind, RefusalKind::forbidden);
  EXPECT_EQ(refusal(admit(nullptr, "any-token")).kind, RefusalKind::unauthenticated);
}

TEST_F(StationTrust, RevokingNobodyIsNotFoundAndABadNameIsRefused) {
  const auto nobody = run_task(keeper_.revoke({"acme", HolderRole::station, "nobody", {}}, {"x", "tester"}));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::not_found);
  core::SiteCertificate bad;
  bad.factory = "acme";
  bad.holder = "10.0.0.1";
  EXPECT_FALSE(run_task(keeper_.add(bad, {"x", "tester"})));
}

TEST_F(StationTrust, RulesChangeForTheNextRequestAndAnUnchangedRateKeepsItsBuckets) {
  core::AdmissionRules rules;
  rules.networks = {*core::Network::parse("203.0.113.0/24")};
  rules.rate_per_station = *core::parse_rate("2/h");
  gate_.set_rules(rules);
  ASSERT_TRUE(std::holds_alternative<core::Admission>(admit(nullptr)));
  gate_.set_rules(rules);
  ASSERT_TRUE(std::holds_alternative<core::Admission>(admit(nullptr)));
  EXPECT_EQ(refusal(admit(nullptr)).kind, RefusalKind::too_many) << "a reload fills no bucket";
  rules.rate_per_station = *core::parse_rate("3/h");
  gate_.set_rules(rules);
  EXPECT_TRUE(std::holds_alternative<core::Admission>(admit(nullptr)));
  rules.networks = {*core::Network::parse("10.0.0.0/8")};
  gate_.set_rules(rules);
  EXPECT_EQ(refusal(admit(nullptr)).kind, RefusalKind::forbidden);
}

}  // namespace
}  // namespace birthmark::testing
