// SPDX-License-Identifier: Apache-2.0
// A registry on disk with made-up devices, gone with the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "base/run_task.h"
#include "registry_samples.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {

inline const DigestCodec kFleetCodec;

template <class T>
[[nodiscard]] T good(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().describe();
    std::abort();
  }
  return std::move(*result);
}

class FleetRegistry {
 public:
  FleetRegistry() {
    char pattern[] = "/tmp/birthmark-fleet-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    store::SqliteOptions options;
    options.path = directory_ / "registry.db";
    registry_ = good(store::SqliteRegistry::open(options, kFleetCodec));
    EXPECT_TRUE(run_task(registry_->apply(sample_trust())));
  }
  ~FleetRegistry() {
    registry_.reset();
    std::filesystem::remove_all(directory_);
  }
  FleetRegistry(const FleetRegistry&) = delete;
  FleetRegistry& operator=(const FleetRegistry&) = delete;

  store::SqliteRegistry& registry() { return *registry_; }
  core::DeviceDirectory& directory() { return registry_->directory(); }

  // Device `number`, called `name`, in `group`.
  core::DeviceIdentity add(std::uint64_t number, const std::string& name, const std::string& group = {}, bool production = false) {
    core::IssuanceRecord record = sample_issuance(number, number, number);
    record.name = name;
    record.group = group;
    record.production = production;
    record.audit_body = sample_audit_body(core::AuditEvent::device_issued, record);
    core::Preconditions expected;
    expected.trust_epoch = good(registry_->trust_epoch());
    const core::DeviceIdentity identity = record.identity;
    EXPECT_EQ(good(run_task(registry_->record(std::move(record), expected))).conflict, core::RecordConflict::none);
    return identity;
  }
  // Returns when all of it is written.
  void list_newcomers(std::size_t limit) {
    directory().list_newcomers(limit);
    EXPECT_TRUE(run_task(registry_->append_audit("{}")));  // the writer takes one after the other
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<store::SqliteRegistry> registry_;
};

}  // namespace birthmark::testing
