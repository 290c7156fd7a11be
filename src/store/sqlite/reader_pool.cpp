// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/reader_pool.h"

#include <algorithm>
#include <atomic>

namespace birthmark::store {

Result<std::unique_ptr<ReaderPool>> ReaderPool::open(const ConnectionOptions& options, unsigned readers) {
  std::unique_ptr<ReaderPool> pool(new ReaderPool(options));
  for (unsigned i = 0; i < std::max(readers, 1U); ++i) {
    pool->readers_.push_back(std::make_unique<Reader>());
    BIRTHMARK_CHECK(pool->usable(*pool->readers_.back()));
  }
  return pool;
}

// Each thread has a favourite, so that with no more threads than readers nobody ever waits.
ReaderPool::Lease ReaderPool::take() {
  static std::atomic<std::size_t> threads{0};
  thread_local const std::size_t favourite = threads.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    Reader& reader = *readers_[(favourite + i) % readers_.size()];
    std::unique_lock lock(reader.mutex, std::try_to_lock);
    if (lock.owns_lock()) return {reader, std::move(lock)};
  }
  Reader& reader = *readers_[favourite % readers_.size()];
  return {reader, std::unique_lock(reader.mutex)};
}

Result<Connection*> ReaderPool::usable(Reader& reader) {
  if (reader.connection) return reader.connection.get();
  BIRTHMARK_TRY(auto connection, Connection::open(options_));
  reader.connection = std::make_unique<Connection>(std::move(connection));
  return reader.connection.get();
}

}  // namespace birthmark::store
