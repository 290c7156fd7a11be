// SPDX-License-Identifier: Apache-2.0
#include "core/order_keeper.h"

#include <algorithm>

#include "core/token_keeper.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kDiscardBatch = 1000;
constexpr std::size_t kReleasePage = 200;

Status check_order(const OrderRecord& order) {
  if (!check_station_name(order.name))
    return fail(ErrorCode::invalid, "an order's name has 1 to 64 letters, digits and - _ . and begins with a letter");
  if (order.from && order.until && *order.until <= *order.from) return fail(ErrorCode::invalid, "the order would end before it begins");
  if (order.places && *order.places == 0) return fail(ErrorCode::invalid, "an order for no device at all");
  if (order.valid_for && !order.test) return fail(ErrorCode::invalid, "only test orders have a validity of their own");
  if (order.valid_for && *order.valid_for <= Duration::zero()) return fail(ErrorCode::invalid, "certificates that are never valid");
  for (const std::string& hardware_id : order.hardware_ids)
    if (hardware_id.empty() || hardware_id.find('\n') != std::string::npos) return fail(ErrorCode::invalid, "an empty hardware id");
  return {};
}

std::string or_empty(const std::optional<Instant>& at) {
  return at ? format_rfc3339(*at) : std::string();
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined.append(joined.empty() ? "" : ",").append(text);
  return joined;
}

std::string created_body(const OrderRecord& order, std::uint64_t listed, Instant at, const OperatorAct& act) {
  return audit_body(AuditEvent::order_created, at,
                    {{"factory", order.factory},
                     {"order", order.name},
                     {"listed", std::to_string(listed)},
                     {"pattern", order.pattern},
                     {"places", order.places ? std::to_string(*order.places) : std::string()},
                     {"hardware_ids", join(order.hardware_ids)},
                     {"from", or_empty(order.from)},
                     {"until", or_empty(order.until)},
                     {"production", order.production ? (*order.production ? "true" : "false") : ""},
                     {"group", order.group},
                     {"test", order.test ? "true" : "false"},
                     {"valid_for", order.valid_for ? format_duration(*order.valid_for) : std::string()},
                     {"reason", act.reason},
                     {"actor", act.actor}});
}

}  // namespace

Result<OrderRecord> OrderKeeper::find(const std::string& factory, const std::string& name) {
  BIRTHMARK_TRY(auto all, orders_.orders());
  for (OrderRecord& order : all)
    if (order.factory == factory && order.name == name) return std::move(order);
  return fail(ErrorCode::not_found, "there is no order " + name);
}

Task<Result<OrderRecord>> OrderKeeper::create(OrderRecord order, OperatorAct act) {
  if (auto checked = check_order(order); !checked) co_return forward_error(checked);
  order.created_at = clock_.now();
  std::string body = created_body(order, 0, order.created_at, act);
  co_return co_await orders_.create_order(std::move(order), std::move(body));
}

Task<Result<OrderRecord>> OrderKeeper::close(std::string factory, std::string name, OperatorAct act) {
  auto order = find(factory, name);
  if (!order) co_return forward_error(order);
  std::string body = audit_body(
      AuditEvent::order_closed, clock_.now(),
      {{"factory", factory}, {"order", name}, {"used", std::to_string(order->used)}, {"reason", act.reason}, {"actor", act.actor}});
  const RowId row = order->row;
  co_return co_await orders_.close_order(row, std::move(body));
}

Task<Status> OrderKeeper::clear_leftovers(OrderRecord order) {
  auto left = orders_.unfinished_imports(order.row);
  if (!left) co_return forward_error(left);
  if (left->empty() && order.state == OrderState::importing) {
    auto import = co_await orders_.begin_import(order.row);  // its discarding takes the order with it
    if (!import) co_return forward_error(import);
    left->push_back(*import);
  }
  for (const RowId import : *left) {
    auto gone = co_await give_up(import);
    if (!gone) co_return gone;
  }
  co_return Status{};
}

Task<Result<StagedOrder>> OrderKeeper::stage(OrderRecord order) {
  if (auto checked = check_order(order); !checked) co_return forward_error(checked);
  const auto earlier = find(order.factory, order.name);
  if (earlier && earlier->state == OrderState::importing) {
    auto cleared = co_await clear_leftovers(*earlier);
    if (!cleared) co_return forward_error(cleared);
  }
  order.state = OrderState::importing;
  order.lists_devices = true;
  order.created_at = clock_.now();
  std::string no_audit;
  auto made = co_await orders_.create_order(std::move(order), std::move(no_audit));
  if (!made) co_return forward_error(made);
  const RowId row = made->row;
  auto import = co_await orders_.begin_import(row);
  if (!import) co_return forward_error(import);
  co_return StagedOrder{std::move(*made), *import, true};
}

Task<Result<StagedOrder>> OrderKeeper::stage_more(std::string factory, std::string name) {
  auto order = find(factory, name);
  if (!order) co_return forward_error(order);
  if (order->state != OrderState::open)
    co_return fail(ErrorCode::conflict, "order " + name + " is " + std::string(to_string(order->state)));
  if (!order->lists_devices) co_return fail(ErrorCode::conflict, "order " + name + " has no list: it takes any device that fits it");
  auto cleared = co_await clear_leftovers(*order);
  if (!cleared) co_return forward_error(cleared);
  const RowId row = order->row;
  auto import = co_await orders_.begin_import(row);
  if (!import) co_return forward_error(import);
  co_return StagedOrder{std::move(*order), *import, false};
}

Task<Result<OrderRecord>> OrderKeeper::finish(StagedOrder staged, std::uint64_t entries, OperatorAct act) {
  const Instant now = clock_.now();
  std::string body = created_body(staged.order, entries, now, act);
  if (!staged.fresh) {
    body = audit_body(AuditEvent::order_extended, now,
                      {{"factory", staged.order.factory},
                       {"order", staged.order.name},
                       {"listed", std::to_string(entries)},
                       {"reason", act.reason},
                       {"actor", act.actor}});
  }
  const RowId import = staged.import;
  co_return co_await orders_.finish_import(import, std::move(body));
}

Task<Status> OrderKeeper::give_up(RowId import) {
  for (;;) {
    auto gone = co_await orders_.discard_import(import, kDiscardBatch);
    if (!gone) co_return forward_error(gone);
    if (*gone) co_return Status{};
  }
}

Task<Result<std::uint64_t>> OrderKeeper::release_unseen(Instant before, std::string station, OperatorAct act) {
  std::uint64_t released = 0;
  RowId after = 0;
  for (;;) {
    auto page = orders_.unseen(before, station, after, kReleasePage);
    if (!page) co_return forward_error(page);
    if (page->empty()) co_return released;
    for (UnseenDevice& device : *page) {
      after = device.certificate;
      std::string body = audit_body(AuditEvent::device_released, clock_.now(),
                                    {{"factory", device.identity.factory},
                                     {"ecosystem", std::string(to_string(device.identity.ecosystem))},
                                     {"id", device.identity.external_id},
                                     {"station", device.station},
                                     {"issued_at", format_rfc3339(device.issued_at)},
                                     {"reason", act.reason},
                                     {"actor", act.actor}});
      const RowId certificate = device.certificate;
      auto done = co_await orders_.release_unseen(std::move(device.identity), certificate, std::move(body));
      if (!done) co_return forward_error(done);
      if (*done) ++released;
    }
  }
}

}  // namespace birthmark::core
