// SPDX-License-Identifier: Apache-2.0
// `ca install` as a command on a data directory: keys before the change, never over another, all or nothing, twice the same.
#include <sstream>

#include "cli/ca_commands.h"
#include "cli/workbench.h"
#include "core/trust_store.h"
#include "crypto/pki/trust_change.h"
#include "pki_test_support.h"
#include "store/memory/memory_registry.h"

namespace birthmark::crypto::testing {
namespace {

class FixedClock final : public core::Clock {
 public:
  explicit FixedClock(Instant now) : now_(now) {}
  Instant now() const override { return now_; }
  Duration uptime() const override { return Duration(0); }

 private:
  Instant now_;
};

// A data directory with real keys under keys/ and a registry in memory.
class BenchOnDirectory final : public cli::Workbench {
 public:
  BenchOnDirectory(std::filesystem::path directory, Instant now)
      : directory_(std::move(directory)), clock_(now), clock_guard_(clock_, {}, std::nullopt) {
    must(make_directory(directory_, 0700));
    must(make_directory(directory_ / "keys", 0700));
  }
  const std::filesystem::path& directory() const override { return directory_; }
  const std::string& factory() const override { return factory_; }
  core::Registry& registry() override { return *registry_; }
  core::Tokens& tokens() override { return *registry_; }
  core::SiteCertificates& site_certificates() override { return *registry_; }
  core::Orders& orders() override { return *registry_; }
  core::FieldLog& field() override { return *registry_; }
  core::ApiAccess& api_access() override { assertion_failed("ca install asks nothing of the API's callers", __FILE__, __LINE__); }
  std::string default_owner() const override { return factory_; }
  std::string gateway_server() const override { return "https://gw.example:8443"; }
  core::Random& random() override { return *random_; }
  core::Outbox& outbox() override { return *registry_; }
  cli::UpstreamView upstream() const override { return {}; }
  cli::UpstreamView hooks() const override { return {}; }
  const core::X509Codec& codec() const override { return *codec_; }
  const core::Clock& clock() const override { return clock_; }
  core::ClockGuard& clock_guard() override { return clock_guard_; }
  core::DeviceIdRule device_id_rule() const override { return core::DeviceIdRule::uuid; }
  std::vector<std::pair<std::string, SpkiHash>> held_keys() const override { return held_; }
  Result<std::optional<core::AuditHead>> signed_audit_head() override { return std::optional<core::AuditHead>(); }
  Status reload() override {
    ++reloads_;
    held_.clear();
    for (const std::string& name : names_in(directory_ / "keys")) {
      held_.emplace_back(name, must(PrivateKey::load(directory_ / "keys" / name)).spki_sha256());
    }
    return {};
  }
  std::shared_ptr<const core::TrustSnapshot> trust() const override { return nullptr; }
  std::string actor() const override { return "tester"; }
  std::vector<cli::Figure> figures() const override { return {}; }
  std::vector<std::string> obstacles() const override { return {}; }

  [[nodiscard]] int reloads() const { return reloads_; }

 private:
  std::filesystem::path directory_;
  std::string factory_ = "acme";
  FixedClock clock_;
  core::ClockGuard clock_guard_;
  std::unique_ptr<core::X509Codec> codec_ = must(make_x509_codec());
  std::unique_ptr<core::Random> random_ = make_system_random();
  std::unique_ptr<store::MemoryRegistry> registry_ = store::make_memory_registry(*codec_);
  std::vector<std::pair<std::string, SpkiHash>> held_;
  int reloads_ = 0;
};

class CaInstall : public PkiTest {
 protected:
  void SetUp() override {
    create_whole_pki();
    must(create_file(bench_.directory() / "keys" / "tls.key", must(tls_key_.to_pem()), 0600));
    must(create_file(bench_.directory() / "keys" / "online-ca.key", must(online_key_.to_pem()), 0600));
    must(bench_.reload());
  }

