// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_registry.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/text.h"
#include "core/ports/comebacks.h"
#include "store/memory/memory_orders.h"
#include "store/memory/memory_outbox.h"
#include "store/registry_rules.h"

namespace birthmark::store {
namespace {

using core::DeviceStatus;
using core::RecordConflict;
using core::RowId;

// One lock around everything: each call is one transaction because nobody else is inside.
class RegistryInMemory final : public MemoryRegistry, public core::Comebacks {
 public:
  explicit RegistryInMemory(const core::X509Codec& codec) : codec_(codec) {}

  Result<std::optional<core::DeviceRecord>> find(const core::DeviceIdentity& identity) override;
  Task<Result<core::RecordOutcome>> record(core::IssuanceRecord issuance, core::Preconditions preconditions) override {
    co_return record_now(std::move(issuance), preconditions, {});
  }
  Task<Result<core::RecordOutcome>> record_released(core::IssuanceRecord issuance, core::Preconditions preconditions,
                                                    std::string release_body) override {
    co_return record_now(std::move(issuance), preconditions, release_body);
  }
  void expect_records(int) override {}
  void note_delivery(RowId certificate, core::Delivery delivery) override;
  Task<Result<core::DeviceRecord>> deny(core::DeviceIdentity identity, Instant at, std::string audit_body) override {
    co_return deny_now(identity, at, std::move(audit_body));
  }
  Task<Result<core::DeviceRecord>> allow(core::DeviceIdentity identity, Instant at, std::string audit_body) override {
    co_return allow_now(identity, at, std::move(audit_body));
  }
  Task<Result<core::DeviceRecord>> remove(core::DeviceIdentity identity, Instant at, std::string audit_body) override {
    co_return remove_now(identity, at, std::move(audit_body));
  }
  Task<Result<core::DeviceRecord>> change(core::DeviceIdentity identity, core::DeviceChange change, Instant at,
                                          std::string audit_body) override {
    co_return change_now(identity, std::move(change), at, std::move(audit_body));
  }
  Result<std::vector<core::DeviceSummary>> list(const core::DeviceFilter& filter, RowId after, std::size_t limit) override;
  Result<core::RegistryTotals> totals() override;

  Result<std::vector<core::AuthorityRecord>> authorities() override;
  Result<std::uint64_t> trust_epoch() override;
  Task<Status> apply(core::TrustChange change) override { co_return apply_now(std::move(change)); }

  Task<Status> append_audit(std::string body) override {
    const std::lock_guard held(mutex_);
    append_audit_now(std::move(body));
    co_return Status{};
  }
  Result<core::AuditHead> audit_head() override;
  Result<std::vector<core::AuditRecord>> audit_records(std::uint64_t after_sequence, std::size_t limit) override;

  Result<std::optional<Instant>> clock_mark() override;
  Task<Status> accept_clock(Instant now, std::string audit_body) override {
    const std::lock_guard held(mutex_);
    append_audit_now(std::move(audit_body));
    clock_mark_ = now;
    co_return Status{};
  }
  void note_clock(Instant now) override;

  Task<Result<core::TokenRecord>> add_token(core::TokenRecord token, std::string audit_body) override {
    co_return add_token_now(std::move(token), std::move(audit_body));
  }
  Task<Result<core::TokenRecord>> revoke_token(std::string id, Instant at, std::string audit_body) override {
    co_return revoke_token_now(id, at, std::move(audit_body));
  }
  Result<std::vector<core::TokenRecord>> tokens() override;
  Task<Result<core::SiteCertificate>> add_certificate(core::SiteCertificate certificate, std::string audit_body) override {
    co_return add_certificate_now(std::move(certificate), std::move(audit_body));
  }
  Task<Result<std::uint64_t>> revoke_certificates(core::HolderCertificates which, Instant at, std::string audit_body) override {
    co_return revoke_certificates_now(which, at, std::move(audit_body));
  }
  Result<std::vector<core::SiteCertificate>> site_certificates() override;

  Task<Result<std::vector<core::ImportOutcome>>> import_devices(std::vector<core::ImportedDevice> devices) override {
    co_return import_now(std::move(devices));
  }

