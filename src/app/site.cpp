// SPDX-License-Identifier: Apache-2.0
#include "app/site.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "app/config_change.h"
#include "core/test_purge.h"
#include "crypto/pki/key_shelf.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

thread_local std::string forwarded_actor;
thread_local const Config* previewed_config = nullptr;
thread_local const std::shared_ptr<const core::TrustSnapshot>* previewed_trust = nullptr;

// The unseen rule trusts that a certificate in use is seen at the gateway. Where there is none, a device may be using a certificate nobody
// saw: the window closes early.
core::RegistrationRules effective_rules(const Config& config) {
  constexpr auto kWindowWithoutGateway = std::chrono::minutes(15);
  core::RegistrationRules rules = config.rules;
  if (!config.gateway_listen.empty()) return rules;
  rules.retry_window = std::min<Duration>(rules.retry_window, kWindowWithoutGateway);
  return rules;
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

class Site::Preview {
 public:
  explicit Preview(const Candidate& candidate) {
    previewed_config = candidate.config.get();
    previewed_trust = &candidate.trust;
  }
  ~Preview() {
    previewed_config = nullptr;
    previewed_trust = nullptr;
  }
  Preview(const Preview&) = delete;
  Preview& operator=(const Preview&) = delete;
};

Site::Site(std::filesystem::path directory, Config config, ConfigSource source)
    : directory_(std::move(directory)), source_(source), factory_(config.factory) {
  configs_.push_back(std::make_unique<const Config>(std::move(config)));
}

const Config& Site::config() const {
  if (previewed_config != nullptr) return *previewed_config;
  const std::lock_guard held(config_mutex_);
  return *configs_.back();
}

std::shared_ptr<const core::TrustSnapshot> Site::trust() const {
  return previewed_trust != nullptr ? *previewed_trust : trust_->current();
}

Result<std::unique_ptr<Site>> Site::open(const std::filesystem::path& directory) {
  BIRTHMARK_TRY(Config config, load_config(directory));
  return open(directory, std::move(config), ConfigSource::file);
}

Result<std::unique_ptr<Site>> Site::open(const std::filesystem::path& directory, Config config, ConfigSource source) {
  std::unique_ptr<Site> site(new Site(directory, std::move(config), source));
  BIRTHMARK_TRY(site->lock_, lock_file(directory / "lock"));
  BIRTHMARK_CHECK(site->open_parts());
  return site;
}

Status Site::open_parts() {
  const Config& config = this->config();
  BIRTHMARK_TRY(codec_, crypto::make_x509_codec({.allow_rsa = config.allow_rsa}));
  random_ = crypto::make_system_random();
  store::SqliteOptions options;
  options.path = directory_ / "birthmark.db";
  BIRTHMARK_TRY(registry_, store::SqliteRegistry::open(options, *codec_));
  BIRTHMARK_TRY(auto audit_key, crypto::PrivateKey::load(directory_ / "keys" / "audit.key"));
  audit_head_ = std::make_unique<AuditHeadFile>(directory_ / "audit.head", std::move(audit_key));
  BIRTHMARK_TRY(const auto mark, registry_->clock_mark());
  clock_guard_ = std::make_unique<core::ClockGuard>(clock_, config.clock, mark);
  keys_ = std::make_unique<KeyHouse>(directory_, config.hsm);
  trust_ = std::make_unique<core::TrustStore>(*registry_, *codec_, config.factory);
  online_trust_ = std::make_unique<core::TrustStore>(*registry_, *codec_, config.factory);
  gateway_trust_ = std::make_unique<core::TrustStore>(*registry_, *codec_, config.factory, core::AuthorityRole::gateway_ca);
  BIRTHMARK_TRY(auto gateway_signers, load_gateway_signers());
  BIRTHMARK_CHECK(gateway_trust_->reload(std::move(gateway_signers)));
  BIRTHMARK_TRY(auto signers, load_signers(config));
  BIRTHMARK_TRY(auto online, load_online_signers());
  BIRTHMARK_CHECK(trust_->reload(std::move(signers)));
  BIRTHMARK_CHECK(online_trust_->reload(std::move(online)));
  const EveHouse::Parts eve_parts{directory_, *codec_, *registry_, registry_->nodes(), *clock_guard_, *random_};
  eve_ = std::make_unique<EveHouse>(eve_parts, config.eve.rules, config.factory);
  BIRTHMARK_TRY(auto controller, eve_->prepare());
  eve_->use(std::move(controller));
  token_cache_ = std::make_unique<core::TokenCache>(registry_->tokens(), *registry_, *codec_, config.factory);
  holder_cache_ = std::make_unique<core::SiteCertificateCache>(registry_->site_certificates(), *registry_, config.factory);
  gate_ = std::make_unique<core::Gate>(config.admission, *token_cache_, clock_, holder_cache_.get());
  enroller_ = std::make_unique<core::Enroller>(*codec_, *registry_, *trust_, *clock_guard_, *random_, effective_rules(config),
                                               &registry_->orders());
  online_enroller_ = std::make_unique<core::Enroller>(*codec_, *registry_, *online_trust_, *clock_guard_, *random_, effective_rules(config),
                                                      &registry_->orders());
  device_gate_ = std::make_unique<core::DeviceGate>(*codec_, *registry_, registry_->key_changes(), registry_->field(), *trust_,
                                                    *clock_guard_, *random_, config.gateway);
  core::RegistrationRules renewal = config.rules;
  renewal.certificate_validity = config.est_validity;
  renewer_ = std::make_unique<core::Renewer>(*codec_, *registry_, registry_->key_changes(), *trust_, *clock_guard_, *random_, renewal);
  contacts_ = std::make_unique<core::ContactBook>(registry_->field());
  return {};
}

Site::~Site() {
  if (registry_ && audit_head_) housekeep();
}

Status Site::start_outside() {
  const OutsideLines::Parts parts{*registry_, registry_->outbox(), *codec_, clock_, *random_};
  BIRTHMARK_TRY(outside_, OutsideLines::make(directory_, config().upstream, config().hooks, parts));
  enroller_->set_outbox_desk(outside_->desk());
  online_enroller_->set_outbox_desk(outside_->desk());
  return outside_->start();
}

void Site::stop_outside() {
  if (outside_) outside_->stop();
}

cli::UpstreamView Site::upstream() const {
  cli::UpstreamView view;
  view.url = config().upstream.url;
  view.mode = config().upstream.mode == UpstreamMode::wait ? "wait" : "queue";
  const auto figures = outside_ ? outside_->upstream_figures() : std::nullopt;
  view.delivers = figures.has_value();
  view.figures = figures.value_or(core::CourierFigures{});
  return view;
}

cli::UpstreamView Site::hooks() const {
  cli::UpstreamView view;
  view.url = config().hooks.url;
  view.mode = "queue";
  const auto figures = outside_ ? outside_->hook_figures() : std::nullopt;
  view.delivers = figures.has_value();
  view.figures = figures.value_or(core::CourierFigures{});
  return view;
}

std::string Site::default_owner() const {
  return config().api.user_id.empty() ? config().factory : config().api.user_id;
}

// Lists of devices by name are made in the writer's idle time: many at once when nobody waits for it, few while a line is busy.
void Site::list_newcomers() {
  constexpr std::uint64_t kBusyJobs = 200;
  constexpr std::size_t kWhenIdle = 2000, kWhenBusy = 500;
  const std::uint64_t jobs = registry_->statistics().jobs;
  const bool busy = jobs - jobs_seen_ > kBusyJobs;
  jobs_seen_ = jobs;
  registry_->directory().list_newcomers(busy ? kWhenBusy : kWhenIdle);
}

void Site::housekeep() {
  if (contacts_) contacts_->flush();
  purge_test_devices();
  list_newcomers();
  const std::lock_guard lock(audit_head_mutex_);
  note_clock();
  const auto head = registry_->audit_head();
  // A chain that lost what was signed must not get a new head: that would destroy the evidence.
  Status written = head ? audit_head_->check(*registry_) : Status(fail(ErrorCode::unavailable, head.error().describe()));
  if (written) written = audit_head_->write(*head, clock_.now());
  if (!written) log::error("audit head not written", {{"error", written.error().describe()}});
}

// Throw-away identities whose time is over, once an hour while a server runs.
void Site::purge_test_devices() {
  constexpr auto kInterval = std::chrono::hours(1);
  if (!outside_ || (purged_at_ && clock_.uptime() - *purged_at_ < kInterval)) return;
  purged_at_ = clock_.uptime();
  const core::OperatorAct act{"the time of a test device is over", "server"};
  const auto purged = run_task(core::purge_test_devices(*registry_, clock_, factory_, core::PurgeScope::expired, act));
  if (!purged) log::error("test devices not purged", {{"error", purged.error().describe()}});
  if (purged && *purged > 0) log::info("test devices purged", {{"devices", std::to_string(*purged)}});
}

// The time a server was last alive is what its next start measures the clock against. Registrations record it too; an idle server writes
// it once a minute.
void Site::note_clock() {
  constexpr auto kInterval = std::chrono::minutes(1);
  if (!clock_guard_ || (clock_noted_at_ && clock_.uptime() - *clock_noted_at_ < kInterval)) return;
  const auto now = clock_guard_->trusted_now();
  if (!now) return;
  registry_->note_clock(*now);
  clock_noted_at_ = clock_.uptime();
}

Result<core::TrustStore::Signers> Site::load_signers(const Config& config) const {
  core::TrustStore::Signers signers;
  bool online_added = false;
  for (const std::string& path : config.issuer_keys) {
    // Unless the file names its keys, the online CA is whichever came last by the factory API.
    const bool online = crypto::has_purpose(std::filesystem::path(path).filename().string(), crypto::KeyPurpose::online_ca);
    if (online && !config.issuer_keys_required) {
      if (std::exchange(online_added, true)) continue;
      BIRTHMARK_TRY(auto found, load_online_signers());
      std::move(found.begin(), found.end(), std::back_inserter(signers));
      continue;
    }
    if (!tokens_used_ && crypto::pkcs11::is_uri(path)) continue;
    auto signer = keys_->signer(path);
    if (!signer && signer.error().code == ErrorCode::not_found && !config.issuer_keys_required) continue;
    if (!signer) return forward_error(signer);
    signers.push_back(std::move(*signer));
  }
  return signers;
}

// keys/pep-ca*.key, the newest name first: which of them issues is decided by the certificates that are installed.
Result<core::TrustStore::Signers> Site::load_gateway_signers() const {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "keys", failure)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("pep-ca") && name.ends_with(".key")) files.push_back(entry.path());
  }
  std::sort(files.rbegin(), files.rend());
  core::TrustStore::Signers signers;
  for (const std::filesystem::path& file : files) {
    BIRTHMARK_TRY(auto key, crypto::PrivateKey::load(file));
    signers.push_back(crypto::make_file_signer(std::move(key)));
  }
  return signers;
}

