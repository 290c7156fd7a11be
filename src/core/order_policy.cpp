// SPDX-License-Identifier: Apache-2.0
#include "core/order_policy.h"

#include <algorithm>

namespace birthmark::core {
namespace {

std::optional<std::string> why_not(const OrderOffer& offer, const DeviceIdentity& identity, std::string_view hardware_id, Instant now) {
  const OrderRecord& order = offer.order;
  if (auto reason = why_not_open(order, now)) return reason;
  const std::string title = "order " + order.name;
  if (!order.pattern.empty() && !matches_glob(order.pattern, identity.external_id)) return title + " is for ids like " + order.pattern;
  const auto& allowed = order.hardware_ids;
  const std::string hardware(hardware_id);
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), hardware) == allowed.end())
    return title + " is not for hardware id " + hardware;
  if (offer.entry && !offer.entry->hardware_id.empty() && offer.entry->hardware_id != hardware)
    return title + " lists the device with hardware id " + offer.entry->hardware_id + ", not " + hardware;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(OrderState state) {
  switch (state) {
    case OrderState::importing: return "importing";
    case OrderState::open: return "open";
    case OrderState::closed: return "closed";
  }
  return "unknown";
}

// Remembers the last '*' and goes back to it: linear for one, and never worse than the product of both lengths.
bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, star = std::string_view::npos, resume = 0, p = 0;
  while (at < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = at;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[at])) {
      ++p;
      ++at;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::string> why_not_open(const OrderRecord& order, Instant now) {
  const std::string title = "order " + order.name;
  if (order.state == OrderState::importing) return title + " is still being imported";
  if (order.state == OrderState::closed) return title + " is closed";
  if (order.from && now < *order.from) return title + " begins at " + format_rfc3339(*order.from);
  if (order.until && now >= *order.until) return title + " ended at " + format_rfc3339(*order.until);
  if (order.places && order.used >= *order.places)
    return title + " is full (" + std::to_string(order.used) + " of " + std::to_string(*order.places) + ")";
  return std::nullopt;
}

std::variant<OrderOffer, std::string> choose_order(const OrderView& view, const DeviceIdentity& identity, std::string_view hardware_id,
                                                   Instant now) {
  std::string reasons;
  for (const OrderOffer& offer : view.offers) {
    const auto reason = why_not(offer, identity, hardware_id, now);
    if (!reason) return offer;
    if (!reasons.empty()) reasons += "; ";
    reasons += *reason;
  }
  if (reasons.empty()) reasons = "no order is open for it";
  return reasons;
}

}  // namespace birthmark::core
