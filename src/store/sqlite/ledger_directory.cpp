// SPDX-License-Identifier: Apache-2.0
// What the directory's writing calls mean inside a transaction, and the calls themselves.
#include "store/sqlite/directory_sql.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sqlite_directory.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

tl::unexpected<Error> unknown_group(const std::string& name) {
  return fail(ErrorCode::not_found, "there is no device group '" + name + "'");
}
tl::unexpected<Error> group_taken(const std::string& name) {
  return fail(ErrorCode::conflict, "there is a device group '" + name + "' already");
}

}  // namespace

Status Ledger::set_owner(const core::DeviceIdentity& identity, const std::string& owner, const std::string& audit_body) {
  BIRTHMARK_TRY(const Standing found, standing(identity));
  if (found.identity == 0) return fail(ErrorCode::not_found, "no device '" + identity.external_id + "' is known here");
  BIRTHMARK_TRY(Statement * update, prepared(sql::kSetOwner));
  update->bind(1, found.identity);
  update->bind(2, std::string_view(owner));
  BIRTHMARK_CHECK(run(*update));
  return append_audit(audit_body);
}

Status Ledger::list_newcomers(std::size_t limit) {
  std::int64_t after = 0, through = 0;
  {
    BIRTHMARK_TRY(Statement * row, prepared(sql::kListedThrough));
    const Statement::Use use(*row);
    row->bind(1, static_cast<std::int64_t>(limit));
    BIRTHMARK_TRY(const bool found, step(*row));
    if (!found || row->is_null(1)) return {};
    after = row->integer(0);
    through = row->integer(1);
  }
  BIRTHMARK_CHECK(run_numbers(sql::kCountListed, after, through));
  BIRTHMARK_CHECK(run_numbers(sql::kListNewcomers, after, through));
  return run_numbers(sql::kSetListedThrough, through);
}

Result<std::optional<core::DeviceGroup>> Ledger::find_group(const std::string& factory, const std::string& name) {
  BIRTHMARK_TRY(const std::int64_t row_of_factory, factory_row(factory));
  BIRTHMARK_TRY(Statement * row, prepared(sql::kGroupByName));
  const Statement::Use use(*row);
  row->bind(1, row_of_factory);
  row->bind(2, std::string_view(name));
  BIRTHMARK_TRY(const bool found, step(*row));
  if (!found) return std::nullopt;
  core::DeviceGroup group;
  group.row = row->integer(0);
  group.factory = factory;
  group.name = row->text(1);
  group.description = row->text(2);
  group.created_at = from_unix_ms(row->integer(3));
  group.created_by = row->text(4);
  return group;
}

Result<std::int64_t> Ledger::count_group(const std::string& factory, const std::string& name, std::int64_t most) {
  BIRTHMARK_TRY(const std::int64_t row_of_factory, factory_row(factory));
  BIRTHMARK_TRY(Statement * row, prepared(sql::kCountFittingOfGroup));
  const Statement::Use use(*row);
  const std::uint8_t beyond[] = {0xff};
  row->bind(1, row_of_factory);
  row->bind(2, std::string_view());
  row->bind(3, ByteView(beyond));
  for (int index = 4; index <= 6; ++index) row->bind_null(index);
  row->bind(7, std::int64_t{0});
  row->bind(12, std::string_view(name));
  row->bind(13, most);
  BIRTHMARK_CHECK(step(*row));
  return row->integer(0);
}

Result<core::DeviceGroup> Ledger::add_group(const core::DeviceGroup& wanted, const std::string& audit_body) {
  BIRTHMARK_TRY(const auto there, find_group(wanted.factory, wanted.name));
  if (there) return group_taken(wanted.name);
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(wanted.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(sql::kInsertGroup));
  insert->bind(1, factory);
  insert->bind(2, std::string_view(wanted.name));
  insert->bind(3, std::string_view(wanted.description));
  insert->bind(4, to_unix_ms(wanted.created_at));
  insert->bind(5, std::string_view(wanted.created_by));
  BIRTHMARK_CHECK(run(*insert));
  core::DeviceGroup made = wanted;
  made.row = connection_.last_row();
  made.updated_at = made.created_at;
  made.updated_by = made.created_by;
  BIRTHMARK_CHECK(append_audit(audit_body));
  return made;
}

// The gateway remembers which group a device is in as long as the trust epoch stands.
Status Ledger::move_group(const std::string& factory, const std::string& from, const std::string& to) {
  BIRTHMARK_TRY(const std::int64_t row_of_factory, factory_row(factory));
  const auto move = [&](const char* sql, const std::string& before, const std::string& after) -> Status {
    BIRTHMARK_TRY(Statement * update, prepared(sql));
    update->bind(1, row_of_factory);
    update->bind(2, std::string_view(before));
    update->bind(3, std::string_view(after));
    return run(*update);
  };
  BIRTHMARK_CHECK(move(sql::kMoveListed, from, to));
  BIRTHMARK_CHECK(move(sql::kMoveGroupConfig, "group:" + from, "group:" + to));
  ++state_.figures.trust_epoch;
  return {};
}

