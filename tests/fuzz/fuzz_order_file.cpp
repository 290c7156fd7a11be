// SPDX-License-Identifier: Apache-2.0
// Any bytes as an order's list of devices; the first one chooses format and rule. Holds: lines come in ascending order; what is taken is an
// identity by its rule and clean text; and where the pieces of the file end changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "core/order_file.h"

namespace {

using namespace birthmark;
using core::OrderEntry;
using core::OrderFile;

using Seen = std::tuple<std::uint64_t, std::string, std::string, std::string>;

std::vector<Seen> read(core::OrderFileFormat format, core::DeviceIdRule rule, std::string_view text, std::size_t step) {
  std::vector<Seen> lines;
  std::uint64_t last = 0;
  OrderFile file(format, "acme", rule);
  const auto take = [&](std::uint64_t number, OrderFile::Line line) {
    BIRTHMARK_ASSERT(number > last);
    last = number;
    if (const auto* problem = std::get_if<std::string>(&line)) {
      BIRTHMARK_ASSERT(!problem->empty());
      lines.emplace_back(number, *problem, "", "");
      return;
    }
    const auto& entry = std::get<OrderEntry>(line);
    const auto identity = core::identify("acme", core::Ecosystem::foundries, entry.external_id, rule);
    BIRTHMARK_ASSERT(identity && identity->external_id == entry.external_id);
    BIRTHMARK_ASSERT(is_utf8(entry.name) && is_utf8(entry.hardware_id));
    BIRTHMARK_ASSERT(entry.name.find('\n') == std::string::npos && entry.hardware_id.find('\n') == std::string::npos);
    lines.emplace_back(number, entry.external_id, entry.name, entry.hardware_id);
  };
  for (std::size_t at = 0; at < text.size(); at += step) file.feed(text.substr(at, step), take);
  file.finish(take);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = (data[0] & 1U) != 0 ? core::OrderFileFormat::csv : core::OrderFileFormat::ids;
  const auto rule = (data[0] & 2U) != 0 ? core::DeviceIdRule::safe : core::DeviceIdRule::uuid;
  const std::string_view text = as_text({data + 1, size - 1});
  const auto whole = read(format, rule, text, text.size() + 1);
  BIRTHMARK_ASSERT(whole == read(format, rule, text, 1));
  BIRTHMARK_ASSERT(whole == read(format, rule, text, 13));
  return 0;
}