// The one whose certificate came last is first: it replaces its predecessors for issuing (protocol facts, Foundries 1.7).
Result<core::TrustStore::Signers> Site::load_online_signers() const {
  BIRTHMARK_TRY(const auto authorities, registry_->authorities());
  const crypto::KeyShelf shelf(directory_ / "keys");
  std::vector<std::pair<core::RowId, std::shared_ptr<core::Signer>>> found;
  for (const crypto::HeldKey& held : shelf.held()) {
    if (!crypto::has_purpose(held.file_name, crypto::KeyPurpose::online_ca)) continue;
    core::RowId newest = 0;
    for (const core::AuthorityRecord& record : authorities) {
      if (record.role != core::AuthorityRole::device_ca || record.factory != factory_) continue;
      const auto facts = codec_->read_certificate(record.der);
      if (facts && facts->spki_sha256 == held.spki) newest = std::max(newest, record.row);
    }
    BIRTHMARK_TRY(auto key, shelf.load(held.file_name));
    found.emplace_back(newest, crypto::make_file_signer(std::move(key)));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  core::TrustStore::Signers signers;
  for (auto& [row, signer] : found) signers.push_back(std::move(signer));
  // One in a token is named by the configuration; no API makes a successor of it.
  for (const std::string& name : config().issuer_keys) {
    const auto uri = crypto::pkcs11::Uri::parse(name);
    if (!tokens_used_ || !uri || !uri->object.starts_with("online-ca")) continue;
    BIRTHMARK_TRY(auto signer, keys_->signer(name));
    signers.push_back(std::move(signer));
  }
  return signers;
}

Status Site::use_tokens() {
  tokens_used_ = true;
  return reload();
}

Status Site::reload() {
  const std::lock_guard lock(reload_mutex_);
  BIRTHMARK_TRY(auto candidate, prepare(nullptr));
  use(std::move(candidate));
  return {};
}

Result<std::vector<std::string>> Site::reload_everything() {
  const std::lock_guard lock(reload_mutex_);
  std::vector<std::string> later, changed;
  std::unique_ptr<Config> fresh;
  if (source_ == ConfigSource::file) {
    BIRTHMARK_TRY(const Config read, load_config(directory_));
    later = waiting_for_restart(*configs_.front(), read);
    changed = taken_over(config(), read);
    fresh = std::make_unique<Config>(changed_while_running(config(), read));
  }
  BIRTHMARK_TRY(auto candidate, prepare(std::move(fresh)));
  use(std::move(candidate));
  if (!changed.empty()) note_changed(changed);
  return later;
}

// Who may register is decided in a file that others may write: its changes are on record.
void Site::note_changed(const std::vector<std::string>& settings) {
  std::string names;
  for (const std::string& setting : settings) names += (names.empty() ? "" : " ") + setting;
  std::string body = core::audit_body(core::AuditEvent::settings_changed, clock_.now(),
                                      {{"factory", factory_}, {"settings", names}, {"actor", "birthmark.toml"}});
  const Status noted = run_task(registry_->append_audit(std::move(body)));
  if (!noted) log::error("changed settings not audited", {{"settings", names}, {"error", noted.error().describe()}});
}

// Reads and makes everything; changes nothing.
Result<Site::Candidate> Site::prepare(std::unique_ptr<const Config> config) {
  Candidate candidate;
  candidate.config = std::move(config);
  const Config& wanted = candidate.config ? *candidate.config : this->config();
  BIRTHMARK_TRY(candidate.signers, load_signers(wanted));
  BIRTHMARK_TRY(candidate.online_signers, load_online_signers());
  BIRTHMARK_TRY(candidate.trust, trust_->prepare(candidate.signers));
  BIRTHMARK_TRY(candidate.online_trust, online_trust_->prepare(candidate.online_signers));
  BIRTHMARK_TRY(candidate.eve, eve_->prepare());
  BIRTHMARK_TRY(candidate.gateway_signers, load_gateway_signers());
  BIRTHMARK_TRY(candidate.gateway_trust, gateway_trust_->prepare(candidate.gateway_signers));
  if (outside_ && candidate.config) {
    BIRTHMARK_TRY(candidate.outside, outside_->prepare(wanted.upstream, wanted.hooks));
  }
  const Preview preview(candidate);
  if (follower_) {
    BIRTHMARK_TRY(candidate.follower, follower_());
  }
  return candidate;
}

// From here on nothing can fail.
void Site::use(Candidate candidate) {
  trust_->use(std::move(candidate.trust), std::move(candidate.signers));
  online_trust_->use(std::move(candidate.online_trust), std::move(candidate.online_signers));
  eve_->use(std::move(candidate.eve));
  gateway_trust_->use(std::move(candidate.gateway_trust), std::move(candidate.gateway_signers));
  if (candidate.config) {
    const Config& config = *candidate.config;
    gate_->set_rules(config.admission);
    enroller_->set_rules(effective_rules(config));
    online_enroller_->set_rules(effective_rules(config));
    log::set_level(config.log_level);
    const std::lock_guard held(config_mutex_);
    configs_.push_back(std::move(candidate.config));
  }
  if (candidate.outside) outside_->use(candidate.outside);
  if (candidate.follower) candidate.follower();
}

void Site::when_reloading(std::function<Result<Commit>()> follower) {
  const std::lock_guard lock(reload_mutex_);
  follower_ = std::move(follower);
}

std::vector<std::pair<std::string, SpkiHash>> Site::held_keys() const {
  std::vector<std::pair<std::string, SpkiHash>> held;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "keys", failure)) {
    if (entry.path().extension() != ".key") continue;
    if (auto key = crypto::PrivateKey::load(entry.path())) held.emplace_back(entry.path().filename().string(), key->spki_sha256());
  }
  for (const std::string& name : config().issuer_keys) add_token_key(name, held);
  add_token_key(config().tls_key, held);
  return held;
}

