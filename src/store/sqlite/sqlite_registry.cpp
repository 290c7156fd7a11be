// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_registry.h"

#include <fcntl.h>

#include <mutex>

#include "base/file.h"
#include "base/suspend.h"
#include "core/ports/comebacks.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/list_query.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/reader_pool.h"
#include "store/sqlite/registry_vfs.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/sqlite_api_access.h"
#include "store/sqlite/sqlite_directory.h"
#include "store/sqlite/sqlite_field.h"
#include "store/sqlite/sqlite_gateways.h"
#include "store/sqlite/sqlite_intake.h"
#include "store/sqlite/sqlite_nodes.h"
#include "store/sqlite/sqlite_orders.h"
#include "store/sqlite/sqlite_outbox.h"
#include "store/sqlite/sqlite_site_certificates.h"
#include "store/sqlite/sqlite_tokens.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

constexpr std::uint64_t kFrameBytes = 4096 + 24;  // a page of the log and its header

class SqliteRegistryOnDisk final : public SqliteRegistry, public core::Comebacks {
 public:
  explicit SqliteRegistryOnDisk(std::unique_ptr<RegistryVfs> vfs) : vfs_(std::move(vfs)) {}
  ~SqliteRegistryOnDisk() override;

  [[nodiscard]] Status start(const SqliteOptions& options, const core::X509Codec& codec);

  Result<std::optional<core::DeviceRecord>> find(const core::DeviceIdentity& identity) override;
  Task<Result<core::RecordOutcome>> record(core::IssuanceRecord issuance, core::Preconditions preconditions) override;
  Task<Result<core::RecordOutcome>> record_released(core::IssuanceRecord issuance, core::Preconditions preconditions,
                                                    std::string release_body) override;
  void expect_records(int change) override { writer_->expect(change); }
  void note_delivery(core::RowId certificate, core::Delivery delivery) override { writer_->note_delivery(certificate, delivery); }
  Task<Result<core::DeviceRecord>> deny(core::DeviceIdentity identity, Instant at, std::string audit_body) override;
  Task<Result<core::DeviceRecord>> allow(core::DeviceIdentity identity, Instant at, std::string audit_body) override;
  Task<Result<core::DeviceRecord>> remove(core::DeviceIdentity identity, Instant at, std::string audit_body) override;
  Task<Result<core::DeviceRecord>> change(core::DeviceIdentity identity, core::DeviceChange change, Instant at,
                                          std::string audit_body) override;
  Result<std::vector<core::DeviceSummary>> list(const core::DeviceFilter& filter, core::RowId after, std::size_t limit) override;
  Result<core::RegistryTotals> totals() override { return writer_->figures().totals; }

  Result<std::vector<core::AuthorityRecord>> authorities() override;
  Result<std::uint64_t> trust_epoch() override { return writer_->figures().trust_epoch; }
  Task<Status> apply(core::TrustChange change) override;

  Task<Status> append_audit(std::string body) override;
  Result<core::AuditHead> audit_head() override { return writer_->figures().audit_head; }
  Result<std::vector<core::AuditRecord>> audit_records(std::uint64_t after_sequence, std::size_t limit) override;

  Result<std::optional<Instant>> clock_mark() override { return writer_->figures().clock_mark; }
  Task<Status> accept_clock(Instant now, std::string audit_body) override;
  void note_clock(Instant now) override { writer_->note_clock(now); }

  SqliteStatistics statistics() const override;
  core::Tokens& tokens() override { return *tokens_; }
  core::SiteCertificates& site_certificates() override { return *site_certificates_; }
  core::Outbox& outbox() override { return *outbox_; }
  core::Intake& intake() override { return *intake_; }
  core::Orders& orders() override { return *orders_; }
  core::Gateways& gateways() override { return *gateways_; }
  core::FieldLog& field() override { return *field_; }
  core::KeyChanges& key_changes() override { return *field_; }
  core::Nodes& nodes() override { return *nodes_; }
  core::DeviceDirectory& directory() override { return *directory_; }
  core::ApiAccess& api_access() override { return *api_access_; }

 private:
  template <class T, class Work>
  Task<Result<T>> write(Work work);

  std::unique_ptr<RegistryVfs> vfs_;  // outlives every connection
  IdentityFilter filter_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<Connection> closer_;  // stays open to the end, then empties the log into the database
  std::unique_ptr<GroupCommit> writer_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::unique_ptr<SqliteTokens> tokens_;
  std::unique_ptr<SqliteSiteCertificates> site_certificates_;
  std::unique_ptr<SqliteOutbox> outbox_;
  std::unique_ptr<SqliteIntake> intake_;
  std::unique_ptr<SqliteOrders> orders_;
  std::unique_ptr<SqliteGateways> gateways_;
  std::unique_ptr<SqliteField> field_;
  std::unique_ptr<SqliteNodes> nodes_;
  std::unique_ptr<SqliteDirectory> directory_;
  std::unique_ptr<SqliteApiAccess> api_access_;
};