  Task<Result<std::uint64_t>> recover(core::OutboxChannel channel) override {
    const std::lock_guard held(mutex_);
    co_return outbox_.recover(channel);
  }
  Result<std::optional<Instant>> next_due(core::OutboxChannel channel) override {
    const std::lock_guard held(mutex_);
    return outbox_.next_due(channel);
  }
  Task<Result<std::vector<core::OutboxMessage>>> claim(core::OutboxChannel channel, Instant now, std::size_t limit) override {
    const std::lock_guard held(mutex_);
    co_return outbox_.claim(channel, now, limit);
  }
  Task<Status> settle(std::vector<core::OutboxSettlement> settlements) override {
    const std::lock_guard held(mutex_);
    outbox_.settle(settlements);
    co_return Status{};
  }
  Task<Status> append_event(std::string audit_body, core::OutboxDraft draft, Instant at) override {
    const std::lock_guard held(mutex_);
    core::IssuanceRecord nobody;
    nobody.issued_at = at;
    outbox_.add(std::move(draft), nobody, 0);
    append_audit_now(std::move(audit_body));
    co_return Status{};
  }
  Result<std::optional<core::OutboxEntry>> find_message(core::OutboxChannel channel, RowId certificate) override {
    const std::lock_guard held(mutex_);
    return outbox_.find(channel, certificate);
  }
  Result<core::OutboxTotals> outbox_totals(core::OutboxChannel channel) override {
    const std::lock_guard held(mutex_);
    return outbox_.totals(channel);
  }
  Result<std::vector<core::OutboxEntry>> messages(core::OutboxChannel channel, core::OutboxState state, RowId after,
                                                  std::size_t limit) override {
    const std::lock_guard held(mutex_);
    return outbox_.list(channel, state, after, limit);
  }
  Task<Result<std::uint64_t>> operate(core::OutboxOrder order) override {
    const std::lock_guard held(mutex_);
    const std::uint64_t moved = outbox_.operate(order);
    if (moved > 0) append_audit_now(std::move(order.audit_body));
    co_return moved;
  }

  Task<Result<core::OrderRecord>> create_order(core::OrderRecord order, std::string audit_body) override {
    const std::lock_guard held(mutex_);
    auto made = orders_.create(std::move(order));
    if (made && !audit_body.empty()) append_audit_now(std::move(audit_body));
    co_return made;
  }
  Task<Result<core::OrderRecord>> close_order(RowId order, std::string audit_body) override {
    const std::lock_guard held(mutex_);
    bool changed = false;
    auto closed = orders_.close(order, changed);
    if (changed) append_audit_now(std::move(audit_body));
    co_return closed;
  }
  Result<std::vector<core::OrderRecord>> orders() override {
    const std::lock_guard held(mutex_);
    return orders_.all();
  }
  Result<core::OrderView> view(const core::DeviceIdentity& identity) override {
    const std::lock_guard held(mutex_);
    return orders_.view(identity);
  }
  Task<Result<RowId>> begin_import(RowId order) override {
    const std::lock_guard held(mutex_);
    co_return orders_.begin_import(order);
  }
  Task<Result<std::vector<std::size_t>>> add_entries(RowId import, std::vector<core::OrderEntry> entries) override {
    const std::lock_guard held(mutex_);
    co_return orders_.add_entries(import, entries);
  }
  Task<Result<core::OrderRecord>> finish_import(RowId import, std::string audit_body) override {
    const std::lock_guard held(mutex_);
    auto order = orders_.finish_import(import);
    if (order) append_audit_now(std::move(audit_body));
    co_return order;
  }
  Task<Result<bool>> discard_import(RowId import, std::size_t limit) override {
    const std::lock_guard held(mutex_);
    co_return orders_.discard_import(import, limit);
  }
  Result<std::vector<RowId>> unfinished_imports(RowId order) override {
    const std::lock_guard held(mutex_);
    return orders_.unfinished_imports(order);
  }
  Result<std::vector<core::UnseenDevice>> unseen(Instant before, const std::string& station, RowId after, std::size_t limit) override;
  Task<Result<bool>> release_unseen(core::DeviceIdentity identity, RowId certificate, std::string audit_body) override {
    co_return release_unseen_now(identity, certificate, std::move(audit_body));
  }

  Task<Result<core::FieldEntry>> append(core::FieldAppend append) override { co_return append_now(append); }
  void note(core::FieldAppend append) override { static_cast<void>(append_now(append)); }
  void note_contacts(std::vector<core::Contact> contacts) override;
  Result<std::vector<core::FieldEntry>> newest(const core::FieldKey& key, std::size_t limit) override;
  Result<std::vector<std::string>> kinds(const std::string& factory, const std::string& owner, const std::string& prefix,
                                         std::size_t limit) override;
  std::uint64_t generation() const override {
    const std::lock_guard held(mutex_);
    return generation_;
  }

  Task<Result<core::RecordOutcome>> record_pending(core::IssuanceRecord issuance, core::Preconditions preconditions) override {
    co_return record_pending_now(std::move(issuance), preconditions);
  }
  Task<Result<core::RecordOutcome>> promote(core::DeviceIdentity identity, core::PendingKey pending, core::Preconditions preconditions,
                                            Instant at, std::string audit_body) override {
    co_return promote_now(identity, pending, preconditions, at, std::move(audit_body));
  }
  Result<std::optional<core::PendingKey>> pending_key(const core::DeviceIdentity& identity) override;

