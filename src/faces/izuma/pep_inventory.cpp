// SPDX-License-Identifier: Apache-2.0
// What was provisioned, as pep's clients read it back: one id, one key, or the paged list (protocol facts, pep 1.2).
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "faces/izuma/pep_face.h"

namespace birthmark::faces::izuma {
namespace {

constexpr std::size_t kUsualLimit = 50;
constexpr std::size_t kLargestLimit = 1000;
constexpr std::size_t kIdDigits = 24;
constexpr std::size_t kTimeDigits = 8;

net::Response plain(int status, std::string body) {
  return {.status = status, .content_type = "text/html; charset=utf-8", .body = std::move(body), .headers = {}, .on_delivered = {}};
}

std::string hex(std::uint64_t number, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0; --i, number >>= 4U) text[i - 1] = "0123456789abcdef"[number & 15U];
  return text;
}

// 24 hexadecimal digits, as the original's: seconds, then the row.
std::string list_id(const core::GatewayRecord& gateway) {
  const auto seconds = static_cast<std::uint64_t>(to_unix_ms(gateway.created_at) / 1000);
  return hex(seconds, kTimeDigits) + hex(static_cast<std::uint64_t>(gateway.row), kIdDigits - kTimeDigits);
}

std::optional<core::RowId> row_of(std::string_view id) {
  if (id.size() != kIdDigits || !from_hex(id)) return std::nullopt;
  std::uint64_t row = 0;
  const std::string_view digits = id.substr(kTimeDigits);
  std::from_chars(digits.data(), digits.data() + digits.size(), row, 16);
  if (row == 0 || row > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return static_cast<core::RowId>(row);
}

// parseInt's way: leading digits; nothing, zero and what is negative is the usual.
std::size_t limit_of(std::string_view text) {
  std::size_t limit = 0;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit == 0 ? kUsualLimit : std::min(limit, kLargestLimit);
}

std::string_view member(std::string_view fields, std::string_view name) {
  const std::string key = json_string(name) + ":";
  const std::size_t at = fields.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  std::size_t end = begin + 1;
  while (end < fields.size() && fields[end] != '"') end += fields[end] == '\\' ? 2 : 1;
  return fields.substr(begin, end + 1 - begin);
}

}  // namespace

std::string identity_document(const core::GatewayRecord& gateway, std::string_view id) {
  const std::string created = std::to_string(to_unix_ms(gateway.created_at));
  const std::string_view services = member(gateway.draft.fields, "gatewayServicesAddress");
  std::string json = "{";
  if (!id.empty()) json += "\"createdAt\":" + created + ",\"_id\":" + json_string(id) + ",";
  json += gateway.draft.fields;
  json += ",\"deployed\":true";
  if (!services.empty()) json.append(",\"cloudAddress\":").append(services);
  if (id.empty()) json += ",\"createdAt\":" + created;
  json += ",\"enrollmentID\":" + json_string(gateway.enrollment_id) + "}";
  return json;
}

bool PepFace::may_read(const core::Admission& admission) const {
  return admission.proof != core::Proof::open_network || core::contains(settings_.inventory_networks, admission.origin.peer_address);
}

net::Response PepFace::read_by_serial(const net::Request& request, bool verification_key) const {
  const auto query = Query::parse(request.query);
  if (!query) return net::json_error(400, query.error().public_message);
  const auto serial = query->find("serialNumber");
  if (!serial || serial->empty()) return net::json_error(400, "serialNumber is missing");
  const auto gateway = parts_.keeper.provisioned(std::string(*serial));
  if (!gateway) return net::json_error(503, gateway.error().public_message);
  if (!*gateway) return plain(404, "Not found!");
  return plain(200, verification_key ? (*gateway)->draft.verification_key : (*gateway)->enrollment_id);
}

net::Response PepFace::list(const net::Request& request, std::string_view prefix) const {
  const auto query = Query::parse(request.query);
  if (!query) return net::json_error(400, query.error().public_message);
  const std::size_t limit = limit_of(query->find("limit").value_or(std::string_view()));
  const bool ascending = to_lower(query->find("order").value_or(std::string_view())) == "asc";
  const std::string_view last = query->find("last").value_or(std::string_view());
  const auto row = last.empty() ? core::RowId{0} : row_of(last);
  if (!row) return net::json_error(400, "last must be the _id of the last row of the page before");
  const auto order = ascending ? core::ListOrder::ascending : core::ListOrder::descending;
  // One more than asked for tells whether there is a next page.
  auto rows = parts_.gateways.list(parts_.factory, order, *row, limit + 1);
  if (!rows) return net::json_error(503, rows.error().public_message);
  const bool more = rows->size() > limit;
  if (more) rows->pop_back();

  const std::string order_name = ascending ? "ASC" : "DESC";
  const std::string base = std::string(prefix) + "/enrollment-ids?order=" + order_name + "&limit=" + std::to_string(limit) + "&last=";
  std::string json = "{\"_links\":{\"self\":{\"href\":" + json_string(base + std::string(last)) + "}";
  if (more) json += ",\"next\":{\"href\":" + json_string(base + list_id(rows->back())) + "}";
  json += "},\"results\":[";
  for (const core::GatewayRecord& gateway : *rows) {
    if (&gateway != &rows->front()) json += ',';
    json += identity_document(gateway, list_id(gateway));
  }
  json += "],\"total_count\":" + std::to_string(rows->size()) + ",\"limit\":" + std::to_string(limit) +
          ",\"order\":" + json_string(order_name) + "}";
  net::Response response;
  response.content_type = "application/json; charset=utf-8";
  response.body = std::move(json);
  return response;
}

}  // namespace birthmark::faces::izuma
