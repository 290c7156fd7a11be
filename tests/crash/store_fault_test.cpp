// SPDX-License-Identifier: Apache-2.0
// The SQLite registry where the disk, the file or one job fails: a clean refusal that names the cause, nothing half there, and work goes on
// without a restart as soon as the cause is gone. And what only SQLite has: file modes, migrations, what an orderly close keeps.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <latch>
#include <thread>

#include "base/run_task.h"
#include "contract/registry_samples.h"
#include "core/audit_verifier.h"
#include "faulty_vfs.h"
#include "raw_database.h"
#include "scratch_directory.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {
namespace {

using core::RecordConflict;

const DigestCodec kCodec;

class StoreFault : public ::testing::Test {
 protected:
  StoreFault() {
    auto made = FaultyVfs::create("faulty");
    BIRTHMARK_ASSERT(made.has_value());
    disk_ = std::move(*made);
  }
  ~StoreFault() override {
    disk_->heal();
    registry_.reset();
  }

  Result<std::unique_ptr<store::SqliteRegistry>> try_open() {
    store::SqliteOptions options;
    options.path = database_;
    options.vfs = disk_->name();
    return store::SqliteRegistry::open(options, kCodec);
  }
  void open() {
    auto opened = try_open();
    if (!opened) {
      ADD_FAILURE() << opened.error().describe();
      std::abort();
    }
    registry_ = std::move(*opened);
  }
  void open_with_trust() {
    open();
    ASSERT_TRUE(run_task(registry_->apply(sample_trust())));
  }

  Result<core::RecordOutcome> record(const core::IssuanceRecord& issuance) {
    core::Preconditions expected;
    expected.trust_epoch = *registry_->trust_epoch();
    return run_task(registry_->record(issuance, expected));
  }
  Result<core::RecordOutcome> enroll(std::uint64_t device) { return record(sample_issuance(device, device, device)); }
  bool knows(std::uint64_t device) {
    const auto found = registry_->find(sample_identity(device));
    EXPECT_TRUE(found) << found.error().describe();
    return found && found->has_value();
  }
  void expect_verified() {
    const auto verdict = core::verify_audit(*registry_, kCodec, std::nullopt, std::nullopt);
    ASSERT_TRUE(verdict) << verdict.error().describe();
    EXPECT_TRUE(verdict->good()) << verdict->text;
    EXPECT_EQ(*registry_->audit_head(), verdict->head);
  }

