// SPDX-License-Identifier: Apache-2.0
// fcu.yml: any text is read, or its problems are named; nothing throws, nothing grows without bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/fcu_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace birthmark;
  const auto environment = [](const std::string& name) { return name == "A" ? std::optional<std::string>("/a") : std::nullopt; };
  const auto reading = app::read_fcu_text({reinterpret_cast<const char*>(data), size}, environment);
  for (const std::string& problem : reading.problems) BIRTHMARK_ASSERT(!problem.empty());
  BIRTHMARK_ASSERT(reading.settings.custom.size() <= 4096 && reading.settings.chain_depth <= 4);
  return 0;
}