void Site::add_token_key(const std::string& name, std::vector<std::pair<std::string, SpkiHash>>& held) const {
  if (!crypto::pkcs11::is_uri(name)) return;
  if (const auto key = keys_->public_key(name))
    held.emplace_back(name, *key);
  else
    log::warning("a key in a token is not at hand", {{"key", name}, {"reason", key.error().describe()}});
}

void Site::act_for(std::string actor) {
  forwarded_actor = std::move(actor);
}

std::string Site::actor() const {
  return forwarded_actor.empty() ? user_name(::getuid()) : forwarded_actor;
}

std::string Site::user_name(unsigned uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return "uid " + std::to_string(uid);
  return found->pw_name;
}

// How much waits, and for how many seconds.
void Site::append_outbox(std::vector<cli::Figure>& figures, const std::string& name, core::OutboxChannel channel) const {
  const auto totals = registry_->outbox().outbox_totals(channel);
  if (!totals) return;
  const auto age = totals->oldest ? std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - *totals->oldest).count() : 0;
  figures.push_back({name + "_waiting", totals->waiting + totals->sending});
  figures.push_back({name + "_stopped", totals->stopped});
  figures.push_back({name + "_age", static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0))});
}

std::vector<cli::Figure> Site::figures() const {
  const store::SqliteStatistics store = registry_->statistics();
  const core::EnrollmentStatistics enrollments = enroller_->statistics();
  std::vector<cli::Figure> all = {{"issued", enrollments.issued},   {"replayed", enrollments.replayed},
                                  {"refused", enrollments.refused}, {"conflicts", enrollments.conflicts},
                                  {"commits", store.commits},       {"jobs", store.jobs},
                                  {"fsyncs", store.fsyncs},         {"wal_bytes", store.wal_bytes},
                                  {"rss", resident_bytes()}};
  if (const auto tokens = keys_->figures()) {
    all.push_back({"hsm_signatures", tokens->signatures});
    all.push_back({"hsm_failures", tokens->failures});
    all.push_back({"hsm_reconnections", tokens->reconnections});
    all.push_back({"hsm_sessions", tokens->sessions});
    all.push_back({"hsm_waiting", tokens->waiting});
  }
  if (config().upstream.configured()) append_outbox(all, "outbox", core::OutboxChannel::upstream);
  if (config().hooks.configured()) append_outbox(all, "hooks", core::OutboxChannel::events);
  return all;
}

std::vector<std::string> Site::obstacles() const {
  std::vector<std::string> found;
  if (auto doubt = clock_guard_->suspicion()) found.push_back(*doubt);
  for (std::string& trouble : keys_->troubles()) found.push_back(std::move(trouble));
  const auto trust = trust_->current();
  const Instant now = clock_.now();
  if (!trust->root) found.push_back("no root certificate is installed");
  const auto& authorities = trust->device_authorities;
  const bool usable = std::any_of(authorities.begin(), authorities.end(), [&](const auto& ca) { return !core::why_not_issuing(ca, now); });
  if (usable) return found;
  if (authorities.empty()) found.emplace_back("no device CA is installed");
  for (const auto& authority : authorities) found.push_back(*core::why_not_issuing(authority, now));
  return found;
}

}  // namespace birthmark::app