  Status install(const std::vector<std::string>& names) {
    std::vector<cli::InputFile> inputs;
    for (const std::string& name : names) inputs.push_back({(pki() / name).string(), contents(name)});
    out_.str("");
    err_.str("");
    cli::Console console{out_, err_};
    const auto command = cli::make_ca_install_command();
    return dynamic_cast<cli::DirectoryCommand&>(*command).run(console, bench_, inputs);
  }
  [[nodiscard]] std::filesystem::path kept_key() const { return bench_.directory() / "keys" / "local-ca.key"; }
  [[nodiscard]] std::size_t trusted() { return must(bench_.registry().authorities()).size(); }
  [[nodiscard]] std::uint64_t audited() { return must(bench_.registry().audit_head()).count; }

  const std::vector<std::string> whole_set_{"factory_ca.pem", "tls-crt", "online-crt", "local-ca.pem", "local-ca.key"};
  BenchOnDirectory bench_{scratch() / "server", now_};
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CaInstall, TrustKeysAndAuditAreThereAndInEffect) {
  const int before = bench_.reloads();
  const Status done = install(whole_set_);
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(out_.str(), "installed\n");
  EXPECT_EQ(trusted(), 4U);
  EXPECT_EQ(audited(), 4U);
  EXPECT_EQ(mode_of(kept_key()), 0400U);
  EXPECT_EQ(must(read_file(kept_key())), contents("local-ca.key"));
  EXPECT_EQ(bench_.reloads(), before + 1);
}

TEST_F(CaInstall, AgainItChangesNothingAndSaysSo) {
  ASSERT_TRUE(install(whole_set_));
  const int reloads = bench_.reloads();
  const std::uint64_t epoch = must(bench_.registry().trust_epoch());
  ASSERT_TRUE(install(whole_set_));
  EXPECT_EQ(out_.str(), "nothing to do: everything is installed already\n");
  EXPECT_EQ(audited(), 4U);
  EXPECT_EQ(bench_.reloads(), reloads);
  EXPECT_EQ(must(bench_.registry().trust_epoch()), epoch);
}

TEST_F(CaInstall, ARefusedSetLeavesNothing) {
  std::vector<std::string> set = whole_set_;
  set.push_back("factory_ca.key");
  const Status done = install(set);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().public_message.find("factory_ca.key"), std::string::npos);
  EXPECT_EQ(trusted(), 0U);
  EXPECT_EQ(audited(), 0U);
  EXPECT_FALSE(std::filesystem::exists(kept_key()));
}

TEST_F(CaInstall, AKeyStoredByAnInterruptedRunIsNoObstacle) {
  // The server does not know it yet: the run that stored it was killed before it could say so.
  must(create_file(kept_key(), contents("local-ca.key"), 0400));
  ASSERT_TRUE(install(whole_set_));
  EXPECT_EQ(trusted(), 4U);
}

TEST_F(CaInstall, AnotherFileInTheKeysPlaceIsNeverOverwritten) {
  must(create_file(kept_key(), "something else\n", 0400));
  ASSERT_FALSE(install(whole_set_));
  EXPECT_EQ(must(read_file(kept_key())), "something else\n");
  EXPECT_EQ(trusted(), 0U);
}

TEST_F(CaInstall, ACrlChangesTheStateOfItsRow) {
  ASSERT_TRUE(install(whole_set_));
  CrlCommandRequest request;
  request.directory = pki();
  request.verdict = CaVerdict::disable;
  request.ca_files = {"local-ca.pem"};
  const auto crl = must(make_crl_command(tools(), request));
  ASSERT_TRUE(install({crl.outcome.artefacts.at(0).filename().string()}));
  const Bytes der = certificate("local-ca.pem").der();
  for (const core::AuthorityRecord& record : must(bench_.registry().authorities())) {
    EXPECT_EQ(record.state, record.der == der ? core::AuthorityState::disabled : core::AuthorityState::active);
  }
  EXPECT_EQ(trusted(), 4U);
}

}  // namespace
}  // namespace birthmark::crypto::testing