 private:
  [[nodiscard]] Result<bool> release_unseen_now(const core::DeviceIdentity& identity, RowId certificate, std::string audit_body);
  [[nodiscard]] Result<core::RecordOutcome> record_now(core::IssuanceRecord issuance, const core::Preconditions& expected,
                                                       const std::string& release_body);
  [[nodiscard]] Result<core::DeviceRecord> deny_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body);
  [[nodiscard]] Result<core::DeviceRecord> allow_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body);
  [[nodiscard]] Result<core::DeviceRecord> remove_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body);
  [[nodiscard]] Result<core::DeviceRecord> change_now(const core::DeviceIdentity& identity, core::DeviceChange change, Instant at,
                                                      std::string audit_body);
  [[nodiscard]] Status apply_now(core::TrustChange change);
  [[nodiscard]] Result<std::vector<core::ImportOutcome>> import_now(std::vector<core::ImportedDevice> devices);
  [[nodiscard]] RecordConflict check(const core::IssuanceRecord& issuance, const core::Preconditions& expected,
                                     const std::string& release_body) const;
  [[nodiscard]] core::CertificateRecord keep_certificate(core::IssuanceRecord& issuance, RowId owner);
  [[nodiscard]] Result<core::FieldEntry> append_now(const core::FieldAppend& append);
  [[nodiscard]] Result<core::RecordOutcome> record_pending_now(core::IssuanceRecord issuance, const core::Preconditions& expected);
  [[nodiscard]] Result<core::RecordOutcome> promote_now(const core::DeviceIdentity& identity, const core::PendingKey& asked,
                                                        const core::Preconditions& expected, Instant at, std::string audit_body);
  [[nodiscard]] RegistryView view_of(const core::DeviceIdentity& identity, Instant at) const;
  [[nodiscard]] Result<core::TokenRecord> add_token_now(core::TokenRecord token, std::string audit_body);
  [[nodiscard]] Result<core::TokenRecord> revoke_token_now(const std::string& id, Instant at, std::string audit_body);
  [[nodiscard]] Result<core::SiteCertificate> add_certificate_now(core::SiteCertificate certificate, std::string audit_body);
  [[nodiscard]] Result<std::uint64_t> revoke_certificates_now(const core::HolderCertificates& which, Instant at, std::string audit_body);
  core::DeviceRecord& make(const core::DeviceIdentity& identity, Instant at);
  void release(core::DeviceRecord& device);
  void release_denied(core::DeviceRecord& device, std::string audit_body);
  void append_audit_now(std::string body);
  void raise_clock(Instant now);

  const core::X509Codec& codec_;
  mutable std::mutex mutex_;
  std::map<core::DeviceIdentity, RowId> rows_;
  std::vector<core::DeviceRecord> devices_;  // row N is at N - 1
  std::vector<RowId> certificate_owners_;    // likewise; the device's row
  std::set<std::pair<RowId, Bytes>> serials_;
  std::vector<core::AuthorityRecord> authorities_;
  std::vector<core::AuditRecord> audit_;
  std::vector<core::TokenRecord> tokens_;
  std::vector<core::SiteCertificate> site_certificates_;
  MemoryOutbox outbox_;
  MemoryOrders orders_;
  std::map<RowId, core::PendingKey> pending_;  // by the device's row
  std::map<core::FieldKey, std::vector<core::FieldEntry>> field_;
  RowId last_field_ = 0;
  std::uint64_t generation_ = 1;
  std::optional<Instant> clock_mark_;
  std::uint64_t trust_epoch_ = 0;
  std::uint64_t denied_ = 0;
};

// --- devices -----------------------------------------------------------------------------------------------------------------------

Result<std::optional<core::DeviceRecord>> RegistryInMemory::find(const core::DeviceIdentity& identity) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return std::nullopt;
  return devices_[static_cast<std::size_t>(known->second) - 1];
}

RegistryView RegistryInMemory::view_of(const core::DeviceIdentity& identity, Instant at) const {
  RegistryView view;
  view.trust_epoch = trust_epoch_;
  const auto known = rows_.find(identity);
  if (known != rows_.end()) {
    const core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
    view.denied = device.status == DeviceStatus::denied;
    view.current_key = device.current_key;
    if (device.certificate) {
      view.newest_certificate = device.certificate->row;
      view.delivery = device.certificate->delivery;
    }
    view.rekey_allowed = device.rekey_until && *device.rekey_until >= at;
  }
  return view;
}

