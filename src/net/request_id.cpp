// SPDX-License-Identifier: Apache-2.0
#include "net/request_id.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>

namespace birthmark::net {
namespace {

constexpr std::size_t kLongest = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

std::string in_hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return {digits.data(), end.ptr};
}

// Of this process: six digits that follow from when it began and as what.
const std::string& process_name() {
  static const std::string made = [] {
    const auto began = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    const std::uint64_t mixed = (began ^ (static_cast<std::uint64_t>(::getpid()) << 32U)) * 0x9e3779b97f4a7c15U;
    return in_hex(0x100000U + (mixed >> 40U) % 0xe00000U);
  }();
  return made;
}

}  // namespace

std::string request_id(std::string_view presented) {
  if (!presented.empty() && presented.size() <= kLongest && std::all_of(presented.begin(), presented.end(), is_plain))
    return std::string(presented);
  static std::atomic<std::uint64_t> count{0};
  return process_name() + '-' + in_hex(count.fetch_add(1, std::memory_order_relaxed) + 1);
}

}  // namespace birthmark::net
