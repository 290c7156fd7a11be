// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/group_commit.h"

#include <algorithm>
#include <bit>

#include "base/crash_point.h"
#include "base/log.h"

namespace birthmark::store {
namespace {

constexpr std::size_t kLargestBatch = 512;
constexpr std::chrono::milliseconds kNoteDelay{100};
constexpr std::size_t kCrowd = 10;     // callers, below which nothing waits
constexpr std::size_t kGathered = 40;  // jobs worth a sync
constexpr std::chrono::microseconds kGatherSlice{250};
constexpr int kGatherSlices = 16;
constexpr int kPatience = 2;  // slices in which nobody came or was on the way

// A failure of the disk or the file, as opposed to one job's own: repeating the other jobs cannot help.
bool is_storage_trouble(int code) {
  const int primary = code & 0xff;
  return primary != SQLITE_CONSTRAINT && primary != SQLITE_TOOBIG && primary != SQLITE_MISMATCH;
}

}  // namespace

GroupCommit::GroupCommit(Ledger ledger, Reopen reopen) : reopen_(std::move(reopen)) {
  adopt(std::move(ledger));
  thread_ = std::thread([this] { work(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard held(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_one();
  thread_.join();
}

// --- callers -----------------------------------------------------------------------------------------------------------------------

void GroupCommit::submit(std::unique_ptr<WriteJob> job) {
  {
    const std::lock_guard held(queue_mutex_);
    queue_.push_back(std::move(job));
  }
  queue_changed_.notify_one();
}

void GroupCommit::note_delivery(core::RowId certificate, core::Delivery delivery) {
  Notes note;
  note.deliveries.emplace_back(certificate, delivery);
  keep(std::move(note));
}

void GroupCommit::note_clock(Instant now) {
  Notes note;
  note.clock = now;
  keep(std::move(note));
}

void GroupCommit::keep(Notes more) {
  if (more.empty()) return;
  {
    const std::lock_guard held(queue_mutex_);
    if (!notes_.empty()) {
      notes_.deliveries.insert(notes_.deliveries.end(), more.deliveries.begin(), more.deliveries.end());
      if (more.clock) notes_.clock = notes_.clock ? std::max(*notes_.clock, *more.clock) : more.clock;
      return;  // the writer already watches their hour
    }
    notes_ = std::move(more);
    notes_due_ = std::chrono::steady_clock::now() + kNoteDelay;
  }
  queue_changed_.notify_one();
}

Figures GroupCommit::figures() const {
  const std::lock_guard held(published_mutex_);
  return published_;
}

std::optional<std::int64_t> GroupCommit::factory_row(const std::string& name) const {
  const std::lock_guard held(published_mutex_);
  const auto found = published_factories_.find(name);
  if (found == published_factories_.end()) return std::nullopt;
  return found->second;
}

// A busy writer would take the mutex again before anybody else wakes up; it lets whoever asks go first.
void GroupCommit::between_batches(const std::function<void()>& work) {
  turn_wanted_ = true;
  const std::lock_guard held(transaction_mutex_);
  work();
  turn_wanted_ = false;
  turn_wanted_.notify_one();
}

// --- the writer thread -------------------------------------------------------------------------------------------------------------

void GroupCommit::work() {
  while (auto batch = take()) write(std::move(*batch));
}

// On a slow disk the sync itself gathers the next batch. Where it takes a tenth of a millisecond it would gather six of sixty-four, and
// each batch's own cost (log frames, sync, wake-ups) would be most of the work. So when many callers are about (those of the last batch
// will be back), the writer waits for them while they keep coming, at most four milliseconds. With a few callers nothing ever waits here.
void GroupCommit::gather(std::unique_lock<std::mutex>& held) {
  std::size_t before = 0;
  int quiet = 0;
  for (int slice = 0; slice < kGatherSlices && !stopping_; ++slice) {
    const std::size_t waiting = queue_.size();
    if (waiting + last_batch_ < kCrowd || waiting >= kGathered) return;
    quiet = waiting != before || expected_.load(std::memory_order_relaxed) > 0 ? 0 : quiet + 1;
    if (quiet > kPatience) return;
    before = waiting;
    held.unlock();
    std::this_thread::sleep_for(kGatherSlice);
    held.lock();
  }
}

// Whatever waits.
std::optional<GroupCommit::Batch> GroupCommit::take() {
  std::unique_lock held(queue_mutex_);
  while (queue_.empty() && !stopping_) {
    if (notes_.empty())
      queue_changed_.wait(held);
    else if (queue_changed_.wait_until(held, notes_due_) == std::cv_status::timeout)
      break;
  }
  if (stopping_ && queue_.empty() && notes_.empty()) return std::nullopt;
  gather(held);
  Batch batch;
  const std::size_t count = std::min(queue_.size(), kLargestBatch);
  batch.jobs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    batch.jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  std::swap(batch.notes, notes_);
  last_batch_ = count;
  return batch;
}

void GroupCommit::write(Batch batch) {
  auto written = write_batch(batch);
  if (!written) {
    log::error("registry.commit_failed", {{"reason", written.error().describe()}, {"jobs", std::to_string(batch.jobs.size())}});
    for (auto& job : batch.jobs) job->refuse(written.error());
    keep_for_later(std::move(batch.notes));
  }
  BIRTHMARK_CRASH_POINT("store.before_resume");
  for (auto& job : batch.jobs) job->answer();
}

// Notes have no caller who would repeat them. Only the last batch of all gives up on them.
void GroupCommit::keep_for_later(Notes unwritten) {
  bool last = false;
  {
    const std::lock_guard held(queue_mutex_);
    last = stopping_;
  }
  if (!last) return keep(std::move(unwritten));
  if (!unwritten.deliveries.empty()) log::warning("registry.notes_lost", {{"deliveries", std::to_string(unwritten.deliveries.size())}});
}

Status GroupCommit::write_batch(Batch& batch) {
  turn_wanted_.wait(true);
  const std::lock_guard held(transaction_mutex_);
  BIRTHMARK_CHECK(ensure_ledger());
  Ledger::State before = ledger_->state();
  auto written = attempt(batch, Care::none);
  if (!written && !is_storage_trouble(ledger_->storage_failure())) {
    ledger_->rollback();
    ledger_->restore(before);
    written = attempt(batch, Care::savepoint_per_job);
  }
  if (!written) {
    // What a failed commit left is for SQLite to say, not for our memory.
    ledger_->rollback();
    ledger_.reset();
    return written;
  }
  publish();
  commits_.fetch_add(1, std::memory_order_relaxed);
  jobs_.fetch_add(batch.jobs.size(), std::memory_order_relaxed);
  const std::size_t size = std::max<std::size_t>(batch.jobs.size(), 1);
  batches_[std::min<std::size_t>(std::bit_width(size - 1), kBatchClasses - 1)].fetch_add(1, std::memory_order_relaxed);
  return {};
}

std::array<std::uint64_t, GroupCommit::kBatchClasses> GroupCommit::batches() const {
  std::array<std::uint64_t, kBatchClasses> counted{};
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = batches_[i].load(std::memory_order_relaxed);
  return counted;
}

Status GroupCommit::attempt(Batch& batch, Care care) {
  BIRTHMARK_CRASH_POINT("store.before_begin");
  BIRTHMARK_CHECK(ledger_->begin());
  for (const auto& [certificate, delivery] : batch.notes.deliveries) BIRTHMARK_CHECK(ledger_->raise_delivery(certificate, delivery));
  if (batch.notes.clock) ledger_->raise_clock(*batch.notes.clock);
  BIRTHMARK_CHECK(run_jobs(batch, care));
  BIRTHMARK_CRASH_POINT("store.before_commit");
  BIRTHMARK_CHECK(ledger_->commit());
  BIRTHMARK_CRASH_POINT("store.after_commit");
  return {};
}

// Jobs check by reading before they write, so almost none can fail half-way and a savepoint for each would be wasted. When one does,
// the batch is rolled back and repeated with savepoints, so that it fails alone.
Status GroupCommit::run_jobs(Batch& batch, Care care) {
  for (auto& job : batch.jobs) {
    BIRTHMARK_CRASH_POINT("store.in_transaction");
    if (care == Care::savepoint_per_job) {
      BIRTHMARK_CHECK(run_guarded(*job));
      continue;
    }
    job->run(*ledger_);
    if (ledger_->storage_failure() != SQLITE_OK) return tl::make_unexpected(ledger_->failure());
  }
  return {};
}

Status GroupCommit::run_guarded(WriteJob& job) {
  Ledger::State before = ledger_->state();
  BIRTHMARK_CHECK(ledger_->savepoint());
  job.run(*ledger_);
  if (ledger_->storage_failure() == SQLITE_OK) return ledger_->release_savepoint();
  if (is_storage_trouble(ledger_->storage_failure())) return tl::make_unexpected(ledger_->failure());
  const Error own = ledger_->failure();
  job.refuse({ErrorCode::internal, own.public_message, own.detail});
  ledger_->restore(std::move(before));
  return ledger_->rollback_to_savepoint();
}

Status GroupCommit::ensure_ledger() {
  if (ledger_) return {};
  auto fresh = reopen_();
  if (!fresh) return forward_error(fresh);
  adopt(std::move(*fresh));
  return {};
}

void GroupCommit::adopt(Ledger ledger) {
  ledger_.emplace(std::move(ledger));
  watch_log_size();
  publish();
}

void GroupCommit::publish() {
  const std::lock_guard held(published_mutex_);
  published_ = ledger_->state().figures;
  if (published_factories_.size() != ledger_->state().factories.size()) published_factories_ = ledger_->state().factories;
}

void GroupCommit::watch_log_size() {
  const auto remember = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<GroupCommit*>(self)->wal_pages_.store(static_cast<std::uint64_t>(pages), std::memory_order_relaxed);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(ledger_->handle(), remember, this);
}

}  // namespace birthmark::store