RecordConflict RegistryInMemory::check(const core::IssuanceRecord& issuance, const core::Preconditions& expected,
                                       const std::string& release_body) const {
  RegistryView view = view_of(issuance.identity, issuance.issued_at);
  if (view.denied && !release_body.empty()) {
    view = RegistryView();  // as it stands once it is released
    view.trust_epoch = trust_epoch_;
  }
  const RecordConflict conflict = check_preconditions(view, expected);
  if (conflict != RecordConflict::none) return conflict;
  if (expected.unseen_certificate && outbox_.upstream_may_know(issuance.identity)) return RecordConflict::upstream_has_key;
  const bool taken = serials_.contains({issuance.issuer, to_bytes(issuance.serial.magnitude())});
  return taken ? RecordConflict::serial_taken : RecordConflict::none;
}

Result<core::RecordOutcome> RegistryInMemory::record_now(core::IssuanceRecord issuance, const core::Preconditions& expected,
                                                         const std::string& release_body) {
  BIRTHMARK_CHECK(check_identity(issuance.identity));
  const std::lock_guard held(mutex_);
  const bool known_issuer = issuance.issuer >= 1 && static_cast<std::size_t>(issuance.issuer) <= authorities_.size();
  if (!known_issuer) return unknown_issuer(issuance.issuer);
  const RecordConflict conflict = check(issuance, expected, release_body);
  if (conflict != RecordConflict::none) return core::RecordOutcome{conflict, 0};
  if (const auto known = rows_.find(issuance.identity); known != rows_.end() && !release_body.empty()) {
    core::DeviceRecord& denied = devices_[static_cast<std::size_t>(known->second) - 1];
    if (denied.status == DeviceStatus::denied) release_denied(denied, release_body);
  }
  if (expected.order && !orders_.take_place(issuance.identity, *expected.order, issuance.issued_at))
    return core::RecordOutcome{RecordConflict::order_refused, 0};

  core::DeviceRecord& device = make(issuance.identity, issuance.issued_at);
  if (device.device_id == DeviceId{}) device.device_id = issuance.device_id;
  if (device.status != DeviceStatus::active || device.current_key == std::nullopt) device.group = std::move(issuance.group);
  device.status = DeviceStatus::active;
  device.rekey_until.reset();
  device.name = std::move(issuance.name);
  device.hardware_id = std::move(issuance.hardware_id);
  device.production = issuance.production;
  device.station = issuance.station;
  if (device.current_key && device.current_key != issuance.spki_sha256) {
    outbox_.supersede(device.identity);
    ++trust_epoch_;
  }
  if (device.current_key != issuance.spki_sha256) pending_.erase(device.row);
  device.current_key = issuance.spki_sha256;
  std::vector<core::OutboxDraft> drafts = std::move(issuance.outbox);
  device.certificate = keep_certificate(issuance, device.row);
  for (auto& draft : drafts) outbox_.add(std::move(draft), issuance, device.certificate->row);
  append_audit_now(std::move(issuance.audit_body));
  raise_clock(issuance.issued_at);
  return core::RecordOutcome{RecordConflict::none, device.certificate->row};
}

// What stands in the tables of an issued certificate.
core::CertificateRecord RegistryInMemory::keep_certificate(core::IssuanceRecord& issuance, RowId owner) {
  serials_.emplace(issuance.issuer, to_bytes(issuance.serial.magnitude()));
  certificate_owners_.push_back(owner);
  core::CertificateRecord certificate;
  certificate.row = static_cast<RowId>(certificate_owners_.size());
  certificate.issuer = issuance.issuer;
  certificate.serial = issuance.serial;
  certificate.not_before = issuance.not_before;
  certificate.not_after = issuance.not_after;
  certificate.issued_at = issuance.issued_at;
  certificate.delivery = issuance.delivery;
  certificate.station = std::move(issuance.station);
  certificate.der = std::move(issuance.certificate_der);
  certificate.only_fingerprint = issuance.only_fingerprint;
  return certificate;
}

// The device of that identity, made when it is unknown.
core::DeviceRecord& RegistryInMemory::make(const core::DeviceIdentity& identity, Instant at) {
  const auto [place, added] = rows_.try_emplace(identity, static_cast<RowId>(devices_.size()) + 1);
  if (added) {
    core::DeviceRecord device;
    device.row = place->second;
    device.identity = identity;
    device.created_at = at;
    devices_.push_back(std::move(device));
  }
  return devices_[static_cast<std::size_t>(place->second) - 1];
}

