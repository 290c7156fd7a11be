// SPDX-License-Identifier: Apache-2.0
// The writer's side of the database: what each writing call of the Registry port means as reads, checks and writes inside one open
// transaction. Used by the group commit's thread alone; knows nothing of queues, callers or fsync.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/ports/api_access.h"
#include "core/ports/device_directory.h"
#include "core/ports/field_log.h"
#include "core/ports/gateways.h"
#include "core/ports/intake.h"
#include "core/ports/key_changes.h"
#include "core/ports/nodes.h"
#include "core/ports/orders.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"
#include "core/ports/site_certificates.h"
#include "core/ports/tokens.h"
#include "core/ports/x509_codec.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/identity_filter.h"

namespace birthmark::store {

// What the registry answers from memory, and what every transaction carries forward.
struct Figures {
  std::uint64_t trust_epoch = 0;
  std::optional<Instant> clock_mark;
  core::RegistryTotals totals;
  core::AuditHead audit_head;
};

using FactoryRows = std::map<std::string, std::int64_t, std::less<>>;

// A change to the database and the state in memory that goes with it. A call that answers an error without `storage_failure()` has
// written nothing; after a storage failure the transaction (or its savepoint) must be rolled back and restore() called.
class Ledger {
 public:
  struct State {
    Figures figures;
    FactoryRows factories;
    std::map<core::RowId, Serial> authorities;  // each with its largest serial, which most new ones exceed
    core::RowId last_certificate = 0;
  };

  // Reads the state of the database as it is. `filter` learns every identity that is made.
  [[nodiscard]] static Result<Ledger> load(Connection connection, const core::X509Codec& codec, IdentityFilter& filter);

  // `release_body` not empty: core/ports/comebacks.h.
  [[nodiscard]] Result<core::RecordOutcome> record(const core::IssuanceRecord& issuance, const core::Preconditions& expected,
                                                   const std::string& release_body = {});
  [[nodiscard]] Result<core::DeviceRecord> deny(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body);
  [[nodiscard]] Result<core::DeviceRecord> remove(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body);
  [[nodiscard]] Result<core::DeviceRecord> change(const core::DeviceIdentity& identity, const core::DeviceChange& change, Instant at,
                                                  const std::string& audit_body);
  [[nodiscard]] Result<core::DeviceRecord> allow(const core::DeviceIdentity& identity, Instant at, const std::string& audit_body);
  [[nodiscard]] Status apply(const core::TrustChange& change);
  [[nodiscard]] Status append_audit(const std::string& body);
  [[nodiscard]] Status accept_clock(Instant now, const std::string& audit_body);
  [[nodiscard]] Result<core::TokenRecord> add_token(const core::TokenRecord& token, const std::string& audit_body);
  [[nodiscard]] Result<core::TokenRecord> revoke_token(const std::string& id, Instant at, const std::string& audit_body);
  [[nodiscard]] Result<core::SiteCertificate> add_site_certificate(const core::SiteCertificate& certificate, const std::string& audit_body);
  [[nodiscard]] Result<std::uint64_t> revoke_site_certificates(const core::HolderCertificates& which, Instant at,
                                                               const std::string& audit_body);
  [[nodiscard]] Result<core::OrderRecord> create_order(const core::OrderRecord& order, const std::string& audit_body);
  [[nodiscard]] Result<core::OrderRecord> close_order(core::RowId order, const std::string& audit_body);
  [[nodiscard]] Result<core::RowId> begin_import(core::RowId order);
  [[nodiscard]] Result<std::vector<std::size_t>> add_entries(core::RowId import, const std::vector<core::OrderEntry>& entries);
  [[nodiscard]] Result<core::OrderRecord> finish_import(core::RowId import, const std::string& audit_body);
  [[nodiscard]] Result<bool> discard_import(core::RowId import, std::size_t limit);
  [[nodiscard]] Result<bool> release_unseen(const core::DeviceIdentity& identity, core::RowId certificate, const std::string& audit_body);
  [[nodiscard]] Result<core::FieldEntry> append_field(const core::FieldAppend& append);
  [[nodiscard]] Status note_contact(const core::Contact& contact);
  [[nodiscard]] Result<core::RecordOutcome> record_pending(const core::IssuanceRecord& issuance, const core::Preconditions& expected);
  [[nodiscard]] Result<core::RecordOutcome> promote(const core::DeviceIdentity& identity, const core::PendingKey& asked,
                                                    const core::Preconditions& expected, Instant at, const std::string& audit_body);
  // sqlite_nodes.cpp.
  [[nodiscard]] Result<core::OnboardingCertificate> put_onboarding(const core::OnboardingCertificate& certificate,
                                                                   const std::vector<std::string>& serials, core::SerialList list,
                                                                   const std::string& audit_body);
  [[nodiscard]] Result<core::OnboardingCertificate> revoke_onboarding(core::RowId certificate, Instant at, const std::string& audit_body);
  [[nodiscard]] Result<core::NodeConflict> record_node(const core::NodeDraft& draft, const core::Preconditions& expected);
  [[nodiscard]] Status put_knock(const core::Knock& knock);
  [[nodiscard]] Result<std::uint64_t> delete_knock(core::RowId row);

