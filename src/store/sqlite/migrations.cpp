// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrations.h"

#include <array>
#include <string>

#include "store/sqlite/sql.h"

namespace birthmark::store {
namespace {

constexpr const char* kInit =
#include "store/schema/0001_init.sql"
    ;

constexpr const char* kTokens =
#include "store/schema/0002_tokens.sql"
    ;

constexpr const char* kOutbox =
#include "store/schema/0003_outbox.sql"
    ;

constexpr const char* kDeviceLife =
#include "store/schema/0004_device_life.sql"
    ;

constexpr const char* kOrders =
#include "store/schema/0005_orders.sql"
    ;

constexpr const char* kField =
#include "store/schema/0006_field.sql"
    ;

constexpr const char* kOutboxNumbers =
#include "store/schema/0007_outbox_numbers.sql"
    ;

constexpr const char* kSiteCertificates =
#include "store/schema/0008_site_certificates.sql"
    ;

constexpr const char* kNodes =
#include "store/schema/0009_nodes.sql"
    ;

constexpr const char* kGateways =
#include "store/schema/0010_gateways.sql"
    ;

constexpr const char* kDirectory =
#include "store/schema/0011_directory.sql"
    ;

constexpr const char* kApiAccess =
#include "store/schema/0012_api_access.sql"
    ;

// Migration N is at index N - 1; PRAGMA user_version says how many were applied.
constexpr std::array kMigrations = {kInit,          kTokens,           kOutbox, kDeviceLife, kOrders,    kField,
                                    kOutboxNumbers, kSiteCertificates, kNodes,  kGateways,   kDirectory, kApiAccess};

Result<std::int64_t> schema_version(Connection& connection) {
  BIRTHMARK_TRY(Statement * statement, connection.prepared(sql::kReadVersion));
  const Statement::Use use(*statement);
  BIRTHMARK_CHECK(statement->step());
  return statement->integer(0);
}

Status apply_migration(Connection& connection, std::size_t index) {
  BIRTHMARK_CHECK(connection.execute(sql::kBegin));
  auto applied = connection.execute(kMigrations[index]);
  if (applied) applied = connection.execute(("PRAGMA user_version=" + std::to_string(index + 1)).c_str());
  if (applied) applied = connection.execute(sql::kCommit);
  if (!applied && connection.in_transaction()) static_cast<void>(connection.execute(sql::kRollback));  // `applied` tells why
  return applied;
}

}  // namespace

Status migrate(Connection& connection) {
  BIRTHMARK_TRY(const auto version, schema_version(connection));
  const auto known = static_cast<std::int64_t>(kMigrations.size());
  if (version < 0 || version > known)
    return fail(ErrorCode::misconfigured, "the registry database has schema version " + std::to_string(version) +
                                              ", this program knows up to " + std::to_string(known) +
                                              ": start the newer version of birthmark that wrote it");
  if (version == 0) BIRTHMARK_CHECK(connection.execute(sql::kWriteAheadLog));
  for (auto index = static_cast<std::size_t>(version); index < kMigrations.size(); ++index)
    BIRTHMARK_CHECK(apply_migration(connection, index));
  return {};
}

}  // namespace birthmark::store