  ScratchDirectory directory_;
  std::filesystem::path database_ = directory_.file("registry.db");
  std::unique_ptr<FaultyVfs> disk_;
  std::unique_ptr<store::SqliteRegistry> registry_;
};

struct Trouble {
  const char* name;
  int code;
  const char* cause;
};

class StoreTrouble : public StoreFault, public ::testing::WithParamInterface<Trouble> {};

TEST_P(StoreTrouble, every_write_that_can_fail_is_refused_cleanly_and_recovered_from) {
  open_with_trust();
  std::uint64_t device = 1;
  bool reached_the_end = false;
  for (long call = 1; call < 200 && !reached_the_end; ++call) {
    SCOPED_TRACE("failing change number " + std::to_string(call));
    const auto before = *registry_->audit_head();
    disk_->fail_after(call, GetParam().code, FaultyVfs::Recovery::when_healed);
    const auto refused = enroll(device);
    const bool failed = disk_->has_failed();
    disk_->heal();
    if (refused) {
      reached_the_end = !failed;  // a failure that SQLite could do without is no failure
      ++device;
      continue;
    }
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_NE(refused.error().public_message.find(GetParam().cause), std::string::npos) << refused.error().describe();
    EXPECT_FALSE(knows(device));
    EXPECT_EQ(*registry_->audit_head(), before);
    const auto recorded = enroll(device);
    ASSERT_TRUE(recorded) << recorded.error().describe();
    EXPECT_EQ(recorded->conflict, RecordConflict::none);
    ++device;
  }
  EXPECT_TRUE(reached_the_end);
  expect_verified();
  EXPECT_EQ(registry_->totals()->devices, device - 1);
}

TEST_P(StoreTrouble, one_passing_failure_hurts_one_batch_only) {
  open_with_trust();
  for (std::uint64_t device = 1; device < 40; ++device) {
    disk_->fail_after(1 + static_cast<long>(device % 12), GetParam().code, FaultyVfs::Recovery::after_one_failure);
    const auto outcome = enroll(device);
    if (outcome) EXPECT_EQ(outcome->conflict, RecordConflict::none);
    const auto again = enroll(device);
    if (again) EXPECT_EQ(again->conflict, outcome ? RecordConflict::identity_changed : RecordConflict::none);
  }
  disk_->heal();
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(Causes, StoreTrouble,
                         ::testing::Values(Trouble{"disk_full", SQLITE_FULL, "the disk is full"},
                                           Trouble{"read_only", SQLITE_READONLY, "read-only"},
                                           Trouble{"io_error", SQLITE_IOERR_WRITE, "I/O error"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(StoreFault, everybody_in_a_failed_batch_is_refused_and_everybody_works_again_after) {
  open_with_trust();
  constexpr unsigned kThreads = 8;
  disk_->fail_after(1, SQLITE_FULL, FaultyVfs::Recovery::when_healed);
  for (const bool healthy : {false, true}) {
    if (healthy) disk_->heal();
    std::vector<std::thread> stations;
    for (unsigned t = 0; t < kThreads; ++t)
      stations.emplace_back([&, t] {
        const auto outcome = enroll(100 + t);
        EXPECT_EQ(outcome.has_value(), healthy);
        if (!outcome) EXPECT_EQ(outcome.error().code, ErrorCode::unavailable);
      });
    for (auto& station : stations) station.join();
    EXPECT_EQ(registry_->totals()->devices, healthy ? kThreads : 0U);
  }
  expect_verified();
}

TEST_F(StoreFault, a_reader_that_meets_an_io_error_is_told_so_and_recovers) {
  open_with_trust();
  ASSERT_TRUE(enroll(1));
  disk_->fail_reads(SQLITE_IOERR_READ);
  const auto refused = registry_->find(sample_identity(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_NE(refused.error().public_message.find("I/O error"), std::string::npos);
  disk_->heal();
  EXPECT_TRUE(knows(1));
}

TEST_F(StoreFault, deliveries_noted_while_the_disk_was_full_are_written_later) {
  open_with_trust();
  const auto recorded = enroll(1);
  ASSERT_TRUE(recorded);
  disk_->fail_after(1, SQLITE_FULL, FaultyVfs::Recovery::when_healed);
  registry_->note_delivery(recorded->certificate, core::Delivery::answered);
  ASSERT_FALSE(enroll(2));  // its batch had the note
  disk_->heal();
  ASSERT_TRUE(enroll(2));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((*registry_->find(sample_identity(1)))->certificate->delivery != core::Delivery::answered)
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
}

TEST_F(StoreFault, one_job_that_fails_in_a_batch_does_not_hurt_the_others) {
  open_with_trust();
  RawDatabase(database_).execute(
      "CREATE TRIGGER poison BEFORE INSERT ON certificate WHEN NEW.station = 'poison' BEGIN SELECT RAISE(ABORT, 'poisoned'); END");
  constexpr unsigned kThreads = 12;
  std::latch together(kThreads);
  std::vector<std::thread> stations;
  for (unsigned t = 0; t < kThreads; ++t)
    stations.emplace_back([&, t] {
      auto issuance = sample_issuance(t, t, t);
      if (t % 4 == 3) issuance.station = "poison";
      together.arrive_and_wait();
      const auto outcome = record(issuance);
      EXPECT_EQ(outcome.has_value(), t % 4 != 3);
      if (!outcome) EXPECT_EQ(outcome.error().code, ErrorCode::internal);
    });
  for (auto& station : stations) station.join();
  EXPECT_EQ(registry_->totals()->devices, 9U);
  EXPECT_EQ(registry_->totals()->certificates, 9U);
  for (unsigned t = 0; t < kThreads; ++t) EXPECT_EQ(knows(t), t % 4 != 3);
  expect_verified();
}

// --- files ---------------------------------------------------------------------------------------------------------------------------

TEST_F(StoreFault, nobody_else_may_read_the_database_or_its_log) {
  const mode_t before = ::umask(0);
  open_with_trust();
  ASSERT_TRUE(enroll(1));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found{};
    ASSERT_EQ(::stat((database_.string() + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 07777U, 0600U) << suffix;
  }
  ::umask(before);
}

TEST_F(StoreFault, a_database_from_a_newer_version_is_refused_and_left_alone) {
  open_with_trust();
  registry_.reset();
  RawDatabase(database_).execute("PRAGMA user_version = 4711");
  const auto refused = try_open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::misconfigured);
  EXPECT_NE(refused.error().public_message.find("4711"), std::string::npos) << refused.error().describe();
  EXPECT_NE(refused.error().public_message.find("newer version"), std::string::npos);
  EXPECT_EQ(RawDatabase(database_).value("PRAGMA user_version"), "4711");
}

TEST_F(StoreFault, a_file_that_is_no_database_is_refused) {
  std::FILE* file = std::fopen(database_.c_str(), "w");
  ASSERT_NE(file, nullptr);
  for (int i = 0; i < 1000; ++i) std::fputs("this is not a database\n", file);
  std::fclose(file);
  const auto refused = try_open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().describe().find("not a database"), std::string::npos) << refused.error().describe();
}

TEST_F(StoreFault, a_directory_that_is_not_there_is_named) {
  database_ = directory_.file("nowhere") / "registry.db";
  const auto refused = try_open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::misconfigured);
  EXPECT_NE(refused.error().describe().find("nowhere"), std::string::npos) << refused.error().describe();
}

// --- what stays ----------------------------------------------------------------------------------------------------------------------

TEST_F(StoreFault, everything_is_there_after_a_restart) {
  open_with_trust();
  ASSERT_TRUE(enroll(1));
  const auto identity = sample_identity(2);
  const Instant at = from_unix_ms(kSampleEpochMs + 5000);
  ASSERT_TRUE(run_task(registry_->deny(identity, at, sample_operator_body(core::AuditEvent::device_denied, identity, at))));
  const auto head = *registry_->audit_head();
  const auto epoch = *registry_->trust_epoch();
  registry_.reset();
  open();
  EXPECT_EQ(*registry_->audit_head(), head);
  EXPECT_EQ(*registry_->trust_epoch(), epoch);
  EXPECT_EQ(*registry_->clock_mark(), at);
  EXPECT_EQ(registry_->totals()->devices, 2U);
  EXPECT_EQ(registry_->totals()->denied, 1U);
  EXPECT_EQ(registry_->authorities()->size(), 2U);
  EXPECT_TRUE(knows(1));
  ASSERT_TRUE(enroll(3));
  expect_verified();
}

TEST_F(StoreFault, an_orderly_close_keeps_every_note_and_empties_the_log) {
  open_with_trust();
  const auto recorded = enroll(1);
  ASSERT_TRUE(recorded);
  const Instant later = from_unix_ms(kSampleEpochMs + 999999);
  registry_->note_delivery(recorded->certificate, core::Delivery::presented);
  registry_->note_clock(later);
  registry_.reset();
  EXPECT_FALSE(std::filesystem::exists(database_.string() + "-wal"));
  open();
  EXPECT_EQ((*registry_->find(sample_identity(1)))->certificate->delivery, core::Delivery::presented);
  EXPECT_EQ(*registry_->clock_mark(), later);
}

TEST_F(StoreFault, closing_finishes_what_is_queued) {
  open_with_trust();
  boost::asio::io_context context(1);
  unsigned answered = 0;
  core::Preconditions expected;
  expected.trust_epoch = *registry_->trust_epoch();
  for (std::uint64_t device = 0; device < 100; ++device) {
    auto task = registry_->record(sample_issuance(device, device, device), expected);
    boost::asio::co_spawn(context, std::move(task), [&answered](std::exception_ptr, Result<core::RecordOutcome> outcome) {
      if (outcome && outcome->conflict == RecordConflict::none) ++answered;
    });
  }
  context.poll();  // queues them all
  registry_.reset();
  context.run();
  EXPECT_EQ(answered, 100U);
  open();
  EXPECT_EQ(registry_->totals()->devices, 100U);
}

TEST_F(StoreFault, a_batch_costs_one_sync) {
  open_with_trust();
  const auto before = registry_->statistics();
  constexpr unsigned kDevices = 200;
  boost::asio::io_context context(1);
  core::Preconditions expected;
  expected.trust_epoch = *registry_->trust_epoch();
  for (std::uint64_t device = 0; device < kDevices; ++device) {
    auto task = registry_->record(sample_issuance(device, device, device), expected);
    boost::asio::co_spawn(context, std::move(task), [](std::exception_ptr, const Result<core::RecordOutcome>&) {});
  }
  context.run();
  const auto after = registry_->statistics();
  EXPECT_EQ(after.jobs - before.jobs, kDevices);
  EXPECT_GE(after.fsyncs - before.fsyncs, 1U);
  EXPECT_LE(after.fsyncs - before.fsyncs, after.commits - before.commits + 6) << "a commit is one sync; a checkpoint two or three";
  EXPECT_LT(after.commits - before.commits, kDevices / 4) << "200 records that wait together are not 200 transactions";
  EXPECT_GT(after.wal_bytes, 0U);
  registry_.reset();  // before the context: its writer may still be inside the last post()
}

TEST_F(StoreFault, readers_do_not_wait_for_the_writer) {
  open_with_trust();
  ASSERT_TRUE(enroll(1));
  RawDatabase writer(database_);  // as if a long transaction of ours were open
  writer.execute("BEGIN IMMEDIATE");
  EXPECT_TRUE(knows(1));
  EXPECT_EQ(registry_->list({}, 0, 10)->size(), 1U);
  EXPECT_EQ(registry_->audit_records(0, 10)->size(), 2U);
  writer.execute("ROLLBACK");
}

TEST_F(StoreFault, reads_from_many_threads_see_whole_devices_while_others_register) {
  open_with_trust();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (unsigned t = 0; t < 6; ++t)
    readers.emplace_back([&] {
      while (!done) {
        const auto page = registry_->list({}, 0, 1000);
        ASSERT_TRUE(page) << page.error().describe();
        for (const auto& row : *page) EXPECT_TRUE(row.current_key && row.serial);
        const auto found = registry_->find(sample_identity(0));
        ASSERT_TRUE(found);
        if (*found) EXPECT_TRUE((*found)->certificate && !(*found)->certificate->der.empty());
      }
    });
  for (std::uint64_t device = 0; device < 100; ++device) EXPECT_TRUE(enroll(device));
  done = true;
  for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace birthmark::testing