void RegistryInMemory::note_delivery(RowId certificate, core::Delivery delivery) {
  const std::lock_guard held(mutex_);
  if (certificate < 1 || static_cast<std::size_t>(certificate) > certificate_owners_.size()) return;
  const RowId owner = certificate_owners_[static_cast<std::size_t>(certificate) - 1];
  auto& newest = devices_[static_cast<std::size_t>(owner) - 1].certificate;
  // Only the newest certificate is asked about; older ones are not kept here.
  if (newest && newest->row == certificate) newest->delivery = std::max(newest->delivery, delivery);
}

Result<core::DeviceRecord> RegistryInMemory::deny_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body) {
  BIRTHMARK_CHECK(check_identity(identity));
  const std::lock_guard held(mutex_);
  core::DeviceRecord& device = make(identity, at);
  if (device.status != DeviceStatus::denied) {
    ++denied_;
    device.deleted = false;
    device.rekey_until.reset();
  }
  outbox_.supersede(device.identity);
  device.status = DeviceStatus::denied;
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  raise_clock(at);
  return device;
}

Result<core::DeviceRecord> RegistryInMemory::allow_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return unknown_device(identity);
  core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
  if (device.status != DeviceStatus::denied) return not_denied(identity);
  release_denied(device, std::move(audit_body));
  raise_clock(at);
  return device;
}

void RegistryInMemory::release_denied(core::DeviceRecord& device, std::string audit_body) {
  release(device);
  --denied_;
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
}

void RegistryInMemory::release(core::DeviceRecord& device) {
  outbox_.supersede(device.identity);
  device.status = DeviceStatus::released;
  device.deleted = false;
  device.rekey_until.reset();
  device.current_key.reset();
  device.certificate.reset();
}

Result<core::DeviceRecord> RegistryInMemory::remove_now(const core::DeviceIdentity& identity, Instant at, std::string audit_body) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return unknown_device(identity);
  core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
  if (device.status != DeviceStatus::denied) ++denied_;
  outbox_.supersede(device.identity);
  device.status = DeviceStatus::denied;
  device.deleted = true;
  device.rekey_until.reset();
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  raise_clock(at);
  return device;
}

Result<core::DeviceRecord> RegistryInMemory::change_now(const core::DeviceIdentity& identity, core::DeviceChange change, Instant at,
                                                        std::string audit_body) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return unknown_device(identity);
  core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
  const bool about_key = change.forget_key || change.rekey_until;
  if (about_key && device.status == DeviceStatus::denied) return is_denied(identity);
  if (about_key && !device.current_key) return has_no_key(identity);
  if (change.name) device.name = std::move(*change.name);
  if (change.group) device.group = std::move(*change.group);
  if (change.rekey_until) device.rekey_until = change.rekey_until;
  if (change.forget_key) release(device);
  append_audit_now(std::move(audit_body));
  if (about_key || change.group) ++trust_epoch_;
  raise_clock(at);
  return device;
}

Result<std::vector<core::ImportOutcome>> RegistryInMemory::import_now(std::vector<core::ImportedDevice> devices) {
  for (const core::ImportedDevice& device : devices) BIRTHMARK_CHECK(check_identity(device.identity));
  const std::lock_guard held(mutex_);
  std::vector<core::ImportOutcome> outcomes;
  for (core::ImportedDevice& device : devices) {
    const auto known = rows_.find(device.identity);
    const core::DeviceRecord* row = known == rows_.end() ? nullptr : &devices_[static_cast<std::size_t>(known->second) - 1];
    if (row != nullptr && row->status == DeviceStatus::denied) {
      outcomes.push_back(core::ImportOutcome::denied);
    } else if (row != nullptr && row->current_key) {
      outcomes.push_back(row->current_key == device.key ? core::ImportOutcome::known : core::ImportOutcome::another_key);
    } else {
      core::DeviceRecord& made = make(device.identity, device.at);
      if (made.device_id == DeviceId{}) made.device_id = device.device_id;
      made.status = DeviceStatus::active;
      made.name = device.identity.external_id;
      made.hardware_id.clear();
      made.production = false;
      made.station = std::move(device.source);
      made.current_key = device.key;
      append_audit_now(std::move(device.audit_body));
      raise_clock(device.at);
      outcomes.push_back(core::ImportOutcome::imported);
    }
  }
  return outcomes;
}

core::DeviceSummary summarise(const core::DeviceRecord& device) {
  core::DeviceSummary summary;
  summary.row = device.row;
  summary.identity = device.identity;
  summary.status = device.status;
  summary.name = device.name;
  summary.hardware_id = device.hardware_id;
  summary.production = device.production;
  summary.deleted = device.deleted;
  summary.group = device.group;
  summary.station = device.station;
  summary.created_at = device.created_at;
  summary.last_seen = device.last_seen;
  summary.current_key = device.current_key;
  if (device.certificate) {
    summary.serial = device.certificate->serial;
    summary.not_after = device.certificate->not_after;
  }
  return summary;
}

