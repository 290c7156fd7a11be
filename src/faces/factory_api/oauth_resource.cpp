// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/oauth_resource.h"

#include <algorithm>
#include <boost/json.hpp>

#include "faces/factory_api/answers.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

constexpr std::string_view kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

// Secrets are in it: nobody keeps a copy (RFC 6749 5.1).
net::Response private_answer(int status, const json::object& body) {
  net::Response response = json_answer(status, json::serialize(body));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::string field(const Call& call, std::string_view name) {
  return query_value(call.request.body, name).value_or("");
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 261 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' ||
           c == ']';
  });
}

std::int64_t seconds(Duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

}  // namespace

std::string base_url(const net::Request& request, const std::string& public_url) {
  if (!public_url.empty()) return public_url;
  const std::string_view host = request.header("Host");
  return (request.peer.encrypted ? "https://" : "http://") + std::string(is_host(host) ? host : "localhost");
}

std::vector<Route> OauthResource::routes() {
  std::vector<Route> routes;
  Route ask{"POST", "/oauth/authorization/device/", Access::everybody(), BodyKind::form, [this](const Call& call) { return begin(call); }};
  Route token_route{"POST", "/oauth/token/", Access::everybody(), BodyKind::form, [this](const Call& call) { return token(call); }};
  ask.body_bytes = 4096;
  token_route.body_bytes = 8192;
  routes.push_back(std::move(ask));
  routes.push_back(std::move(token_route));
  return routes;
}

// lmp-device-register prints every member of an error's body, and tries again for ever after a 5xx: refusals are 400 (RFC 6749 5.2).
net::Response OauthResource::refusal(const core::OauthError& error, const Call& call) {
  int status = error.unavailable ? 503 : error.code == "invalid_client" ? 401 : 400;
  const json::object body{{"error", error.code}, {"error_description", error.text}, {"message", error.text}};
  // "authorization_pending" is an answer, not an attempt.
  const bool guessed = !error.unavailable && (error.code == "invalid_client" || error.code == "invalid_grant");
  const auto wait = guessed ? parts_.failures.count(client_address(call.request, parts_.proxies), parts_.clock.uptime()) : std::nullopt;
  if (wait) status = 429;
  net::Response response = private_answer(status, body);
  if (wait) response.headers.emplace_back("Retry-After", std::to_string(wait->count()));
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

Task<net::Response> OauthResource::begin(const Call& call) {
  std::string device = field(call, "client_id"), scope = field(call, "scope");
  std::string address = client_address(call.request, parts_.proxies);
  auto outcome = co_await parts_.desk.begin(std::move(device), std::move(scope), std::move(address));
  if (auto* error = std::get_if<core::OauthError>(&outcome)) {
    // 400 here too: a device has no secret that could be wrong.
    if (error->code == "invalid_client") error->code = "invalid_request";
    co_return refusal(*error, call);
  }
  const core::DeviceCodes& codes = std::get<core::DeviceCodes>(outcome);
  const std::string page = base_url(call.request, parts_.public_url) + "/oauth/device";
  co_return private_answer(200, {{"device_code", codes.device_code},
                                 {"user_code", codes.user_code},
                                 {"verification_uri", page},
                                 {"verification_uri_complete", page + "?user_code=" + codes.user_code},
                                 {"expires_in", seconds(codes.expires_in)},
                                 {"interval", seconds(codes.interval)}});
}

Task<net::Response> OauthResource::token(const Call& call) {
  const std::string grant = field(call, "grant_type");
  std::string client = field(call, "client_id"), secret = field(call, "client_secret");
  core::TokenOutcome outcome =
      core::OauthError{"unsupported_grant_type", "'grant_type' must be client_credentials, refresh_token or " + std::string(kDeviceGrant)};
  if (grant == kDeviceGrant) {
    std::string code = field(call, "device_code");
    auto polled = co_await parts_.desk.poll(std::move(code), std::move(client));
    outcome = std::move(polled);
  } else if (grant == "client_credentials") {
    auto given = co_await parts_.desk.client_credentials(std::move(client), std::move(secret));
    outcome = std::move(given);
  } else if (grant == "refresh_token") {
    std::string refresh = field(call, "refresh_token");
    auto given = co_await parts_.desk.refresh(std::move(client), std::move(secret), std::move(refresh));
    outcome = std::move(given);
  }
  if (const auto* error = std::get_if<core::OauthError>(&outcome)) co_return refusal(*error, call);
  const core::TokenAnswer& answer = std::get<core::TokenAnswer>(outcome);
  json::object body{{"access_token", answer.access_token},
                    {"token_type", "Bearer"},
                    {"expires_in", seconds(answer.expires_in)},
                    {"scope", answer.scope},
                    {"orgs", json::array{json::object{{"name", parts_.factory}}}}};
  if (!answer.refresh_token.empty()) body["refresh_token"] = answer.refresh_token;
  co_return private_answer(200, body);
}

}  // namespace birthmark::faces::factory_api