  [[nodiscard]] Status raise_delivery(core::RowId certificate, core::Delivery delivery);
  void raise_clock(Instant now);

  // The fleet's directory: ledger_directory.cpp.
  [[nodiscard]] Status set_owner(const core::DeviceIdentity& identity, const std::string& owner, const std::string& audit_body);
  [[nodiscard]] Status list_newcomers(std::size_t limit);
  [[nodiscard]] Result<core::DeviceGroup> add_group(const core::DeviceGroup& wanted, const std::string& audit_body);
  [[nodiscard]] Result<core::DeviceGroup> change_group(const core::DeviceGroup& group, const core::DeviceGroupChange& change,
                                                       const std::string& audit_body);
  [[nodiscard]] Status remove_group(const std::string& factory, const std::string& name, const std::string& audit_body);

  // Callers of the factory API: ledger_api_access.cpp.
  [[nodiscard]] Result<core::UserRecord> add_user(const core::UserRecord& user, const std::string& audit_body);
  [[nodiscard]] Status remove_user(const std::string& factory, const std::string& id, Instant at, const std::string& audit_body);
  [[nodiscard]] Status set_token_user(const std::string& token, const std::string& user_id);
  [[nodiscard]] Status note_token_use(const std::string& token, Instant at);
  [[nodiscard]] Result<core::ClientRecord> add_client(const core::ClientRecord& client, const std::string& audit_body);
  [[nodiscard]] Result<core::ClientRecord> revoke_client(const std::string& id, Instant at, const std::string& audit_body);
  [[nodiscard]] Status add_grants(const std::vector<core::GrantRecord>& grants, Instant now);
  [[nodiscard]] Status end_grant(const Sha256Digest& hash);
  [[nodiscard]] Status add_authorization(const core::AuthorizationRecord& asked, std::size_t most_of_address, std::size_t most);
  [[nodiscard]] Result<core::AuthorizationRecord> decide(const core::AuthorizationRecord& decided, Instant now,
                                                         const std::string& audit_body);
  [[nodiscard]] Status redeem(const Sha256Digest& device_code_hash, const core::GrantRecord& grant, std::uint32_t most,
                              const std::string& audit_body);

  // sqlite_intake.cpp.
  [[nodiscard]] Result<std::vector<core::ImportOutcome>> import(const std::vector<core::ImportedDevice>& devices);

  // Gateways: sqlite_gateways.cpp.
  [[nodiscard]] Result<bool> settle_gateway(const core::GatewaySettlement& settlement);
  [[nodiscard]] Result<std::vector<core::ImportOutcome>> import_gateways(const std::vector<core::ImportedGateway>& gateways);
  [[nodiscard]] Status annotate_gateway(const core::DeviceIdentity& identity, const core::GatewayNote& note, Instant at,
                                        const std::string& audit_body);