bool passes(const core::DeviceFilter& filter, const core::DeviceRecord& device) {
  const auto differs = [](const auto& wanted, const auto& found) { return wanted && *wanted != found; };
  if (differs(filter.status, device.status) || differs(filter.ecosystem, device.identity.ecosystem)) return false;
  if (!device.identity.external_id.starts_with(filter.id_prefix)) return false;
  if (differs(filter.production, device.production) || differs(filter.hardware_id, device.hardware_id)) return false;
  if (differs(filter.station, device.station) || differs(filter.group, device.group)) return false;
  if (filter.key && device.current_key != filter.key) return false;
  if (filter.serial && !(device.certificate && device.certificate->serial == *filter.serial)) return false;
  if (filter.created_from && device.created_at < *filter.created_from) return false;
  if (filter.created_before && device.created_at >= *filter.created_before) return false;
  if (filter.expires_before && !(device.certificate && device.certificate->not_after < *filter.expires_before)) return false;
  const std::string columns = device.name + '\n' + device.hardware_id + '\n' + device.station + '\n' + device.group;
  return to_lower(columns).find(to_lower(filter.text)) != std::string::npos;
}

Result<std::vector<core::DeviceSummary>> RegistryInMemory::list(const core::DeviceFilter& filter, RowId after, std::size_t limit) {
  const std::lock_guard held(mutex_);
  std::vector<core::DeviceSummary> page;
  for (auto row = static_cast<std::size_t>(std::max<RowId>(after, 0)); row < devices_.size() && page.size() < limit; ++row) {
    const core::DeviceRecord& device = devices_[row];
    if (filter.test && orders_.is_test(device.identity) != *filter.test) continue;
    if (passes(filter, device)) page.push_back(summarise(device));
  }
  return page;
}

Result<core::RegistryTotals> RegistryInMemory::totals() {
  const std::lock_guard held(mutex_);
  return core::RegistryTotals{devices_.size(), denied_, certificate_owners_.size()};
}

// --- trust -------------------------------------------------------------------------------------------------------------------------

Result<std::vector<core::AuthorityRecord>> RegistryInMemory::authorities() {
  const std::lock_guard held(mutex_);
  return authorities_;
}

Result<std::uint64_t> RegistryInMemory::trust_epoch() {
  const std::lock_guard held(mutex_);
  return trust_epoch_;
}

Status RegistryInMemory::apply_now(core::TrustChange change) {
  const std::lock_guard held(mutex_);
  for (const auto& authority : change.upserts)
    if (authority.row < 0 || static_cast<std::size_t>(authority.row) > authorities_.size()) return unknown_authority(authority.row);
  for (auto& authority : change.upserts) {
    if (authority.row == 0) {
      authority.row = static_cast<RowId>(authorities_.size()) + 1;
      authorities_.push_back(std::move(authority));
    } else {
      core::AuthorityRecord& known = authorities_[static_cast<std::size_t>(authority.row) - 1];
      known.state = authority.state;
      known.changed_at = authority.changed_at;
    }
  }
  for (auto& body : change.audit_bodies) append_audit_now(std::move(body));
  ++trust_epoch_;
  return {};
}

// --- the field ---------------------------------------------------------------------------------------------------------------------

Result<core::FieldEntry> RegistryInMemory::append_now(const core::FieldAppend& append) {
  const std::lock_guard held(mutex_);
  std::vector<core::FieldEntry>& log = field_[append.key];
  if (append.expected_newest && *append.expected_newest != (log.empty() ? 0 : log.back().row)) return field_changed(append.key);
  core::FieldEntry entry = log.empty() ? core::FieldEntry{} : log.back();
  for (const std::string& body : append.bodies) {
    entry.at = field_time(append, log.empty() ? std::nullopt : std::optional(log.back().at));
    entry.row = ++last_field_;
    entry.body = body;
    log.push_back(entry);
  }
  if (log.size() > append.keep) log.erase(log.begin(), log.end() - static_cast<std::ptrdiff_t>(append.keep));
  if (!append.audit_body.empty()) append_audit_now(append.audit_body);
  if (append.strictly_later) ++generation_;
  return entry;
}

void RegistryInMemory::note_contacts(std::vector<core::Contact> contacts) {
  const std::lock_guard held(mutex_);
  for (const core::Contact& contact : contacts) {
    if (contact.device < 1 || static_cast<std::size_t>(contact.device) > devices_.size()) continue;
    auto& seen = devices_[static_cast<std::size_t>(contact.device) - 1].last_seen;
    seen = seen ? std::max(*seen, contact.at) : contact.at;
  }
}

