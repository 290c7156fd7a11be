// SPDX-License-Identifier: Apache-2.0
#include "app/site.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "crypto/pki/key_shelf.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

thread_local std::string forwarded_actor;

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

Result<std::unique_ptr<Site>> Site::open(const std::filesystem::path& directory) {
  BIRTHMARK_TRY(Config config, load_config(directory));
  return open(directory, std::move(config));
}

Result<std::unique_ptr<Site>> Site::open(const std::filesystem::path& directory, Config config) {
  std::unique_ptr<Site> site(new Site(directory));
  site->config_ = std::move(config);
  BIRTHMARK_TRY(site->lock_, lock_file(directory / "lock"));
  BIRTHMARK_CHECK(site->open_parts());
  return site;
}

Status Site::open_parts() {
  BIRTHMARK_TRY(codec_, crypto::make_x509_codec({.allow_rsa = config_.allow_rsa}));
  random_ = crypto::make_system_random();
  store::SqliteOptions options;
  options.path = directory_ / "birthmark.db";
  BIRTHMARK_TRY(registry_, store::SqliteRegistry::open(options, *codec_));
  BIRTHMARK_TRY(auto audit_key, crypto::PrivateKey::load(directory_ / "keys" / "audit.key"));
  audit_head_ = std::make_unique<AuditHeadFile>(directory_ / "audit.head", std::move(audit_key));
  BIRTHMARK_TRY(const auto mark, registry_->clock_mark());
  clock_guard_ = std::make_unique<core::ClockGuard>(clock_, config_.clock, mark);
  trust_ = std::make_unique<core::TrustStore>(*registry_, *codec_, config_.factory);
  online_trust_ = std::make_unique<core::TrustStore>(*registry_, *codec_, config_.factory);
  BIRTHMARK_CHECK(reload());
  token_cache_ = std::make_unique<core::TokenCache>(registry_->tokens(), *registry_, *codec_, config_.factory);
  gate_ = std::make_unique<core::Gate>(config_.admission, *token_cache_, clock_);
  enroller_ = std::make_unique<core::Enroller>(*codec_, *registry_, *trust_, *clock_guard_, *random_, effective_rules(config_),
                                               &registry_->orders());
  online_enroller_ = std::make_unique<core::Enroller>(*codec_, *registry_, *online_trust_, *clock_guard_, *random_,
                                                      effective_rules(config_), &registry_->orders());
  device_gate_ = std::make_unique<core::DeviceGate>(*codec_, *registry_, registry_->key_changes(), registry_->field(), *trust_,
                                                    *clock_guard_, *random_, config_.gateway);
  core::RegistrationRules renewal = config_.rules;
  renewal.certificate_validity = config_.est_validity;
  renewer_ = std::make_unique<core::Renewer>(*codec_, *registry_, registry_->key_changes(), *trust_, *clock_guard_, *random_, renewal);
  contacts_ = std::make_unique<core::ContactBook>(registry_->field());
  return {};
}

Site::~Site() {
  if (registry_ && audit_head_) housekeep();
}

Status Site::start_outside() {
  if (!config_.upstream.configured() && !config_.hooks.configured()) return {};
  const OutsideLines::Parts parts{*registry_, registry_->outbox(), *codec_, clock_, *random_};
  BIRTHMARK_TRY(outside_, OutsideLines::make(directory_, config_.upstream, config_.hooks, parts));
  enroller_->set_outbox_desk(outside_->desk());
  online_enroller_->set_outbox_desk(outside_->desk());
  return outside_->start();
}

void Site::stop_outside() {
  if (outside_) outside_->stop();
}

cli::UpstreamView Site::upstream() const {
  cli::UpstreamView view;
  view.url = config_.upstream.url;
  view.mode = config_.upstream.mode == UpstreamMode::wait ? "wait" : "queue";
  const auto figures = outside_ ? outside_->upstream_figures() : std::nullopt;
  view.delivers = figures.has_value();
  view.figures = figures.value_or(core::CourierFigures{});
  return view;
}

cli::UpstreamView Site::hooks() const {
  cli::UpstreamView view;
  view.url = config_.hooks.url;
  view.mode = "queue";
  const auto figures = outside_ ? outside_->hook_figures() : std::nullopt;
  view.delivers = figures.has_value();
  view.figures = figures.value_or(core::CourierFigures{});
  return view;
}