  // The outbox: ledger_outbox.cpp.
  [[nodiscard]] Status append_event(const std::string& audit_body, const core::OutboxDraft& draft, Instant at);
  [[nodiscard]] Result<std::uint64_t> recover_messages(core::OutboxChannel channel);
  [[nodiscard]] Result<std::vector<core::OutboxMessage>> claim_messages(core::OutboxChannel channel, Instant now, std::size_t limit);
  [[nodiscard]] Status settle_messages(const std::vector<core::OutboxSettlement>& settlements);
  [[nodiscard]] Result<std::uint64_t> operate_messages(const core::OutboxOrder& order);

  [[nodiscard]] Status begin();
  [[nodiscard]] Status commit();  // writes the figures, then commits
  void rollback();
  [[nodiscard]] Status savepoint();
  [[nodiscard]] Status release_savepoint();
  [[nodiscard]] Status rollback_to_savepoint();

  [[nodiscard]] const State& state() const { return state_; }
  void restore(State before) { state_ = std::move(before); }

  // The extended SQLite code of the failure since the last begin, savepoint or rollback; SQLITE_OK when there was none.
  [[nodiscard]] int storage_failure() const { return failure_code_; }
  [[nodiscard]] const Error& failure() const { return failure_; }
  [[nodiscard]] sqlite3* handle() const { return connection_.handle(); }

 private:
  // What stands in the tables for one identity.
  struct Standing {
    core::RowId identity = 0;  // 0: unknown
    core::DeviceStatus status = core::DeviceStatus::active;
    core::RowId credential = 0;  // current, or denied with its identity; 0: none
    std::optional<SpkiHash> key;
    core::RowId certificate = 0;  // the newest of that credential
    core::Delivery delivery = core::Delivery::untracked;
    std::optional<Instant> rekey_until;
  };

  // The key on its way of one identity.
  struct Pending {
    core::RowId credential = 0;  // 0: none
    core::RowId certificate = 0;
    std::optional<SpkiHash> key;
  };

  Ledger(Connection connection, const core::X509Codec& codec, IdentityFilter& filter)
      : connection_(std::move(connection)), codec_(&codec), filter_(&filter) {}