Result<std::vector<core::FieldEntry>> RegistryInMemory::newest(const core::FieldKey& key, std::size_t limit) {
  const std::lock_guard held(mutex_);
  const auto log = field_.find(key);
  if (log == field_.end()) return std::vector<core::FieldEntry>{};
  const std::size_t count = std::min(limit, log->second.size());
  return std::vector<core::FieldEntry>(log->second.rbegin(), log->second.rbegin() + static_cast<std::ptrdiff_t>(count));
}

Result<std::vector<std::string>> RegistryInMemory::kinds(const std::string& factory, const std::string& owner, const std::string& prefix,
                                                         std::size_t limit) {
  const std::lock_guard held(mutex_);
  std::vector<std::string> kinds;
  for (auto log = field_.lower_bound({factory, owner, prefix}); log != field_.end() && kinds.size() < limit; ++log) {
    if (log->first.factory != factory || log->first.owner != owner || !log->first.kind.starts_with(prefix)) break;
    kinds.push_back(log->first.kind);
  }
  return kinds;
}

Result<core::RecordOutcome> RegistryInMemory::record_pending_now(core::IssuanceRecord issuance, const core::Preconditions& expected) {
  BIRTHMARK_CHECK(check_identity(issuance.identity));
  const std::lock_guard held(mutex_);
  const bool known_issuer = issuance.issuer >= 1 && static_cast<std::size_t>(issuance.issuer) <= authorities_.size();
  if (!known_issuer) return unknown_issuer(issuance.issuer);
  const RecordConflict conflict = check(issuance, expected, {});
  if (conflict != RecordConflict::none) return core::RecordOutcome{conflict, 0};
  const auto known = rows_.find(issuance.identity);
  const RowId row = known == rows_.end() ? 0 : known->second;
  if (row == 0 || !devices_[static_cast<std::size_t>(row) - 1].current_key ||
      devices_[static_cast<std::size_t>(row) - 1].current_key == issuance.spki_sha256)
    return core::RecordOutcome{RecordConflict::identity_changed, 0};
  core::PendingKey& pending = pending_[row];
  pending.spki_sha256 = issuance.spki_sha256;
  pending.certificate = keep_certificate(issuance, row);
  append_audit_now(std::move(issuance.audit_body));
  raise_clock(issuance.issued_at);
  return core::RecordOutcome{RecordConflict::none, pending.certificate.row};
}

Result<core::RecordOutcome> RegistryInMemory::promote_now(const core::DeviceIdentity& identity, const core::PendingKey& asked,
                                                          const core::Preconditions& expected, Instant at, std::string audit_body) {
  const std::lock_guard held(mutex_);
  const RecordConflict conflict = check_preconditions(view_of(identity, at), expected);
  if (conflict != RecordConflict::none) return core::RecordOutcome{conflict, 0};
  const auto known = rows_.find(identity);
  const auto pending = known == rows_.end() ? pending_.end() : pending_.find(known->second);
  if (pending == pending_.end() || pending->second.spki_sha256 != asked.spki_sha256 ||
      pending->second.certificate.row != asked.certificate.row)
    return core::RecordOutcome{RecordConflict::identity_changed, 0};
  core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
  outbox_.supersede(device.identity);
  device.current_key = asked.spki_sha256;
  device.certificate = std::move(pending->second.certificate);
  device.certificate->delivery = core::Delivery::presented;
  pending_.erase(pending);
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  raise_clock(at);
  return core::RecordOutcome{RecordConflict::none, device.certificate->row};
}

Result<std::optional<core::PendingKey>> RegistryInMemory::pending_key(const core::DeviceIdentity& identity) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return std::nullopt;
  const auto pending = pending_.find(known->second);
  if (pending == pending_.end()) return std::nullopt;
  return pending->second;
}

// --- tokens ------------------------------------------------------------------------------------------------------------------------

Result<core::TokenRecord> RegistryInMemory::add_token_now(core::TokenRecord token, std::string audit_body) {
  const std::lock_guard held(mutex_);
  for (const auto& known : tokens_)
    if (known.id() == token.id()) return token_taken(token.id());
  tokens_.push_back(token);
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  return token;
}

Result<core::TokenRecord> RegistryInMemory::revoke_token_now(const std::string& id, Instant at, std::string audit_body) {
  const std::lock_guard held(mutex_);
  const auto known = std::find_if(tokens_.begin(), tokens_.end(), [&](const auto& token) { return token.id() == id; });
  if (known == tokens_.end()) return unknown_token(id);
  if (known->revoked_at) return *known;
  known->revoked_at = at;
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  return *known;
}

Result<std::vector<core::TokenRecord>> RegistryInMemory::tokens() {
  const std::lock_guard held(mutex_);
  return tokens_;
}

// --- certificates of stations and operators ---------------------------------------------------------------------------------------------

