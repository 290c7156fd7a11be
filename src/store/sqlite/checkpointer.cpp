// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/checkpointer.h"

#include <chrono>

#include "base/crash_point.h"
#include "base/log.h"

namespace birthmark::store {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr int kLooksPerPeriod = 100;      // every five seconds whatever the size
constexpr std::uint64_t kLongLog = 8192;  // pages: 32 MB. The longer, the more often a page was written anew before it is copied
constexpr int kShortRemainder = 256;      // pages that may be copied while the writer waits
constexpr int kMostPasses = 4;

}  // namespace

Checkpointer::Checkpointer(Connection connection, GroupCommit& writer) : connection_(std::move(connection)), writer_(writer) {
  thread_ = std::thread([this] { work(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard held(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void Checkpointer::work() {
  int looks = 0;
  std::unique_lock held(mutex_);
  while (!stop_.wait_for(held, kLookEvery, [this] { return stopping_; })) {
    const bool anything = writer_.commits() != commits_copied_;
    const bool due = ++looks % kLooksPerPeriod == 0;
    if (!anything || (!due && writer_.wal_pages() < kLongLog)) continue;
    held.unlock();
    checkpoint();
    held.lock();
  }
}

// A passive checkpoint never holds anybody up, but under a steady load there are always new pages behind it, and only a log copied to
// its last page starts again at its beginning. So: copy the bulk beside the writer, then the short rest between two batches.
void Checkpointer::checkpoint() {
  int left = copy_pages();
  for (int pass = 1; left > kShortRemainder && pass < kMostPasses; ++pass) left = copy_pages();
  BIRTHMARK_CRASH_POINT("store.checkpoint");
  if (left < 0 || writer_.wal_pages() < kLongLog) return;
  writer_.between_batches([this] { static_cast<void>(copy_pages()); });
  BIRTHMARK_CRASH_POINT("store.checkpoint");
}

int Checkpointer::copy_pages() {
  const std::uint64_t commits = writer_.commits();
  int pages = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
  if (code != SQLITE_OK) {
    if ((code & 0xff) != SQLITE_BUSY)
      log::warning("registry.checkpoint_failed", {{"reason", storage_error(connection_.handle(), code).describe()}});
    return -1;
  }
  // Pages committed while this pass ran count as left over.
  const int left = static_cast<int>(writer_.wal_pages()) - copied;
  if (pages == copied) commits_copied_ = commits;
  return left;
}

}  // namespace birthmark::store
