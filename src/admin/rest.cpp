// SPDX-License-Identifier: Apache-2.0
#include "admin/rest.h"

#include <algorithm>

#include "admin/rest_body.h"
#include "base/pem.h"
#include "base/text.h"
#include "core/lifecycle.h"
#include "core/order_keeper.h"
#include "core/token_keeper.h"

namespace birthmark::admin {
namespace {

constexpr std::size_t kMaxPage = 1000;

// --- devices -----------------------------------------------------------------------------------------------------------------------

json::object to_json(const core::DeviceSummary& device) {
  return {{"id", device.identity.external_id},
          {"ecosystem", std::string(to_string(device.identity.ecosystem))},
          {"status", std::string(to_string(device.status))},
          {"name", device.name},
          {"production", device.production},
          {"hardware_id", device.hardware_id},
          {"group", text_or_null(device.group)},
          {"station", device.station},
          {"serial", device.serial ? json::value(device.serial->hex()) : json::value()},
          {"spki_sha256", device.current_key ? json::value(to_hex(device.current_key->view())) : json::value()},
          {"not_after", moment_or_null(device.not_after)},
          {"created_at", format_rfc3339(device.created_at)},
          {"last_seen", moment_or_null(device.last_seen)}};
}

json::object to_json(const core::DeviceRecord& device) {
  core::DeviceSummary summary;
  summary.identity = device.identity;
  summary.status = device.status;
  summary.name = device.name;
  summary.hardware_id = device.hardware_id;
  summary.production = device.production;
  summary.station = device.station;
  summary.group = device.group;
  summary.created_at = device.created_at;
  summary.last_seen = device.last_seen;
  summary.current_key = device.current_key;
  if (device.certificate) {
    summary.serial = device.certificate->serial;
    summary.not_after = device.certificate->not_after;
  }
  json::object object = to_json(summary);
  object["certificate"] = device.certificate && !device.certificate->der.empty()
                              ? json::value(encode_pem("CERTIFICATE", device.certificate->der))
                              : json::value();
  return object;
}

Result<json::value> list_devices(const AdminParts& parts, std::string_view query) {
  core::DeviceFilter filter;
  filter.id_prefix = parameter(query, "id_prefix");
  BIRTHMARK_TRY(const auto after, number_parameter(query, "after", 0));
  BIRTHMARK_TRY(const auto limit, number_parameter(query, "limit", kMaxPage));
  BIRTHMARK_TRY(const auto page, parts.registry.list(filter, static_cast<core::RowId>(after), std::clamp<std::size_t>(limit, 1, kMaxPage)));
  json::array devices;
  for (const core::DeviceSummary& device : page) devices.push_back(to_json(device));
  const bool more = page.size() == std::clamp<std::size_t>(limit, 1, kMaxPage);
  return json::object{{"devices", std::move(devices)}, {"next", more ? json::value(page.back().row) : json::value()}};
}

Result<core::DeviceIdentity> named_device(const AdminParts& parts, std::string_view id) {
  return core::identify(parts.factory, core::Ecosystem::foundries, id, core::DeviceIdRule::safe);
}

Task<Result<core::DeviceRecord>> act_on_device(const AdminParts& parts, core::DeviceIdentity identity, std::string verb, Body& body,
                                               std::string actor) {
  core::Lifecycle lifecycle(parts.registry, parts.clock);
  core::OperatorAct act{body.text("reason"), std::move(actor)};
  std::string name = body.text("name"), group = body.text("group");
  const Duration lasts = body.span("for").value_or(std::chrono::hours(24));
  if (auto good = body.good(); !good) co_return forward_error(good);
  if (verb == "deny") co_return co_await lifecycle.deny(std::move(identity), std::move(act));
  if (verb == "allow") co_return co_await lifecycle.allow(std::move(identity), std::move(act));
  if (verb == "delete") co_return co_await lifecycle.remove(std::move(identity), std::move(act));
  if (verb == "rename") co_return co_await lifecycle.rename(std::move(identity), std::move(name), std::move(act));
  if (verb == "group") co_return co_await lifecycle.move_to_group(std::move(identity), std::move(group), std::move(act));
  if (verb == "allow-rekey") co_return co_await lifecycle.allow_rekey(std::move(identity), lasts, std::move(act));
  if (verb == "forget-key") co_return co_await lifecycle.forget_key(std::move(identity), std::move(act));
  co_return fail(ErrorCode::not_found, "there is nothing here");
}

// --- orders and tokens -------------------------------------------------------------------------------------------------------------

json::object to_json(const core::OrderRecord& order) {
  json::array hardware_ids;
  for (const std::string& hardware_id : order.hardware_ids) hardware_ids.emplace_back(hardware_id);
  return {{"name", order.name},
          {"state", std::string(to_string(order.state))},
          {"used", order.used},
          {"places", order.places ? json::value(*order.places) : json::value()},
          {"listed", order.lists_devices ? json::value(order.listed) : json::value()},
          {"pattern", text_or_null(order.pattern)},
          {"hardware_ids", std::move(hardware_ids)},
          {"production", order.production ? json::value(*order.production) : json::value()},
          {"group", text_or_null(order.group)},
          {"test", order.test},
          {"from", moment_or_null(order.from)},
          {"until", moment_or_null(order.until)},
          {"created_at", format_rfc3339(order.created_at)}};
}

Result<core::OrderRecord> read_order(const AdminParts& parts, Body& body) {
  core::OrderRecord order;
  order.factory = parts.factory;
  order.name = body.text("name");
  order.pattern = body.text("pattern");
  order.places = body.number("places");
  order.hardware_ids = body.texts("hardware_ids");
  order.production = body.flag("production");
  order.group = body.text("group");
  order.test = body.flag("test").value_or(false);
  order.from = body.moment("from");
  order.until = body.moment("until");
  order.valid_for = body.span("valid_for");
  BIRTHMARK_CHECK(body.good());
  if (order.pattern.empty() && !order.places)
    return fail(ErrorCode::invalid, "an order needs a 'pattern' or 'places'; lists come with `birthmark order create`");
  return order;
}

json::object to_json(const core::TokenRecord& token) {
  return {{"id", token.id()},
          {"scopes", token.scopes.to_string()},
          {"station", text_or_null(token.station)},
          {"created_at", format_rfc3339(token.created_at)},
          {"expires_at", moment_or_null(token.expires_at)},
          {"revoked_at", moment_or_null(token.revoked_at)}};
}

Result<core::TokenOrder> read_token(const AdminParts& parts, Body& body) {
  core::TokenOrder order;
  order.factory = parts.factory;
  const std::string scopes = body.text("scopes");
  order.station = body.text("station");
  order.expires_at = body.moment("expires_at");
  BIRTHMARK_CHECK(body.good());
  BIRTHMARK_TRY(order.scopes, core::Scopes::parse(scopes));
  return order;
}

}  // namespace

Task<net::Response> answer_devices(const AdminParts& parts, const Call& call) {
  const bool reads = call.request.method == "GET";
  if (call.path.size() == 1) {
    if (!reads) co_return method_not_allowed("GET");
    auto listed = list_devices(parts, call.request.query);
    co_return listed ? answer(200, *listed) : error_response(listed.error());
  }
  auto identity = named_device(parts, call.path[1]);
  if (!identity) co_return error_response(identity.error());
  if (call.path.size() == 2) {
    if (!reads) co_return method_not_allowed("GET");
    const auto device = parts.registry.find(*identity);
    if (!device) co_return error_response(device.error());
    co_return *device ? answer(200, to_json(**device)) : net::json_error(404, "no device '" + identity->external_id + "' is known here");
  }
  if (call.path.size() != 3) co_return not_found();
  if (call.request.method != "POST") co_return method_not_allowed("POST");
  Body body(call.request.body);
  std::string verb(call.path[2]);
  auto device = co_await act_on_device(parts, std::move(*identity), std::move(verb), body, call.actor);
  co_return device ? answer(200, to_json(*device)) : error_response(device.error());
}

Task<net::Response> answer_orders(const AdminParts& parts, const Call& call) {
  core::OrderKeeper keeper(parts.orders, parts.clock);
  const std::string_view method = call.request.method;
  if (call.path.size() == 1 && method == "GET") {
    const auto orders = parts.orders.orders();
    if (!orders) co_return error_response(orders.error());
    json::array all;
    for (const core::OrderRecord& order : *orders) all.push_back(to_json(order));
    co_return answer(200, json::object{{"orders", std::move(all)}});
  }
  if (call.path.size() == 2 && method == "GET") {
    const auto order = keeper.find(parts.factory, std::string(call.path[1]));
    co_return order ? answer(200, to_json(*order)) : error_response(order.error());
  }
  const bool creates = call.path.size() == 1;
  const bool closes = call.path.size() == 3 && call.path[2] == "close";
  if (!creates && !closes) co_return call.path.size() == 2 ? method_not_allowed("GET") : not_found();
  if (method != "POST") co_return method_not_allowed(creates ? "GET, POST" : "POST");
  Body body(call.request.body);
  core::OperatorAct act{body.text("reason"), call.actor};
  if (closes) {
    if (auto good = body.good(); !good) co_return error_response(good.error());
    std::string name(call.path[1]);
    auto closed = co_await keeper.close(parts.factory, std::move(name), std::move(act));
    co_return closed ? answer(200, to_json(*closed)) : error_response(closed.error());
  }
  auto wanted = read_order(parts, body);
  if (!wanted) co_return error_response(wanted.error());
  auto made = co_await keeper.create(std::move(*wanted), std::move(act));
  co_return made ? answer(201, to_json(*made)) : error_response(made.error());
}

Task<net::Response> answer_tokens(const AdminParts& parts, const Call& call) {
  core::TokenKeeper keeper(parts.tokens, parts.codec, parts.clock, parts.random);
  const std::string_view method = call.request.method;
  if (call.path.size() == 2 && method == "DELETE") {
    std::string id(call.path[1]);
    core::OperatorAct act{{}, call.actor};
    auto revoked = co_await keeper.revoke(std::move(id), std::move(act));
    co_return revoked ? answer(200, to_json(*revoked)) : error_response(revoked.error());
  }
  if (call.path.size() != 1) co_return call.path.size() == 2 ? method_not_allowed("DELETE") : not_found();
  if (method == "GET") {
    const auto tokens = parts.tokens.tokens();
    if (!tokens) co_return error_response(tokens.error());
    json::array all;
    for (const core::TokenRecord& token : *tokens)
      if (token.factory == parts.factory) all.push_back(to_json(token));
    co_return answer(200, json::object{{"tokens", std::move(all)}});
  }
  if (method != "POST") co_return method_not_allowed("GET, POST");
  Body body(call.request.body);
  core::OperatorAct act{body.text("reason"), call.actor};
  auto wanted = read_token(parts, body);
  if (!wanted) co_return error_response(wanted.error());
  auto made = co_await keeper.create(std::move(*wanted), std::move(act));
  if (!made) co_return error_response(made.error());
  json::object shown = to_json(made->record);
  shown["token"] = made->text;  // this once
  co_return answer(201, shown);
}

}  // namespace birthmark::admin
