// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/approval_resource.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "core/secret_text.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/approval_page.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr std::string_view kCookie = "birthmark_approval";
constexpr const char* kLoginHeading = "Register a device";
constexpr const char* kCodeHeading = "Which device?";

Task<net::Response> at_once(net::Response response) {
  co_return response;
}

std::string field(const Call& call, std::string_view name) {
  return query_value(call.request.body, name).value_or("");
}

std::string cookie(const net::Request& request, std::string_view name) {
  std::string_view rest = request.header("Cookie");
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return std::string(pair.substr(equals + 1));
  }
  return {};
}

void set_cookie(net::Response& response, const net::Request& request, const std::string& value, Duration lasts) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(lasts).count();
  response.headers.emplace_back("Set-Cookie", std::string(kCookie) + "=" + value + "; Path=/oauth/device; Max-Age=" + std::to_string(age) +
                                                  "; HttpOnly; SameSite=Strict" + (request.peer.encrypted ? "; Secure" : ""));
}

// A browser says which page a form came from; one that names another site is not answered, cookie or not.
bool from_elsewhere(const net::Request& request) {
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = request.header("Origin");
  if (origin.empty()) return false;
  const std::size_t host = origin.find("://");
  return host == std::string_view::npos || origin.substr(host + 3) != request.header("Host");
}

}  // namespace

std::vector<Route> ApprovalResource::routes() {
  std::vector<Route> routes;
  routes.push_back({"GET", "/oauth/device", Access::everybody(), BodyKind::none, [this](const Call& call) { return at_once(show(call)); }});
  Route answer{"POST", "/oauth/device", Access::everybody(), BodyKind::form, [this](const Call& call) { return post(call); }};
  answer.body_bytes = 8192;
  routes.push_back(std::move(answer));
  return routes;
}

std::optional<ApprovalResource::Session> ApprovalResource::session_of(const net::Request& request) const {
  std::string text = cookie(request, kCookie);
  if (text.empty()) return std::nullopt;
  auto grant = parts_.desk.grant(text, core::GrantKind::session);
  if (!grant) log::warning("approval.session_unread", {{"reason", grant.error().describe()}});
  if (!grant || !*grant) return std::nullopt;
  return Session{std::move(**grant), std::move(text)};
}

std::string ApprovalResource::proof_of(const Session& session, std::string_view code) const {
  const std::string text = "birthmark approval form 1\n" + session.text + "\n" + std::string(code);
  return to_hex(parts_.codec.sha256(as_bytes(text)).view());
}

std::optional<std::chrono::seconds> ApprovalResource::count_failure(const net::Request& request) {
  return parts_.failures.count(client_address(request, parts_.proxies), parts_.clock.uptime());
}

net::Response ApprovalResource::code_page(const Session& session, const std::string& code, const std::string& problem, int status) const {
  return approval_page(status, kCodeHeading, problem, code_form(code, proof_of(session, ""), session.grant.bearer));
}

net::Response ApprovalResource::device_page(const Session& session, const core::AuthorizationRecord& asked) const {
  return approval_page(200, "Approve this device?", {},
                       decision_form(asked, proof_of(session, asked.user_code), session.grant.bearer, parts_.clock.now()));
}

net::Response ApprovalResource::show(const Call& call) {
  const std::string code = query_value(call.request.query, "user_code").value_or("");
  const auto session = session_of(call.request);
  if (!session) return approval_page(200, kLoginHeading, {}, login_form(parts_.factory, code));
  return code.empty() ? code_page(*session, {}, {}, 200) : look(*session, code, call.request);
}

net::Response ApprovalResource::look(const Session& session, const std::string& code, const net::Request& request) {
  const auto asked = parts_.desk.waiting(code);
  if (asked) return device_page(session, *asked);
  if (asked.error().code != ErrorCode::not_found) return code_page(session, code, asked.error().public_message, 503);
  const auto wait = count_failure(request);
  if (!wait) return code_page(session, code, asked.error().public_message, 404);
  net::Response slow = code_page(session, code, "Too many wrong codes; wait " + std::to_string(wait->count()) + " seconds.", 429);
  slow.headers.emplace_back("Retry-After", std::to_string(wait->count()));
  return slow;
}

