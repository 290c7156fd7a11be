// SPDX-License-Identifier: Apache-2.0
// Stages an order's list from the pieces of a file: judges every line, writes the good ones in batches, reports the bad ones. What it
// stages has no effect until OrderKeeper::finish. Memory does not grow with the file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/order_file.h"

namespace birthmark::core {

class OrderImport {
 public:
  // Called for each line that cannot be taken, in the order of the file as far as lines are wrong in themselves; what stands twice is found
  // a batch later.
  using Report = std::function<void(std::uint64_t line, const std::string& problem)>;

  OrderImport(Orders& orders, RowId import, OrderFile file, Report report)
      : orders_(orders), import_(import), file_(std::move(file)), report_(std::move(report)) {}

  [[nodiscard]] Task<Status> feed(std::string_view octets);
  [[nodiscard]] Task<Status> finish();

  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  void note(std::uint64_t line, OrderFile::Line judged);
  void refuse(std::uint64_t line, const std::string& problem);
  [[nodiscard]] Task<Status> write_batches(std::size_t until_below);
  [[nodiscard]] Task<Status> write_batch(std::size_t first);

  Orders& orders_;
  const RowId import_;
  OrderFile file_;
  const Report report_;
  std::vector<std::pair<std::uint64_t, OrderEntry>> waiting_;
  std::uint64_t taken_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace birthmark::core
