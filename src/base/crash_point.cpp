// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.h"

#ifdef BIRTHMARK_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace birthmark {
namespace {

struct Wanted {
  std::string name;
  long pass = 1;
};

Wanted read_wanted() {
  const char* const value = std::getenv("BIRTHMARK_CRASH_AT");
  if (value == nullptr) return {};
  const std::string_view text(value);
  const std::size_t colon = text.find(':');
  Wanted wanted{std::string(text.substr(0, colon)), 1};
  if (colon != std::string_view::npos) wanted.pass = std::strtol(std::string(text.substr(colon + 1)).c_str(), nullptr, 10);
  return wanted;
}

}  // namespace

void crash_point(const char* name) {
  static const Wanted wanted = read_wanted();
  static std::atomic<long> passes{0};
  if (wanted.name.empty() || wanted.name != name) return;
  if (passes.fetch_add(1) + 1 == wanted.pass) static_cast<void>(std::raise(SIGKILL));
}

}  // namespace birthmark

#endif
