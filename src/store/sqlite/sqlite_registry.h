// SPDX-License-Identifier: Apache-2.0
// The Registry on SQLite: WAL, synchronous=FULL, one writer thread that commits whatever waits as one transaction, readers beside it.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
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

namespace birthmark::store {

enum class Synchronous : std::uint8_t { full, off };  // off: only for the control run of the power-cut tests

struct SqliteOptions {
  std::filesystem::path path;
  Synchronous synchronous = Synchronous::full;
  unsigned readers = 4;                  // read connections; more threads than these wait for each other
  std::size_t cache_bytes = 16U << 20U;  // page cache over all connections
  std::string vfs;                       // empty: SQLite's default; tests name theirs
};

struct SqliteStatistics {
  std::uint64_t commits = 0;
  std::uint64_t jobs = 0;  // written in those commits
  // How many of those commits carried at most 1, 2, 4 ... 512 jobs, each counted once; the last: more.
  std::array<std::uint64_t, 11> batches{};
  std::uint64_t fsyncs = 0;
  std::uint64_t wal_bytes = 0;
};

class SqliteRegistry : public core::Registry {
 public:
  // Opens or makes the database, brings its schema up to date (numbered migrations), starts the writer. A database from a newer
  // version is refused. `codec` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<SqliteRegistry>> open(SqliteOptions options, const core::X509Codec& codec);
  [[nodiscard]] virtual SqliteStatistics statistics() const = 0;
  // The other ports on the same database; they live as long as this.
  [[nodiscard]] virtual core::Tokens& tokens() = 0;
  [[nodiscard]] virtual core::SiteCertificates& site_certificates() = 0;
  [[nodiscard]] virtual core::Outbox& outbox() = 0;
  [[nodiscard]] virtual core::Intake& intake() = 0;
  [[nodiscard]] virtual core::Orders& orders() = 0;
  [[nodiscard]] virtual core::FieldLog& field() = 0;
  [[nodiscard]] virtual core::KeyChanges& key_changes() = 0;
  [[nodiscard]] virtual core::Nodes& nodes() = 0;
  [[nodiscard]] virtual core::Gateways& gateways() = 0;
  [[nodiscard]] virtual core::DeviceDirectory& directory() = 0;
  [[nodiscard]] virtual core::ApiAccess& api_access() = 0;
};

}  // namespace birthmark::store
