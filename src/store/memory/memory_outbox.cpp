// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_outbox.h"

#include <algorithm>
#include <tuple>

#include "store/registry_rules.h"

namespace birthmark::store {

using core::OutboxChannel;
using core::OutboxState;

namespace {

bool on_its_way(OutboxState state) {
  return state == OutboxState::waiting || state == OutboxState::sending;
}

bool is_operators_to_move(OutboxState state) {
  return state == OutboxState::waiting || state == OutboxState::unverified || state == OutboxState::stopped;
}

}  // namespace

void MemoryOutbox::add(core::OutboxDraft draft, const core::IssuanceRecord& issuance, core::RowId certificate) {
  Row row;
  row.channel = draft.channel;
  row.message.row = static_cast<core::RowId>(rows_.size()) + 1;
  row.message.identity = issuance.identity;
  row.message.key = issuance.spki_sha256;
  row.message.certificate = certificate;
  row.message.body = std::move(draft.body);
  row.created_at = issuance.issued_at;
  row.due_at = issuance.issued_at;
  rows_.push_back(std::move(row));
}

bool MemoryOutbox::upstream_may_know(const core::DeviceIdentity& identity) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    if (row.channel != OutboxChannel::upstream || row.message.identity != identity) return false;
    const bool sent = row.state == OutboxState::sending || row.state == OutboxState::delivered || row.state == OutboxState::unverified;
    return sent || row.message.may_be_there;
  });
}

void MemoryOutbox::supersede(const core::DeviceIdentity& identity) {
  for (Row& row : rows_) {
    const bool open = row.state == OutboxState::waiting || row.state == OutboxState::stopped;
    if (row.channel != OutboxChannel::upstream || row.message.identity != identity || !open) continue;
    row.state = OutboxState::superseded;
    row.message.body.clear();
  }
}

std::uint64_t MemoryOutbox::recover(OutboxChannel channel) {
  std::uint64_t found = 0;
  for (Row& row : rows_) {
    if (row.channel != channel || row.state != OutboxState::sending) continue;
    row.state = OutboxState::waiting;
    row.message.may_be_there = true;
    ++found;
  }
  return found;
}

std::optional<Instant> MemoryOutbox::next_due(OutboxChannel channel) const {
  std::optional<Instant> earliest;
  for (const Row& row : rows_) {
    if (row.channel != channel || row.state != OutboxState::waiting) continue;
    earliest = earliest ? std::min(*earliest, row.due_at) : row.due_at;
  }
  return earliest;
}

bool MemoryOutbox::waits_behind_another(const Row& row) const {
  if (row.message.identity.external_id.empty()) return false;
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& other) {
    return other.channel == row.channel && other.message.identity == row.message.identity && other.message.row < row.message.row &&
           on_its_way(other.state);
  });
}

std::vector<core::OutboxMessage> MemoryOutbox::claim(OutboxChannel channel, Instant now, std::size_t limit) {
  std::vector<Row*> due;
  for (Row& row : rows_) {
    if (row.channel == channel && row.state == OutboxState::waiting && row.due_at <= now && !waits_behind_another(row)) due.push_back(&row);
  }
  std::sort(due.begin(), due.end(),
            [](const Row* a, const Row* b) { return std::tie(a->due_at, a->message.row) < std::tie(b->due_at, b->message.row); });
  if (due.size() > limit) due.resize(limit);
  std::vector<core::OutboxMessage> claimed;
  for (Row* row : due) {
    row->state = OutboxState::sending;
    claimed.push_back(row->message);
  }
  return claimed;
}

void MemoryOutbox::settle(const std::vector<core::OutboxSettlement>& settlements) {
  for (const core::OutboxSettlement& settlement : settlements) {
    const auto index = static_cast<std::size_t>(settlement.row) - 1;
    if (settlement.row < 1 || index >= rows_.size() || rows_[index].state != OutboxState::sending) continue;
    Row& row = rows_[index];
    row.state = settlement.state;
    row.message.attempts = settlement.attempts;
    row.message.may_be_there = row.message.may_be_there || settlement.may_be_there;
    row.due_at = settlement.due_at;
    row.note = settlement.note;
    if (settlement.state == OutboxState::delivered) {
      row.message.body.clear();
      row.forgotten = row.channel == OutboxChannel::events;
    }
  }
}

core::OutboxEntry MemoryOutbox::entry_of(const Row& row) {
  return {row.message.row, row.state, row.message.identity.external_id, row.message.attempts, row.created_at, row.due_at, row.note};
}

std::optional<core::OutboxEntry> MemoryOutbox::find(OutboxChannel channel, core::RowId certificate) const {
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    if (row->channel == channel && row->message.certificate == certificate && !row->forgotten) return entry_of(*row);
  }
  return std::nullopt;
}

core::OutboxTotals MemoryOutbox::totals(OutboxChannel channel) const {
  core::OutboxTotals totals;
  for (const Row& row : rows_) {
    if (row.channel == channel) add_to(totals, row.state, 1, row.created_at);
  }
  return totals;
}

std::vector<core::OutboxEntry> MemoryOutbox::list(OutboxChannel channel, OutboxState state, core::RowId after, std::size_t limit) const {
  std::vector<core::OutboxEntry> page;
  for (auto index = static_cast<std::size_t>(std::max<core::RowId>(after, 0)); index < rows_.size() && page.size() < limit; ++index) {
    const Row& row = rows_[index];
    if (row.channel == channel && row.state == state && !row.forgotten) page.push_back(entry_of(row));
  }
  return page;
}

std::uint64_t MemoryOutbox::operate(const core::OutboxOrder& order) {
  const bool retry = order.act == core::OutboxOrder::Act::retry;
  std::uint64_t moved = 0;
  for (Row& row : rows_) {
    const bool meant = order.row ? row.message.row == *order.row : row.state == order.state;
    if (row.channel != order.channel || !meant || !is_operators_to_move(row.state)) continue;
    if (retry) {
      row.state = OutboxState::waiting;
      row.due_at = order.at;
      row.note.clear();
    } else {
      row.state = OutboxState::dropped;
      row.message.body.clear();
    }
    ++moved;
  }
  return moved;
}

}  // namespace birthmark::store