Result<core::SiteCertificate> RegistryInMemory::add_certificate_now(core::SiteCertificate certificate, std::string audit_body) {
  const std::lock_guard held(mutex_);
  for (const auto& known : site_certificates_)
    if (known.fingerprint == certificate.fingerprint) return certificate_taken(certificate.serial.hex());
  site_certificates_.push_back(certificate);
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  return certificate;
}

Result<std::uint64_t> RegistryInMemory::revoke_certificates_now(const core::HolderCertificates& which, Instant at, std::string audit_body) {
  const std::lock_guard held(mutex_);
  std::uint64_t revoked = 0;
  for (auto& known : site_certificates_) {
    const bool meant = known.factory == which.factory && known.role == which.role && known.holder == which.holder &&
                       (!which.serial || known.serial == *which.serial);
    if (!meant || known.revoked_at) continue;
    known.revoked_at = at;
    ++revoked;
  }
  if (revoked == 0) return revoked;
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  return revoked;
}

Result<std::vector<core::SiteCertificate>> RegistryInMemory::site_certificates() {
  const std::lock_guard held(mutex_);
  return site_certificates_;
}

// --- unseen devices ------------------------------------------------------------------------------------------------------------------

Result<std::vector<core::UnseenDevice>> RegistryInMemory::unseen(Instant before, const std::string& station, RowId after,
                                                                 std::size_t limit) {
  const std::lock_guard held(mutex_);
  std::vector<core::UnseenDevice> found;
  for (std::size_t row = static_cast<std::size_t>(after); row < certificate_owners_.size() && found.size() < limit; ++row) {
    const core::DeviceRecord& device = devices_[static_cast<std::size_t>(certificate_owners_[row]) - 1];
    const auto& newest = device.certificate;
    if (device.status != DeviceStatus::active || !newest || newest->row != static_cast<RowId>(row) + 1) continue;
    if (newest->delivery != core::Delivery::unanswered || newest->issued_at >= before) continue;
    if (!station.empty() && newest->station != station) continue;
    found.push_back({device.identity, newest->row, newest->station, newest->issued_at});
  }
  return found;
}

Result<bool> RegistryInMemory::release_unseen_now(const core::DeviceIdentity& identity, RowId certificate, std::string audit_body) {
  const std::lock_guard held(mutex_);
  const auto known = rows_.find(identity);
  if (known == rows_.end()) return false;
  core::DeviceRecord& device = devices_[static_cast<std::size_t>(known->second) - 1];
  const bool still_unseen = device.status == DeviceStatus::active && device.certificate && device.certificate->row == certificate &&
                            device.certificate->delivery == core::Delivery::unanswered;
  if (!still_unseen) return false;
  orders_.free_place(identity);
  outbox_.supersede(identity);
  device.status = DeviceStatus::released;
  device.current_key.reset();
  device.certificate.reset();
  append_audit_now(std::move(audit_body));
  ++trust_epoch_;
  return true;
}

// --- audit and clock ---------------------------------------------------------------------------------------------------------------

void RegistryInMemory::append_audit_now(std::string body) {
  core::AuditRecord record;
  record.sequence = audit_.size() + 1;
  const Sha256Digest previous = audit_.empty() ? Sha256Digest{} : audit_.back().hash;
  record.hash = core::audit_link(codec_, record.stream, record.sequence, previous, body);
  record.body = std::move(body);
  audit_.push_back(std::move(record));
}

Result<core::AuditHead> RegistryInMemory::audit_head() {
  const std::lock_guard held(mutex_);
  core::AuditHead head;
  head.count = audit_.size();
  if (!audit_.empty()) head.hash = audit_.back().hash;
  return head;
}

Result<std::vector<core::AuditRecord>> RegistryInMemory::audit_records(std::uint64_t after_sequence, std::size_t limit) {
  const std::lock_guard held(mutex_);
  std::vector<core::AuditRecord> page;
  for (std::uint64_t i = after_sequence; i < audit_.size() && page.size() < limit; ++i) page.push_back(audit_[i]);
  return page;
}

Result<std::optional<Instant>> RegistryInMemory::clock_mark() {
  const std::lock_guard held(mutex_);
  return clock_mark_;
}

void RegistryInMemory::note_clock(Instant now) {
  const std::lock_guard held(mutex_);
  raise_clock(now);
}

void RegistryInMemory::raise_clock(Instant now) {
  clock_mark_ = clock_mark_ ? std::max(*clock_mark_, now) : now;
}

}  // namespace

std::unique_ptr<MemoryRegistry> make_memory_registry(const core::X509Codec& codec) {
  return std::make_unique<RegistryInMemory>(codec);
}

}  // namespace birthmark::store
