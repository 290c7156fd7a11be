// SPDX-License-Identifier: Apache-2.0
// The one writer: takes whatever waits, writes it as one transaction, syncs once, then wakes every caller. Nobody is answered before
// what he wrote is on disk. A failed commit answers everybody of that batch `unavailable` and leaves nothing behind; the next batch
// starts from what the disk holds.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/suspend.h"
#include "store/sqlite/ledger.h"

namespace birthmark::store {

// One writing call that waits for its transaction.
class WriteJob {
 public:
  virtual ~WriteJob() = default;
  // May run more than once: a batch is repeated job by job when one of them fails. Keeps its answer until `answer`.
  virtual void run(Ledger& ledger) = 0;
  // Its own failure, which overrides what run() found.
  virtual void refuse(Error error) = 0;
  // Wakes the caller; the last call.
  virtual void answer() = 0;
};

template <class T, class Work>
class WriteJobOf final : public WriteJob {
 public:
  WriteJobOf(Work work, Resume<Result<T>> resume) : work_(std::move(work)), resume_(std::move(resume)) {}

  void run(Ledger& ledger) override { result_ = work_(ledger); }
  void refuse(Error error) override { result_ = tl::make_unexpected(std::move(error)); }
  void answer() override { resume_(std::move(result_)); }

 private:
  Work work_;
  Resume<Result<T>> resume_;
  Result<T> result_ = fail(ErrorCode::internal, "a write job was answered before it ran");
};

class GroupCommit {
 public:
  using Reopen = std::function<Result<Ledger>()>;

  // `reopen` makes a fresh ledger after a failure of the storage.
  GroupCommit(Ledger ledger, Reopen reopen);
  // Writes what is queued, notes too, then ends the thread.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  void submit(std::unique_ptr<WriteJob> job);
  // So many more (or fewer) callers are about to submit.
  void expect(int change) { expected_.fetch_add(change, std::memory_order_relaxed); }
  // Written with the next batch, or by itself after kNoteDelay.
  void note_delivery(core::RowId certificate, core::Delivery delivery);
  void note_clock(Instant now);

  // Of what is durable.
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] std::optional<std::int64_t> factory_row(const std::string& name) const;

  [[nodiscard]] std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t jobs() const { return jobs_.load(std::memory_order_relaxed); }
  // How many of those commits carried at most so many jobs: 1, 2, 4 ... 512; the last: more.
  static constexpr std::size_t kBatchClasses = 11;
  [[nodiscard]] std::array<std::uint64_t, kBatchClasses> batches() const;
  [[nodiscard]] std::uint64_t wal_pages() const { return wal_pages_.load(std::memory_order_relaxed); }

  // Runs `work` while no transaction is open; commits wait for it, so it must be short.
  void between_batches(const std::function<void()>& work);

 private:
  struct Notes {
    std::vector<std::pair<core::RowId, core::Delivery>> deliveries;
    std::optional<Instant> clock;
    [[nodiscard]] bool empty() const { return deliveries.empty() && !clock; }
  };
  struct Batch {
    std::vector<std::unique_ptr<WriteJob>> jobs;
    Notes notes;
  };
  enum class Care { none, savepoint_per_job };

  void work();
  [[nodiscard]] std::optional<Batch> take();
  void gather(std::unique_lock<std::mutex>& held);
  void write(Batch batch);
  [[nodiscard]] Status write_batch(Batch& batch);
  [[nodiscard]] Status attempt(Batch& batch, Care care);
  [[nodiscard]] Status run_jobs(Batch& batch, Care care);
  [[nodiscard]] Status run_guarded(WriteJob& job);
  [[nodiscard]] Status ensure_ledger();
  void adopt(Ledger ledger);
  void publish();
  void keep(Notes more);
  void keep_for_later(Notes unwritten);
  void watch_log_size();

  Reopen reopen_;
  std::optional<Ledger> ledger_;  // the writer thread's; absent after a failure until it could be reopened
  std::mutex transaction_mutex_;  // held while a batch is written
  std::size_t last_batch_ = 0;    // the writer thread's
  std::atomic<int> expected_{0};
  std::atomic<bool> turn_wanted_{false};

  mutable std::mutex published_mutex_;
  Figures published_;
  FactoryRows published_factories_;

  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<std::unique_ptr<WriteJob>> queue_;
  Notes notes_;
  std::chrono::steady_clock::time_point notes_due_;
  bool stopping_ = false;

  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> jobs_{0};
  std::array<std::atomic<std::uint64_t>, kBatchClasses> batches_{};
  std::atomic<std::uint64_t> wal_pages_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace birthmark::store