  [[nodiscard]] Result<std::optional<core::OnboardingCertificate>> onboarding(core::RowId certificate);
  [[nodiscard]] Result<core::RowId> write_onboarding(const core::OnboardingCertificate& certificate, std::int64_t factory,
                                                     core::RowId known);
  [[nodiscard]] Status write_node(const core::NodeDraft& draft, std::int64_t factory, core::RowId certificate);
  // Of a statement's first row; 0 when there is none.
  [[nodiscard]] Result<core::RowId> first_number(Statement& row);
  [[nodiscard]] Result<std::optional<core::FieldEntry>> newest_field(const core::FieldKey& key, std::int64_t factory);
  [[nodiscard]] Result<Pending> pending_of(core::RowId identity);
  [[nodiscard]] Result<std::optional<core::TokenRecord>> find_token(const std::string& id);
  [[nodiscard]] Result<std::optional<core::DeviceGroup>> find_group(const std::string& factory, const std::string& name);
  [[nodiscard]] Result<std::int64_t> count_group(const std::string& factory, const std::string& name, std::int64_t most);
  [[nodiscard]] Status move_group(const std::string& factory, const std::string& from, const std::string& to);
  [[nodiscard]] Result<std::optional<core::ClientRecord>> find_client(const std::string& id);
  [[nodiscard]] Status insert_grant(const core::GrantRecord& grant);
  [[nodiscard]] Status forget_expired(Instant now);
  // One text, or one octet string; the number of rows that it changed.
  [[nodiscard]] Result<std::int64_t> run_text(const char* sql, const std::string& text);
  [[nodiscard]] Result<std::int64_t> run_digest(const char* sql, const Sha256Digest& digest);
  struct Import {
    core::RowId order = 0;
    std::int64_t entries = 0;
  };
  [[nodiscard]] Result<std::optional<core::OrderRecord>> find_order(core::RowId order);
  [[nodiscard]] Result<std::optional<Import>> unfinished_import(core::RowId import);
  [[nodiscard]] Result<bool> insert_entry(core::RowId import, core::RowId order, const core::OrderEntry& entry);
  // Counts the identity into its order unless it has a place in one; false: the order takes no more.
  [[nodiscard]] Result<bool> take_place(core::RowId identity, core::RowId order, Instant at, bool& taken);
  [[nodiscard]] Result<core::RowId> claim_of(core::RowId identity);  // 0: none
  [[nodiscard]] Status set_claim(core::RowId identity, core::RowId order);
  // A statement with one or two whole numbers.
  [[nodiscard]] Status run_numbers(const char* sql, std::int64_t first);
  [[nodiscard]] Status run_numbers(const char* sql, std::int64_t first, std::int64_t second);
  [[nodiscard]] Status load_figures();
  [[nodiscard]] Status load_names();
  [[nodiscard]] Result<Standing> standing(const core::DeviceIdentity& identity);
  [[nodiscard]] Result<core::RecordConflict> check(const Standing& found, const core::IssuanceRecord& issuance,
                                                   const core::Preconditions& expected);
  [[nodiscard]] Result<bool> serial_taken(core::RowId issuer, const Serial& serial);
  [[nodiscard]] Result<core::RowId> write_identity(const Standing& found, const core::IssuanceRecord& issuance);
  [[nodiscard]] Result<core::RowId> write_credential(const Standing& found, core::RowId identity, const SpkiHash& key,
                                                     core::RowId certificate);
  [[nodiscard]] Status write_certificate(core::RowId certificate, core::RowId credential, const core::IssuanceRecord& issuance);
  struct GatewayRow {
    core::RowId identity = 0;
    core::RowId certificate = 0;
    core::GatewayState state = core::GatewayState::issued;
    Instant at;
    const core::GatewayDraft& draft;
    std::string enrollment_id;
  };
  [[nodiscard]] Result<core::RowId> write_gateway(const GatewayRow& gateway);
  [[nodiscard]] Status supersede_gateways(core::RowId identity, core::RowId but);
  [[nodiscard]] Status free_identity(const Standing& found);
  [[nodiscard]] Result<core::ImportOutcome> import_one(const core::ImportedDevice& device);
  [[nodiscard]] Status write_messages(core::RowId identity, core::RowId certificate, const core::IssuanceRecord& issuance);
  [[nodiscard]] Result<bool> upstream_may_know(core::RowId identity);
  [[nodiscard]] Status supersede_messages(core::RowId identity);
  [[nodiscard]] Status insert_denied(const core::DeviceIdentity& identity, Instant at);
  [[nodiscard]] Status release_denied(const Standing& found, const std::string& audit_body);
  [[nodiscard]] static Standing released(const Standing& found);
  [[nodiscard]] Status set_status(core::RowId identity, core::DeviceStatus status, bool deleted = false);
  [[nodiscard]] Status deny_known(const Standing& found, bool deleted);
  [[nodiscard]] Status write_change(core::RowId identity, const core::DeviceChange& change);
  [[nodiscard]] Status set_credential(core::RowId credential, core::CredentialState state);
  [[nodiscard]] Status write_authority(const core::AuthorityRecord& authority);
  [[nodiscard]] Result<std::int64_t> factory_row(const std::string& name);
  [[nodiscard]] Result<core::DeviceRecord> device(const core::DeviceIdentity& identity);

  [[nodiscard]] Result<Statement*> prepared(const char* sql);
  void remember_failure(int code, const Error& error);
  [[nodiscard]] Result<bool> step(Statement& statement);
  [[nodiscard]] Status run(Statement& statement);
  [[nodiscard]] Status run(const char* sql);

  Connection connection_;
  const core::X509Codec* codec_;
  IdentityFilter* filter_;
  State state_;
  int failure_code_ = SQLITE_OK;
  Error failure_;
};

}  // namespace birthmark::store
