// SPDX-License-Identifier: Apache-2.0
// What devices tell: events, system information, states of their apps, results of their tests (protocol facts, gateway 1.3 and 1.5).
// Everything is bounded: by size here (413), by number in the field log.
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/text.h"
#include "faces/device_door.h"
#include "faces/gateway/gateway_face.h"

namespace birthmark::faces::gateway {
namespace {

namespace json = boost::json;

constexpr std::size_t kKeptEvents = 200;
constexpr std::size_t kMaxEventBytes = 16U << 10U;
constexpr std::size_t kMaxEventsBody = 1U << 20U;
constexpr std::size_t kMaxReportBytes = 1U << 20U;
constexpr std::size_t kKeptTests = 100;
constexpr std::size_t kKeptArtifacts = 20;
constexpr const char* kEvents = "events";
constexpr const char* kTests = "tests";
constexpr const char* kArtifacts = "test-artifacts";

Result<json::value> parse(std::string_view body) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 24;
  json::value parsed = json::parse({body.data(), body.size()}, error, {}, options);
  if (error) return fail(ErrorCode::invalid, "the body is not JSON");
  return parsed;
}

bool all_strings(const json::object& object) {
  return std::all_of(object.begin(), object.end(), [](const auto& member) { return member.value().is_string(); });
}

// Empty when the body is one that this report takes.
std::string why_refused(const std::string& kind, std::string_view body) {
  if (kind == "system-info" || kind == "running-config") return {};  // taken as it is: what lshw and TOML look like is no business of ours
  const auto parsed = parse(body);
  if (!parsed) return parsed.error().public_message;
  if (!parsed->is_object()) return "the body must be a JSON object";
  const json::object& object = parsed->get_object();
  if (kind == "network" && !all_strings(object)) return "hostname, mac and local_ipv4 must be strings";
  if (kind != "apps-states") return {};
  const json::value* time = object.if_contains("deviceTime");
  if (time == nullptr || !time->is_string() || !parse_rfc3339(std::string_view(time->get_string()))) return "deviceTime must be RFC 3339";
  return {};
}

bool is_test_id(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  return id.size() >= 15 && id.size() <= 48 && std::all_of(id.begin(), id.end(), allowed);
}

bool is_artifact_name(std::string_view name) {
  const auto allowed = [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != '\\'; };
  return !name.empty() && name.size() <= 128 && name != "." && name != ".." && std::all_of(name.begin(), name.end(), allowed);
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Task<net::Response> GatewayFace::store(const core::AdmittedDevice& device, std::string kind, std::vector<std::string> bodies,
                                       std::size_t keep, net::Response success) {
  core::FieldAppend append;
  append.key = core::device_field(device.identity, std::move(kind));
  append.bodies = std::move(bodies);
  append.at = parts_.clock.now();
  append.keep = keep;
  auto written = co_await parts_.field.append(std::move(append));
  if (!written) co_return net::json_error(503, written.error().public_message);
  co_return success;
}

// aktualizr-lite halves its batch on 413 and drops an event that is too large alone; ids and times it may make up as it likes.
Task<net::Response> GatewayFace::take_events(const net::Request& request, DevicePointer device) {
  if (request.body.size() > kMaxEventsBody) co_return net::json_error(413, "too many events at once");
  const auto parsed = parse(request.body);
  if (!parsed || !parsed->is_array()) co_return net::json_error(400, "the body must be a JSON array of events");
  std::vector<std::string> events;
  for (const json::value& event : parsed->get_array()) {
    if (!event.is_object()) continue;
    std::string text = json::serialize(event);
    if (text.size() > kMaxEventBytes) co_return net::json_error(413, "an event is too large");
    events.push_back(std::move(text));
  }
  if (events.size() > kKeptEvents) events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kKeptEvents));
  const net::Response success;
  if (events.empty()) co_return success;
  const core::AdmittedDevice& who = *device;
  co_return co_await store(who, kEvents, events, kKeptEvents, success);
}

