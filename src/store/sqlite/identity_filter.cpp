// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/identity_filter.h"

#include <functional>
#include <string_view>

#include "base/log.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sql.h"

namespace birthmark::store {
namespace {

// 4 MB: 16 bits an identity, and one wrong "perhaps" in a hundred, at two million devices; it fades slowly beyond.
constexpr unsigned kWordBits = 19;
constexpr unsigned kBitsPerIdentity = 4;

}  // namespace

IdentityFilter::IdentityFilter() : words_(std::size_t{1} << kWordBits) {}

IdentityFilter::~IdentityFilter() {
  stop();
}

void IdentityFilter::stop() {
  stopping_ = true;
  if (reader_.joinable()) reader_.join();
}

void IdentityFilter::learn(Connection connection) {
  reader_ = std::thread([this, mine = std::move(connection)]() mutable {
    auto learned = read_all(mine);
    if (learned)
      complete_.store(!stopping_, std::memory_order_release);
    else
      log::warning("registry.filter_not_loaded", {{"reason", learned.error().describe()}});  // slower, not wrong
  });
}

Status IdentityFilter::read_all(Connection& connection) {
  BIRTHMARK_TRY(Statement * row, connection.prepared(sql::kEveryIdentity));
  const Statement::Use use(*row);
  while (!stopping_) {
    BIRTHMARK_TRY(const bool found, row->step());
    if (!found) break;
    add(read_external_id(*row, 0), static_cast<core::Ecosystem>(row->integer(1)));
  }
  return {};
}

// All bits of an identity lie in one word: one cache miss for each question.
IdentityFilter::Place IdentityFilter::place(std::string_view external_id, core::Ecosystem ecosystem) {
  std::uint64_t hash = std::hash<std::string_view>{}(external_id) ^ (static_cast<std::uint64_t>(ecosystem) << 56U);
  hash *= 0x9e3779b97f4a7c15U;
  Place found{hash >> (64U - kWordBits), 0};
  for (unsigned i = 0; i < kBitsPerIdentity; ++i) found.bits |= std::uint64_t{1} << ((hash >> (6U * i)) & 63U);
  return found;
}

void IdentityFilter::add(std::string_view external_id, core::Ecosystem ecosystem) {
  const Place mine = place(external_id, ecosystem);
  words_[mine.word].fetch_or(mine.bits, std::memory_order_relaxed);
}

void IdentityFilter::add(const core::DeviceIdentity& identity) {
  add(identity.external_id, identity.ecosystem);
}

// Whoever saw a row committed sees its bits too: the writer set them before the commit, and the commit orders the two.
bool IdentityFilter::surely_absent(const core::DeviceIdentity& identity) const {
  if (!complete()) return false;
  const Place asked = place(identity.external_id, identity.ecosystem);
  return (words_[asked.word].load(std::memory_order_relaxed) & asked.bits) != asked.bits;
}

}  // namespace birthmark::store