// SQLite would make the file with the process's umask; its log and index take over whatever mode the database has.
Status make_database_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.valid()) return sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  if (errno == EEXIST) return {};
  return fail(ErrorCode::misconfigured, "cannot make the registry database: " + describe_errno(errno), path.string());
}

// Without SQLite's global memory statistics, and the lock that every allocation of every connection takes for them.
void configure_sqlite_once() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });  // refused, harmlessly, when somebody was earlier
}

Status SqliteRegistryOnDisk::start(const SqliteOptions& options, const core::X509Codec& codec) {
  BIRTHMARK_CHECK(make_database_file(options.path));
  ConnectionOptions writing;
  writing.path = options.path.string();
  writing.vfs = vfs_->name();
  writing.synchronous = options.synchronous;
  writing.cache_bytes = options.cache_bytes / 2;
  ConnectionOptions reading = writing;
  reading.cache_bytes = options.cache_bytes / 2 / std::max(options.readers, 1U);
  ConnectionOptions copying = writing;
  copying.cache_bytes = 0;  // a checkpoint copies pages past the cache
  copying.busy_timeout_ms = 0;

  BIRTHMARK_TRY(auto connection, Connection::open(writing));
  BIRTHMARK_CHECK(migrate(connection));
  BIRTHMARK_TRY(auto ledger, Ledger::load(std::move(connection), codec, filter_));
  BIRTHMARK_TRY(readers_, ReaderPool::open(reading, options.readers));
  BIRTHMARK_TRY(auto closer, Connection::open(copying));
  closer_ = std::make_unique<Connection>(std::move(closer));
  BIRTHMARK_TRY(auto copier, Connection::open(copying));
  BIRTHMARK_TRY(auto learner, Connection::open(copying));
  const auto reopen = [this, writing, &codec]() -> Result<Ledger> {
    BIRTHMARK_TRY(auto fresh, Connection::open(writing));
    return Ledger::load(std::move(fresh), codec, filter_);
  };
  writer_ = std::make_unique<GroupCommit>(std::move(ledger), reopen);
  checkpointer_ = std::make_unique<Checkpointer>(std::move(copier), *writer_);
  tokens_ = std::make_unique<SqliteTokens>(*writer_, *readers_);
  site_certificates_ = std::make_unique<SqliteSiteCertificates>(*writer_, *readers_);
  outbox_ = std::make_unique<SqliteOutbox>(*writer_, *readers_);
  intake_ = std::make_unique<SqliteIntake>(*writer_);
  orders_ = std::make_unique<SqliteOrders>(*writer_, *readers_);
  gateways_ = std::make_unique<SqliteGateways>(*writer_, *readers_);
  field_ = std::make_unique<SqliteField>(*writer_, *readers_);
  nodes_ = std::make_unique<SqliteNodes>(*writer_, *readers_);
  directory_ = std::make_unique<SqliteDirectory>(*writer_, *readers_);
  api_access_ = std::make_unique<SqliteApiAccess>(*writer_, *readers_);
  filter_.learn(std::move(learner));
  return {};
}