void Site::housekeep() {
  if (contacts_) contacts_->flush();
  const std::lock_guard lock(audit_head_mutex_);
  note_clock();
  const auto head = registry_->audit_head();
  // A chain that lost what was signed must not get a new head: that would destroy the evidence.
  Status written = head ? audit_head_->check(*registry_) : Status(fail(ErrorCode::unavailable, head.error().describe()));
  if (written) written = audit_head_->write(*head, clock_.now());
  if (!written) log::error("audit head not written", {{"error", written.error().describe()}});
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

Result<std::vector<std::shared_ptr<core::Signer>>> Site::load_signers() const {
  std::vector<std::shared_ptr<core::Signer>> signers;
  bool online_added = false;
  for (const std::string& path : config_.issuer_keys) {
    // Unless the file names its keys, the online CA is whichever came last by the factory API.
    const bool online = crypto::has_purpose(std::filesystem::path(path).filename().string(), crypto::KeyPurpose::online_ca);
    if (online && !config_.issuer_keys_required) {
      if (std::exchange(online_added, true)) continue;
      BIRTHMARK_TRY(auto found, load_online_signers());
      std::move(found.begin(), found.end(), std::back_inserter(signers));
      continue;
    }
    auto key = crypto::PrivateKey::load(directory_ / path);
    if (!key && key.error().code == ErrorCode::not_found && !config_.issuer_keys_required) continue;
    if (!key) return forward_error(key);
    signers.push_back(crypto::make_file_signer(std::move(*key)));
  }
  return signers;
}

// The one whose certificate came last is first: it replaces its predecessors for issuing (protocol facts, Foundries 1.7).
Result<std::vector<std::shared_ptr<core::Signer>>> Site::load_online_signers() const {
  BIRTHMARK_TRY(const auto authorities, registry_->authorities());
  const crypto::KeyShelf shelf(directory_ / "keys");
  std::vector<std::pair<core::RowId, std::shared_ptr<core::Signer>>> found;
  for (const crypto::HeldKey& held : shelf.held()) {
    if (!crypto::has_purpose(held.file_name, crypto::KeyPurpose::online_ca)) continue;
    core::RowId newest = 0;
    for (const core::AuthorityRecord& record : authorities) {
      if (record.role != core::AuthorityRole::device_ca || record.factory != config_.factory) continue;
      const auto facts = codec_->read_certificate(record.der);
      if (facts && facts->spki_sha256 == held.spki) newest = std::max(newest, record.row);
    }
    BIRTHMARK_TRY(auto key, shelf.load(held.file_name));
    found.emplace_back(newest, crypto::make_file_signer(std::move(key)));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::shared_ptr<core::Signer>> signers;
  for (auto& [row, signer] : found) signers.push_back(std::move(signer));
  return signers;
}

Status Site::reload() {
  BIRTHMARK_TRY(auto signers, load_signers());
  BIRTHMARK_TRY(auto online, load_online_signers());
  BIRTHMARK_CHECK(trust_->reload(std::move(signers)));
  BIRTHMARK_CHECK(online_trust_->reload(std::move(online)));
  const std::lock_guard lock(follower_mutex_);
  return follower_ ? follower_() : Status();
}

void Site::when_reloaded(std::function<Status()> follower) {
  const std::lock_guard lock(follower_mutex_);
  follower_ = std::move(follower);
}

std::vector<std::pair<std::string, SpkiHash>> Site::held_keys() const {
  std::vector<std::pair<std::string, SpkiHash>> held;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "keys", failure)) {
    if (entry.path().extension() != ".key") continue;
    if (auto key = crypto::PrivateKey::load(entry.path())) held.emplace_back(entry.path().filename().string(), key->spki_sha256());
  }
  return held;
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
  if (config_.upstream.configured()) append_outbox(all, "outbox", core::OutboxChannel::upstream);
  if (config_.hooks.configured()) append_outbox(all, "hooks", core::OutboxChannel::events);
  return all;
}

std::vector<std::string> Site::obstacles() const {
  std::vector<std::string> found;
  if (auto doubt = clock_guard_->suspicion()) found.push_back(*doubt);
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
