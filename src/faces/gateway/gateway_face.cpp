// SPDX-License-Identifier: Apache-2.0
// Who asks, then what he asks for.
#include "faces/gateway/gateway_face.h"

#include <array>

#include "base/crash_point.h"
#include "base/text.h"
#include "faces/device_door.h"

namespace birthmark::faces::gateway {
namespace {

constexpr std::string_view kEstPath = "/.well-known/est/";

std::optional<std::string_view> optional_header(const net::Request& request, std::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (field.size() == name.size() && to_lower(field) == name) return value;
  }
  return std::nullopt;
}

core::StateHeaders state_headers(const net::Request& request) {
  return {.tag = optional_header(request, "x-ats-tags"),
          .target = optional_header(request, "x-ats-target"),
          .ostree_hash = optional_header(request, "x-ats-ostreehash"),
          .apps = optional_header(request, "x-ats-dockerapps")};
}

bool is_read(const net::Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

}  // namespace

GatewayFace::GatewayFace(GatewayParts parts, GatewaySettings settings, net::Handler* est)
    : parts_(parts),
      settings_(std::move(settings)),
      configs_(parts.field),
      repository_(settings_.repository),
      ostree_(settings_.ostree),
      est_(est) {}

// Whatever a device asks, the server may be gone before it was done, or when it was done and not yet said.
Task<net::Response> GatewayFace::handle(const net::Request& request) {
  BIRTHMARK_CRASH_POINT("gateway.before_request");
  auto response = co_await answer(request);
  BIRTHMARK_CRASH_POINT("gateway.before_answer");
  co_return response;
}

Task<net::Response> GatewayFace::answer(const net::Request& request) {
  if (est_ != nullptr && request.path.starts_with(kEstPath)) co_return co_await est_->handle(request);
  const Instant now = parts_.clock.now();
  auto outcome = co_await admit_peer(parts_.gate, request, now);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) co_return refusal_response(*refusal);
  const DevicePointer device = std::get<DevicePointer>(std::move(outcome));
  parts_.contacts.note(*device, state_headers(request), now);
  co_return co_await serve(request, device);
}

// The rows of protocol facts, gateway 1.3, in their order.
Task<net::Response> GatewayFace::serve(const net::Request& request, DevicePointer device) {
  const std::string_view path = request.path, method = request.method;
  if (path == "/config") {
    if (is_read(request)) co_return co_await deliver_config(request, device);
    if (method == "PATCH") co_return co_await change_config(request, device);
    co_return method_not_allowed("GET, HEAD, PATCH");
  }
  if (path == "/config-device") co_return is_read(request) ? deliver_own_config(*device) : method_not_allowed("GET, HEAD");
  if (path == "/device") {
    if (is_read(request)) co_return show_device(*device);
    if (method == "PATCH") co_return co_await announce_key(request, device);
    co_return method_not_allowed("GET, HEAD, PATCH");
  }
  if (path.starts_with("/repo/")) co_return is_read(request) ? serve_repository(request, *device) : method_not_allowed("GET, HEAD");
  if (path == "/ostree/download-urls") {
    net::Response none;
    none.status = 204;
    co_return method == "POST" ? none : method_not_allowed("POST");
  }
  if (path.starts_with("/ostree/")) co_return is_read(request) ? serve_ostree(request) : method_not_allowed("GET, HEAD");
  if (path == "/events") {
    if (method != "POST") co_return method_not_allowed("POST");
    co_return co_await take_events(request, device);
  }
  if (path == "/tests" || path.starts_with("/tests/")) co_return co_await take_test(request, device);
  if (path == "/app-proxy-url" && !settings_.app_proxy_url.empty()) {
    net::Response answer;
    answer.status = 201;
    answer.content_type = "text/plain";
    answer.body = settings_.app_proxy_url;
    co_return method == "POST" ? answer : method_not_allowed("POST");
  }
  struct Report {
    std::string_view path, method, kind;
    std::size_t keep;
  };
  constexpr std::array<Report, 5> kReports{{{"/system_info", "PUT", "system-info", 1},
                                            {"/system_info/network", "PUT", "network", 1},
                                            {"/system_info/config", "PUT", "running-config", 1},
                                            {"/apps-states", "POST", "apps-states", 10},
                                            {"/ecus", "PUT", "ecus", 1}}};
  for (const Report& report : kReports) {
    if (path != report.path) continue;
    if (method != report.method) co_return method_not_allowed(report.method);
    std::string kind(report.kind);
    co_return co_await take_report(request, device, kind, report.keep);
  }
  co_return net::json_error(404, "Not Found");
}

}  // namespace birthmark::faces::gateway