SqliteRegistryOnDisk::~SqliteRegistryOnDisk() {
  checkpointer_.reset();
  writer_.reset();  // finishes what is queued
  filter_.stop();
  readers_.reset();
  if (closer_) sqlite3_wal_checkpoint_v2(closer_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

// --- writing -----------------------------------------------------------------------------------------------------------------------

template <class T, class Work>
Task<Result<T>> SqliteRegistryOnDisk::write(Work work) {
  return write_call<T>(*writer_, std::move(work));
}

Task<Result<core::RecordOutcome>> SqliteRegistryOnDisk::record(core::IssuanceRecord issuance, core::Preconditions preconditions) {
  return write<core::RecordOutcome>(
      [issuance = std::move(issuance), preconditions](Ledger& ledger) { return ledger.record(issuance, preconditions); });
}

Task<Result<core::RecordOutcome>> SqliteRegistryOnDisk::record_released(core::IssuanceRecord issuance, core::Preconditions preconditions,
                                                                        std::string release_body) {
  return write<core::RecordOutcome>([issuance = std::move(issuance), preconditions, release_body = std::move(release_body)](
                                        Ledger& ledger) { return ledger.record(issuance, preconditions, release_body); });
}

Task<Result<core::DeviceRecord>> SqliteRegistryOnDisk::deny(core::DeviceIdentity identity, Instant at, std::string audit_body) {
  return write<core::DeviceRecord>([identity = std::move(identity), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.deny(identity, at, audit_body);
  });
}

Task<Result<core::DeviceRecord>> SqliteRegistryOnDisk::allow(core::DeviceIdentity identity, Instant at, std::string audit_body) {
  return write<core::DeviceRecord>([identity = std::move(identity), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.allow(identity, at, audit_body);
  });
}

Task<Result<core::DeviceRecord>> SqliteRegistryOnDisk::remove(core::DeviceIdentity identity, Instant at, std::string audit_body) {
  return write<core::DeviceRecord>([identity = std::move(identity), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.remove(identity, at, audit_body);
  });
}

Task<Result<core::DeviceRecord>> SqliteRegistryOnDisk::change(core::DeviceIdentity identity, core::DeviceChange change, Instant at,
                                                              std::string audit_body) {
  return write<core::DeviceRecord>([identity = std::move(identity), change = std::move(change), at, audit_body = std::move(audit_body)](
                                       Ledger& ledger) { return ledger.change(identity, change, at, audit_body); });
}

Task<Status> SqliteRegistryOnDisk::apply(core::TrustChange change) {
  return write<void>([change = std::move(change)](Ledger& ledger) { return ledger.apply(change); });
}

Task<Status> SqliteRegistryOnDisk::append_audit(std::string body) {
  return write<void>([body = std::move(body)](Ledger& ledger) { return ledger.append_audit(body); });
}

Task<Status> SqliteRegistryOnDisk::accept_clock(Instant now, std::string audit_body) {
  return write<void>([now, audit_body = std::move(audit_body)](Ledger& ledger) { return ledger.accept_clock(now, audit_body); });
}

// --- reading -----------------------------------------------------------------------------------------------------------------------

Result<std::optional<core::DeviceRecord>> SqliteRegistryOnDisk::find(const core::DeviceIdentity& identity) {
  if (filter_.surely_absent(identity)) return std::nullopt;
  const auto factory = writer_->factory_row(identity.factory);
  if (!factory) return std::nullopt;
  return readers_->with(sql::kFindDevice, [&](Statement& row) -> Result<std::optional<core::DeviceRecord>> {
    const ExternalIdKey key(identity.external_id);
    key.bind(row, 1);
    row.bind(2, *factory);
    row.bind(3, static_cast<std::int64_t>(identity.ecosystem));
    BIRTHMARK_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    return read_device(row, identity);
  });
}

Result<std::vector<core::DeviceSummary>> SqliteRegistryOnDisk::list(const core::DeviceFilter& filter, core::RowId after,
                                                                    std::size_t limit) {
  ListQuery query(filter, after, limit);
  if (query.wants_prefix_count()) {
    BIRTHMARK_TRY(const auto matches, readers_->with(sql::kCountPrefix, [&](Statement& row) { return query.count_prefix(row); }));
    query.choose_by_prefix_count(matches);
  }
  return readers_->with(query.sql(), [&](Statement& row) -> Result<std::vector<core::DeviceSummary>> {
    query.bind(row);
    std::vector<core::DeviceSummary> page;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return page;
      page.push_back(read_summary(row));
    }
  });
}

Result<std::vector<core::AuthorityRecord>> SqliteRegistryOnDisk::authorities() {
  return readers_->with(sql::kAuthorities, [](Statement& row) -> Result<std::vector<core::AuthorityRecord>> {
    std::vector<core::AuthorityRecord> all;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return all;
      all.push_back(read_authority(row));
    }
  });
}

Result<std::vector<core::AuditRecord>> SqliteRegistryOnDisk::audit_records(std::uint64_t after_sequence, std::size_t limit) {
  return readers_->with(sql::kAuditAfter, [&](Statement& row) -> Result<std::vector<core::AuditRecord>> {
    row.bind(1, audit_position(kAuditStream, std::min(after_sequence, kLastSequence)));
    row.bind(2, audit_position(kAuditStream, kLastSequence));
    row.bind(3, static_cast<std::int64_t>(limit));
    std::vector<core::AuditRecord> page;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return page;
      core::AuditRecord record;
      record.stream = kAuditStream;
      record.sequence = audit_sequence(row.integer(0));
      record.hash = Sha256Digest::from(row.blob(1)).value_or(Sha256Digest{});
      record.body = row.text(2);
      page.push_back(std::move(record));
    }
  });
}

SqliteStatistics SqliteRegistryOnDisk::statistics() const {
  SqliteStatistics figures;
  figures.commits = writer_->commits();
  figures.jobs = writer_->jobs();
  figures.batches = writer_->batches();
  figures.fsyncs = vfs_->syncs();
  figures.wal_bytes = writer_->wal_pages() * kFrameBytes;
  return figures;
}

}  // namespace

Result<std::unique_ptr<SqliteRegistry>> SqliteRegistry::open(SqliteOptions options, const core::X509Codec& codec) {
  configure_sqlite_once();
  BIRTHMARK_TRY(auto vfs, RegistryVfs::create(options.vfs, options.synchronous));
  auto registry = std::make_unique<SqliteRegistryOnDisk>(std::move(vfs));
  auto started = registry->start(options, codec);
  if (!started) {
    if (started.error().code == ErrorCode::unavailable) started.error().detail += "; file: " + options.path.string();
    return forward_error(started);
  }
  return registry;
}

}  // namespace birthmark::store
