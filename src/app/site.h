// SPDX-License-Identifier: Apache-2.0
// A data directory, opened: its lock, configuration, registry, keys and trust, wired together. The server and the commands that run alone
// use the same one.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/audit_head_file.h"
#include "app/config.h"
#include "app/eve_house.h"
#include "app/key_house.h"
#include "app/outside_lines.h"
#include "app/system_clock.h"
#include "base/file.h"
#include "cli/workbench.h"
#include "core/contact_book.h"
#include "core/device_gate.h"
#include "core/device_log.h"
#include "core/enroller.h"
#include "core/gate.h"
#include "core/renewer.h"
#include "core/site_certificate_cache.h"
#include "core/token_cache.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::app {

// Where its configuration is from, and so whether it can be read anew.
enum class ConfigSource : std::uint8_t { file, elsewhere };

class Site final : public cli::Workbench {
 public:
  // unavailable when another process holds the directory.
  [[nodiscard]] static Result<std::unique_ptr<Site>> open(const std::filesystem::path& directory);
  [[nodiscard]] static Result<std::unique_ptr<Site>> open(const std::filesystem::path& directory, Config config,
                                                          ConfigSource source = ConfigSource::elsewhere);
  ~Site() override;

  // As it is now: a reload makes another one. The reference stays good as long as the site.
  [[nodiscard]] const Config& config() const;
  [[nodiscard]] core::Enroller& enroller() { return *enroller_; }
  // The same procedure, signing with the online CA only: for callers of the factory API.
  [[nodiscard]] core::Enroller& online_enroller() { return *online_enroller_; }
  [[nodiscard]] core::Gate& gate() { return *gate_; }
  [[nodiscard]] core::TokenCache& credentials() { return *token_cache_; }
  [[nodiscard]] core::SiteCertificateCache& holders() { return *holder_cache_; }
  [[nodiscard]] core::DeviceGate& device_gate() { return *device_gate_; }
  [[nodiscard]] core::Renewer& renewer() { return *renewer_; }
  [[nodiscard]] core::ContactBook& contacts() { return *contacts_; }
  [[nodiscard]] core::Nodes& nodes() { return registry_->nodes(); }
  [[nodiscard]] EveHouse& eve() { return *eve_; }
  [[nodiscard]] core::FieldLog& field() override { return registry_->field(); }
  [[nodiscard]] std::string gateway_server() const override { return config().gateway_server(); }
  [[nodiscard]] core::DeviceDirectory& device_directory() { return registry_->directory(); }
  [[nodiscard]] core::ApiAccess& api_access() override { return registry_->api_access(); }
  [[nodiscard]] std::string default_owner() const override;
  [[nodiscard]] core::TrustStore& trust_store() { return *trust_; }
  // The CAs that issue for Izuma gateways, and the gateways.
  [[nodiscard]] core::TrustStore& gateway_trust() { return *gateway_trust_; }
  [[nodiscard]] core::Gateways& gateways() { return registry_->gateways(); }
  [[nodiscard]] KeyHouse& keys() const { return *keys_; }
  // For a server: from now on keys in tokens sign too. Commands of an operator do without, so that none of them asks for a PIN.
  [[nodiscard]] Status use_tokens();
  // conflict when the database has lost, or never had, what audit.head was signed over.
  [[nodiscard]] Status check_audit_head() const { return audit_head_->check(*registry_); }
  // Part of each reload: called when everything is read and nothing changed yet, with config() and trust() as they would be on this
  // thread. An error stops the reload; otherwise what it answers is called once all of it counts. Empty: nobody.
  using Commit = std::function<void()>;
  void when_reloading(std::function<Result<Commit>()> follower);
  // reload(), with birthmark.toml read anew too: all of it, or nothing. Answers the settings that changed and count only after a restart.
  [[nodiscard]] Result<std::vector<std::string>> reload_everything();
  // Every registration is noted there too, from the next listener on.
  void set_device_log(std::unique_ptr<core::DeviceLog> device_log) { device_log_ = std::move(device_log); }
  [[nodiscard]] core::DeviceLog* device_log() { return device_log_.get(); }
  // For a server: tells upstream and hooks of what is registered, and of what still waits from before. Nothing where none is configured.
  [[nodiscard]] Status start_outside();
  // Registrations that wait for the upstream are answered; before the listeners stop.
  void stop_outside();
  // Once a second while a server runs: the audit head and the clock mark on disk.
  void housekeep();