Task<net::Response> ApprovalResource::post(const Call& call) {
  if (from_elsewhere(call.request))
    co_return approval_page(403, kLoginHeading, "This form came from another site; open the page itself.", {});
  const std::string action = field(call, "action");
  if (action == "login") co_return co_await log_in(call);
  auto session = session_of(call.request);
  const std::string code = field(call, "user_code");
  if (!session) co_return approval_page(401, kLoginHeading, "Your login is over.", login_form(parts_.factory, code));
  const bool decision = action == "approve" || action == "refuse";
  const std::string wanted = proof_of(*session, decision ? core::normal_user_code(code) : std::string());
  const auto same = [&](const std::string& shown) {
    return core::equal_in_constant_time(parts_.codec.sha256(as_bytes(shown)), parts_.codec.sha256(as_bytes(wanted)));
  };
  if (!same(field(call, "proof"))) co_return code_page(*session, code, "This form is not ours; look at the device again.", 403);
  if (decision) {
    Session mine = std::move(*session);
    co_return co_await decide(call, std::move(mine));
  }
  if (action == "look") co_return look(*session, code, call.request);
  if (action != "leave") co_return code_page(*session, code, "The form is incomplete.", 400);
  std::string text = session->text;
  const auto closed = co_await parts_.desk.close_session(std::move(text));
  if (!closed) co_return code_page(*session, code, closed.error().public_message, 503);
  net::Response page = approval_page(200, kLoginHeading, {}, login_form(parts_.factory, {}));
  set_cookie(page, call.request, {}, Duration::zero());
  co_return page;
}

Task<net::Response> ApprovalResource::log_in(const Call& call) {
  const std::string code = field(call, "user_code"), token = field(call, "token");
  const Instant now = parts_.clock.now();
  std::string problem = "This token is not good here.";
  int status = 401;
  for (Authenticator* authenticator : parts_.authenticators) {
    auto recognised = authenticator->recognise(token, now);
    if (!recognised) continue;
    auto* caller = std::get_if<Caller>(&*recognised);
    if (caller == nullptr) break;
    if (!caller->device.empty() || !caller->scopes.hold(core::Scope::devices_create)) {
      problem = "This token may not create devices.";
      status = 403;
      break;
    }
    std::string user = caller->user_id, bearer = caller->name;
    const core::Scopes scopes = caller->scopes;
    auto opened = co_await parts_.desk.open_session(std::move(user), std::move(bearer), scopes);
    if (!opened) co_return approval_page(503, kLoginHeading, opened.error().public_message, login_form(parts_.factory, code));
    // What follows is a GET, so that a reload sends no token again.
    net::Response go = approval_page(303, kCodeHeading, {}, {});
    const std::string normal = core::normal_user_code(code);
    go.headers.emplace_back("Location", normal.empty() ? "/oauth/device" : "/oauth/device?user_code=" + normal);
    set_cookie(go, call.request, *opened, parts_.desk.rules().session_lifetime);
    co_return go;
  }
  const auto wait = count_failure(call.request);
  net::Response again = approval_page(wait ? 429 : status, kLoginHeading,
                                      wait ? "Too many wrong tokens; wait " + std::to_string(wait->count()) + " seconds." : problem,
                                      login_form(parts_.factory, code));
  if (wait) again.headers.emplace_back("Retry-After", std::to_string(wait->count()));
  co_return again;
}

Task<net::Response> ApprovalResource::decide(const Call& call, Session session) {
  std::string code = field(call, "user_code");
  const auto decision = field(call, "action") == "approve" ? core::AuthorizationState::approved : core::AuthorizationState::refused;
  core::Decider decider{session.grant.user_id, session.grant.bearer, client_address(call.request, parts_.proxies)};
  auto decided = co_await parts_.desk.decide(code, decision, std::move(decider));
  if (!decided)
    co_return code_page(session, code, decided.error().public_message, decided.error().code == ErrorCode::not_found ? 404 : 503);
  co_return approval_page(200, decision == core::AuthorizationState::approved ? "Approved" : "Refused", {}, outcome_text(*decided));
}

}  // namespace birthmark::faces::factory_api