Result<core::DeviceGroup> Ledger::change_group(const core::DeviceGroup& group, const core::DeviceGroupChange& change,
                                               const std::string& audit_body) {
  BIRTHMARK_TRY(auto there, find_group(group.factory, group.name));
  const auto most = static_cast<std::int64_t>(core::DeviceDirectory::kMoved) + 1;
  BIRTHMARK_TRY(const std::int64_t devices, count_group(group.factory, group.name, most));
  if (!there && devices == 0) return unknown_group(group.name);
  const std::string name = change.name.value_or(group.name);
  if (name != group.name) {
    BIRTHMARK_TRY(const auto taken, find_group(group.factory, name));
    BIRTHMARK_TRY(const std::int64_t others, count_group(group.factory, name, 1));
    if (taken || others != 0) return group_taken(name);
    if (devices == most)
      return fail(ErrorCode::conflict, "the group has more than " + std::to_string(core::DeviceDirectory::kMoved) +
                                           " devices; make another group and move them to it");
    BIRTHMARK_CHECK(move_group(group.factory, group.name, name));
  }
  core::DeviceGroup changed = there.value_or(group);
  changed.name = name;
  if (change.description) changed.description = *change.description;
  changed.updated_at = group.updated_at;
  changed.updated_by = group.updated_by;
  if (!there) {
    changed.created_at = changed.updated_at;
    changed.created_by = changed.updated_by;
    return add_group(changed, audit_body);
  }
  BIRTHMARK_TRY(Statement * update, prepared(sql::kUpdateGroup));
  update->bind(1, there->row);
  update->bind(2, std::string_view(changed.name));
  update->bind(3, std::string_view(changed.description));
  update->bind(4, to_unix_ms(changed.updated_at));
  update->bind(5, std::string_view(changed.updated_by));
  BIRTHMARK_CHECK(run(*update));
  BIRTHMARK_CHECK(append_audit(audit_body));
  return changed;
}

Status Ledger::remove_group(const std::string& factory, const std::string& name, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t devices, count_group(factory, name, 1));
  if (devices != 0) return fail(ErrorCode::conflict, "devices are in the group '" + name + "': move them first");
  BIRTHMARK_TRY(const auto there, find_group(factory, name));
  if (!there) return unknown_group(name);
  BIRTHMARK_TRY(const std::int64_t row_of_factory, factory_row(factory));
  BIRTHMARK_TRY(Statement * remove, prepared(sql::kDeleteGroup));
  remove->bind(1, row_of_factory);
  remove->bind(2, std::string_view(name));
  BIRTHMARK_CHECK(run(*remove));
  return append_audit(audit_body);
}

// --- the adapter's writing calls -------------------------------------------------------------------------------------------------------

Task<Status> SqliteDirectory::set_owner(core::DeviceIdentity identity, std::string owner, std::string audit_body) {
  return write_call<void>(writer_, [identity = std::move(identity), owner = std::move(owner), audit_body = std::move(audit_body)](
                                       Ledger& ledger) { return ledger.set_owner(identity, owner, audit_body); });
}

// The writer is left alone when there is nothing to do: each of its transactions is a sync.
void SqliteDirectory::list_newcomers(std::size_t limit) {
  const auto any = readers_.with(sql::kListedThrough, [](Statement& row) -> Result<bool> {
    row.bind(1, std::int64_t{1});
    BIRTHMARK_TRY(const bool found, row.step());
    return found && !row.is_null(1);
  });
  if (!any || !*any) return;
  submit_note(writer_, [limit](Ledger& ledger) { return ledger.list_newcomers(limit); });
}

Task<Result<core::DeviceGroup>> SqliteDirectory::add_group(core::DeviceGroup group, std::string audit_body) {
  return write_call<core::DeviceGroup>(writer_, [group = std::move(group), audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.add_group(group, audit_body);
  });
}

Task<Result<core::DeviceGroup>> SqliteDirectory::change_group(core::DeviceGroup group, core::DeviceGroupChange change,
                                                              std::string audit_body) {
  return write_call<core::DeviceGroup>(writer_, [group = std::move(group), change = std::move(change), audit_body = std::move(audit_body)](
                                                    Ledger& ledger) { return ledger.change_group(group, change, audit_body); });
}

Task<Status> SqliteDirectory::remove_group(std::string factory, std::string name, std::string audit_body) {
  return write_call<void>(writer_, [factory = std::move(factory), name = std::move(name), audit_body = std::move(audit_body)](
                                       Ledger& ledger) { return ledger.remove_group(factory, name, audit_body); });
}

}  // namespace birthmark::store
