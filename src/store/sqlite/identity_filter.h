// SPDX-License-Identifier: Apache-2.0
// A Bloom filter over every identity: the first contact of a device, which is most of what a line does, is known to be one without
// reading a page. It may say "perhaps there" of an unknown identity, never "absent" of a known one. Rows are never deleted, so it only
// grows.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/identity.h"
#include "store/sqlite/connection.h"

namespace birthmark::store {

class IdentityFilter {
 public:
  IdentityFilter();
  ~IdentityFilter();
  IdentityFilter(const IdentityFilter&) = delete;
  IdentityFilter& operator=(const IdentityFilter&) = delete;

  // Reads what the database holds on a thread of its own; until that is done nothing is surely absent.
  void learn(Connection connection);

  // Ends that thread, should it still read. What is absent is no longer known.
  void stop();

  // By the writer, before the row can be seen.
  void add(const core::DeviceIdentity& identity);
  [[nodiscard]] bool surely_absent(const core::DeviceIdentity& identity) const;
  [[nodiscard]] bool complete() const { return complete_.load(std::memory_order_acquire); }

 private:
  struct Place {
    std::size_t word;
    std::uint64_t bits;
  };
  [[nodiscard]] static Place place(std::string_view external_id, core::Ecosystem ecosystem);
  void add(std::string_view external_id, core::Ecosystem ecosystem);
  [[nodiscard]] Status read_all(Connection& connection);

  std::vector<std::atomic<std::uint64_t>> words_;
  std::atomic<bool> complete_{false};
  std::atomic<bool> stopping_{false};
  std::thread reader_;
};

}  // namespace birthmark::store