  [[nodiscard]] const std::filesystem::path& directory() const override { return directory_; }
  [[nodiscard]] const std::string& factory() const override { return factory_; }
  [[nodiscard]] core::Registry& registry() override { return *registry_; }
  [[nodiscard]] core::Tokens& tokens() override { return registry_->tokens(); }
  [[nodiscard]] core::SiteCertificates& site_certificates() override { return registry_->site_certificates(); }
  [[nodiscard]] core::Orders& orders() override { return registry_->orders(); }
  [[nodiscard]] store::SqliteStatistics store_statistics() const { return registry_->statistics(); }
  [[nodiscard]] const core::X509Codec& codec() const override { return *codec_; }
  [[nodiscard]] core::Random& random() override { return *random_; }
  [[nodiscard]] const core::Clock& clock() const override { return clock_; }
  [[nodiscard]] core::ClockGuard& clock_guard() override { return *clock_guard_; }
  [[nodiscard]] core::DeviceIdRule device_id_rule() const override { return config().rules.device_id; }
  [[nodiscard]] std::vector<std::pair<std::string, SpkiHash>> held_keys() const override;
  [[nodiscard]] Result<std::optional<core::AuditHead>> signed_audit_head() override { return audit_head_->read(); }
  [[nodiscard]] core::Intake& intake() { return registry_->intake(); }
  [[nodiscard]] core::Outbox& outbox() override { return registry_->outbox(); }
  [[nodiscard]] cli::UpstreamView upstream() const override;
  [[nodiscard]] cli::UpstreamView hooks() const override;
  [[nodiscard]] Status reload() override;
  [[nodiscard]] std::shared_ptr<const core::TrustSnapshot> trust() const override;
  [[nodiscard]] std::string actor() const override;
  [[nodiscard]] std::vector<cli::Figure> figures() const override;
  [[nodiscard]] std::vector<std::string> obstacles() const override;

  // Commands that this thread runs from now on are done in the name of `actor` (a caller behind the control socket).
  static void act_for(std::string actor);
  [[nodiscard]] static std::string user_name(unsigned uid);

 private:
  // What a reload would make current.
  struct Candidate {
    std::unique_ptr<const Config> config;  // null: stays
    std::shared_ptr<const core::TrustSnapshot> trust;
    core::TrustStore::Signers signers;
    std::shared_ptr<const core::TrustSnapshot> online_trust;
    core::TrustStore::Signers online_signers;
    EveHouse::Candidate eve;
    std::shared_ptr<const core::TrustSnapshot> gateway_trust;
    core::TrustStore::Signers gateway_signers;
    Commit follower;
    std::shared_ptr<OutsideLines::Change> outside;
  };
  // While it lives, config() and trust() answer this thread as if the candidate counted.
  class Preview;

  Site(std::filesystem::path directory, Config config, ConfigSource source);
  [[nodiscard]] Result<Candidate> prepare(std::unique_ptr<const Config> config);
  void use(Candidate candidate);
  void note_changed(const std::vector<std::string>& settings);
  [[nodiscard]] Status open_parts();
  void append_outbox(std::vector<cli::Figure>& figures, const std::string& name, core::OutboxChannel channel) const;
  void note_clock();
  void purge_test_devices();
  [[nodiscard]] Result<core::TrustStore::Signers> load_signers(const Config& config) const;
  [[nodiscard]] Result<core::TrustStore::Signers> load_online_signers() const;
  [[nodiscard]] Result<core::TrustStore::Signers> load_gateway_signers() const;
  void add_token_key(const std::string& name, std::vector<std::pair<std::string, SpkiHash>>& held) const;
  void list_newcomers();

  const std::filesystem::path directory_;
  FileDescriptor lock_;
  const ConfigSource source_;
  const std::string factory_;
  mutable std::mutex config_mutex_;
  // The last one counts. Earlier ones stay, for those who hold a reference: a few kilobytes each time a person changes the file.
  std::vector<std::unique_ptr<const Config>> configs_;
  SystemClock clock_;
  std::unique_ptr<core::Random> random_;
  std::unique_ptr<core::X509Codec> codec_;
  std::unique_ptr<store::SqliteRegistry> registry_;
  std::unique_ptr<AuditHeadFile> audit_head_;
  std::mutex audit_head_mutex_;
  std::unique_ptr<core::ClockGuard> clock_guard_;
  std::uint64_t jobs_seen_ = 0;
  std::optional<Duration> clock_noted_at_;  // uptime
  std::optional<Duration> purged_at_;       // uptime
  std::unique_ptr<KeyHouse> keys_;          // signers in trust_ use its tokens
  bool tokens_used_ = false;
  std::unique_ptr<core::TrustStore> trust_;
  std::unique_ptr<core::TrustStore> online_trust_;  // the same trust, with the keys of online CAs only
  std::unique_ptr<core::TrustStore> gateway_trust_;
  std::unique_ptr<core::TokenCache> token_cache_;
  std::unique_ptr<core::SiteCertificateCache> holder_cache_;
  std::unique_ptr<core::Gate> gate_;
  std::unique_ptr<core::DeviceLog> device_log_;
  std::unique_ptr<OutsideLines> outside_;  // while a server runs
  std::unique_ptr<core::Enroller> enroller_;
  std::unique_ptr<core::Enroller> online_enroller_;
  std::unique_ptr<core::DeviceGate> device_gate_;
  std::unique_ptr<core::Renewer> renewer_;
  std::unique_ptr<core::ContactBook> contacts_;
  std::unique_ptr<EveHouse> eve_;
  std::mutex reload_mutex_;  // one reload at a time
  std::function<Result<Commit>()> follower_;
};

}  // namespace birthmark::app