Task<net::Response> GatewayFace::take_report(const net::Request& request, DevicePointer device, std::string kind, std::size_t keep) {
  if (request.body.size() > kMaxReportBytes) co_return net::json_error(413, "the report is too large");
  if (const std::string reason = why_refused(kind, request.body); !reason.empty()) co_return net::json_error(400, reason);
  std::vector<std::string> bodies{std::string(request.body)};
  const core::AdmittedDevice& who = *device;
  const net::Response success;
  co_return co_await store(who, kind, bodies, keep, success);
}

// POST /tests, PUT /tests/<id>, PUT /tests/<id>/<artifact>.
Task<net::Response> GatewayFace::take_test(const net::Request& request, DevicePointer device) {
  const core::AdmittedDevice& who = *device;
  net::Response success;
  if (request.path == "/tests") {
    if (request.method != "POST") co_return method_not_allowed("POST");
    const auto parsed = parse(request.body);
    if (!parsed || !parsed->is_object()) co_return net::json_error(400, "the body must be a JSON object");
    json::object test = parsed->get_object();
    std::string id = member(test, "test-id");
    if (id.empty())
      id = to_hex(parts_.codec.sha256(as_bytes(format_rfc3339_ms(parts_.clock.now()) + who.identity.external_id)).view()).substr(0, 32);
    if (!is_test_id(id)) co_return net::json_error(400, "test-id has 15 to 48 letters, digits and - _");
    test["test-id"] = id;
    test["status"] = "RUNNING";
    success.status = 201;
    success.content_type = "text/plain";
    success.body = id;
    std::vector<std::string> bodies{json::serialize(test)};
    co_return co_await store(who, kTests, bodies, kKeptTests, success);
  }
  if (request.method != "PUT") co_return method_not_allowed("PUT");
  const std::string_view rest = request.path.substr(std::string_view("/tests/").size());
  const std::size_t slash = rest.find('/');
  const std::string id(rest.substr(0, slash));
  if (!is_test_id(id)) co_return net::json_error(404, "there is no such test");
  const auto known = parts_.field.newest(core::device_field(who.identity, kTests), kKeptTests);
  if (!known) co_return net::json_error(503, known.error().public_message);
  const bool begun = std::any_of(known->begin(), known->end(), [&](const core::FieldEntry& entry) {
    const auto parsed = parse(entry.body);
    return parsed && parsed->is_object() && member(parsed->get_object(), "test-id") == id;
  });
  if (!begun) co_return net::json_error(404, "there is no such test");
  if (slash != std::string_view::npos) {
    const std::string_view name = rest.substr(slash + 1);
    if (!is_artifact_name(name)) co_return net::json_error(400, "an artifact's name has 1 to 128 printable characters without /");
    std::string body = json::serialize(json::object{{"test-id", id}, {"name", std::string(name)}}) + "\n" + std::string(request.body);
    std::vector<std::string> bodies{std::move(body)};
    co_return co_await store(who, kArtifacts, bodies, kKeptArtifacts, success);
  }
  const auto parsed = parse(request.body);
  if (!parsed || !parsed->is_object()) co_return net::json_error(400, "the body must be a JSON object");
  json::object test = parsed->get_object();
  test["test-id"] = id;
  if (member(test, "status").empty()) test["status"] = "PASSED";
  json::object urls;
  const json::value* artifacts = test.if_contains("artifacts");
  if (artifacts != nullptr && artifacts->is_array()) {
    for (const json::value& name : artifacts->get_array()) {
      if (!name.is_string() || !is_artifact_name(std::string_view(name.get_string()))) continue;
      const std::string text(name.get_string());
      // The client uses its own mTLS connection when this begins with the URL it asked.
      urls[text] = json::object{{"url", "https://" + std::string(request.header("Host")) + "/tests/" + id + "/" + text},
                                {"content-type", "application/octet-stream"}};
    }
  }
  success.body = json::serialize(urls);
  std::vector<std::string> bodies{json::serialize(test)};
  co_return co_await store(who, kTests, bodies, kKeptTests, success);
}

}  // namespace birthmark::faces::gateway
