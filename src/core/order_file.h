// SPDX-License-Identifier: Apache-2.0
// Reads an order's list of devices, line by line in constant memory. The bytes come from outside: every line is judged, none believed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/identity.h"
#include "core/ports/orders.h"

namespace birthmark::core {

enum class OrderFileFormat : std::uint8_t {
  ids,  // one device id a line; empty lines and lines that begin with '#' are skipped
  csv,  // RFC 4180 without line breaks in fields; the first line names the columns: id, and perhaps name and hardware-id
};

class OrderFile {
 public:
  using Line = std::variant<OrderEntry, std::string>;  // or what is wrong with it
  using Take = std::function<void(std::uint64_t number, Line line)>;

  OrderFile(OrderFileFormat format, std::string factory, DeviceIdRule rule);

  // Hands every line that is complete to `take`, with its number from 1.
  void feed(std::string_view octets, const Take& take);
  // The last line may have no end.
  void finish(const Take& take);

 private:
  enum class Column : std::uint8_t { id, name, hardware_id };

  void read_line(std::string_view line, const Take& take);
  [[nodiscard]] Result<OrderEntry> read_fields(std::string_view line) const;
  [[nodiscard]] Status read_heading(std::string_view line);
  [[nodiscard]] Result<OrderEntry> checked(OrderEntry entry) const;

  const OrderFileFormat format_;
  const std::string factory_;
  const DeviceIdRule rule_;
  std::string unfinished_;
  bool too_long_ = false;  // the unfinished line is, and its rest is thrown away
  std::uint64_t number_ = 0;
  std::vector<Column> columns_;
  bool hopeless_ = false;  // the heading is wrong: what follows has no meaning
};

}  // namespace birthmark::core
