// SPDX-License-Identifier: Apache-2.0
#include "core/attempt_meter.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "core/network.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kMostAccounts = 50'000;

}  // namespace

std::string metered_network(std::string_view address) {
  const auto octets = parse_address(address);
  if (!octets) return std::string(address);
  const bool mapped = std::all_of(octets->begin(), octets->begin() + 10, [](std::uint8_t o) { return o == 0; }) && (*octets)[10] == 0xff;
  return to_hex(ByteView(octets->data(), mapped ? 16 : 8));
}

double AttemptMeter::recovered(const Account& account, Duration now) const {
  const double since = static_cast<double>((now - account.at).count()) / static_cast<double>(rules_.recovers_one.count());
  return std::max(0.0, account.spent - since);
}

std::optional<std::chrono::seconds> AttemptMeter::count(std::string_view address, Duration now) {
  const std::lock_guard held(mutex_);
  if (accounts_.size() >= kMostAccounts) std::erase_if(accounts_, [&](const auto& entry) { return recovered(entry.second, now) == 0; });
  if (accounts_.size() >= kMostAccounts) accounts_.clear();
  Account& account = accounts_[metered_network(address)];
  account.spent = recovered(account, now);
  account.at = now;
  if (account.spent + 1 <= static_cast<double>(rules_.burst)) {
    account.spent += 1;
    return std::nullopt;
  }
  const double excess = account.spent - static_cast<double>(rules_.burst) + 1;
  const auto wait = std::chrono::duration_cast<std::chrono::seconds>(rules_.recovers_one).count();
  return std::chrono::seconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(excess)) * wait));
}

}  // namespace birthmark::core
