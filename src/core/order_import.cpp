// SPDX-License-Identifier: Apache-2.0
#include "core/order_import.h"

#include <algorithm>

namespace birthmark::core {
namespace {

constexpr std::size_t kBatch = 500;  // entries a transaction: registrations go on between two of them

}  // namespace

void OrderImport::note(std::uint64_t line, OrderFile::Line judged) {
  if (auto* entry = std::get_if<OrderEntry>(&judged)) {
    waiting_.emplace_back(line, std::move(*entry));
  } else {
    refuse(line, std::get<std::string>(judged));
  }
}

void OrderImport::refuse(std::uint64_t line, const std::string& problem) {
  ++refused_;
  report_(line, problem);
}

Task<Status> OrderImport::feed(std::string_view octets) {
  file_.feed(octets, [this](std::uint64_t line, OrderFile::Line judged) { note(line, std::move(judged)); });
  co_return co_await write_batches(kBatch);
}

Task<Status> OrderImport::finish() {
  file_.finish([this](std::uint64_t line, OrderFile::Line judged) { note(line, std::move(judged)); });
  co_return co_await write_batches(1);
}

Task<Status> OrderImport::write_batches(std::size_t until_below) {
  std::size_t first = 0;
  while (waiting_.size() - first >= until_below) {
    auto written = co_await write_batch(first);
    if (!written) co_return written;
    first += std::min(kBatch, waiting_.size() - first);
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first));
  co_return Status{};
}

Task<Status> OrderImport::write_batch(std::size_t first) {
  const std::size_t count = std::min(kBatch, waiting_.size() - first);
  std::vector<OrderEntry> entries;
  entries.reserve(count);
  for (std::size_t i = first; i < first + count; ++i) entries.push_back(waiting_[i].second);
  auto doubles = co_await orders_.add_entries(import_, std::move(entries));
  if (!doubles) co_return forward_error(doubles);
  for (const std::size_t index : *doubles) {
    const auto& [line, entry] = waiting_[first + index];
    refuse(line, "device " + entry.external_id + " is on this order's list already, or stands twice in the file");
  }
  taken_ += count - doubles->size();
  co_return Status{};
}

}  // namespace birthmark::core
