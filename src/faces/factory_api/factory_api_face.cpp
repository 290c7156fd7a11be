// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/factory_api_face.h"

#include "base/result.h"
#include "base/text.h"
#include "faces/factory_api/answers.h"
#include "net/authorization.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr std::string_view kFactoryParameter = "factory";

// "/a/b/" and "/a/b" are the same path: {"a", "b"}.
std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return segments;
  for (;;) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

std::string media_type(std::string_view content_type) {
  std::string type = to_lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type;
}

bool is_json(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

std::optional<net::Response> why_wrong_body(const net::Request& request, const Route& route) {
  if (route.body == BodyKind::none) return std::nullopt;
  if (request.body.size() > route.body_bytes) return net::json_error(413, "the request body is too large for this path");
  if (route.body == BodyKind::optional_json && request.body.empty()) return std::nullopt;
  if (route.body == BodyKind::form) {
    if (media_type(request.content_type) == "application/x-www-form-urlencoded") return std::nullopt;
    return net::json_error(415, "the request body must be application/x-www-form-urlencoded");
  }
  if (is_json(request.content_type)) return std::nullopt;
  return net::json_error(415, "the request body must be application/json");
}

}  // namespace

// A route with its pattern taken apart: the name of a parameter, or the text that must stand there.
struct FactoryApiFace::CompiledRoute {
  struct Segment {
    bool parameter = false;
    std::string text;
  };
  Route route;
  std::vector<Segment> segments;

  [[nodiscard]] bool fits(const std::vector<std::string_view>& path) const {
    if (path.size() != segments.size()) return false;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (segments[i].parameter ? path[i].empty() : segments[i].text != path[i]) return false;
    }
    return true;
  }
  // Nothing when a segment cannot be decoded.
  [[nodiscard]] std::optional<std::vector<std::pair<std::string_view, std::string>>> parameters(
      const std::vector<std::string_view>& path) const {
    std::vector<std::pair<std::string_view, std::string>> found;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (!segments[i].parameter) continue;
      auto value = percent_decoded(path[i], Plus::literal);
      if (!value) return std::nullopt;
      found.emplace_back(segments[i].text, std::move(*value));
    }
    return found;
  }
};

struct FactoryApiFace::Match {
  const Route* route = nullptr;
  std::vector<std::pair<std::string_view, std::string>> parameters;
  std::string allowed;  // the methods of this path, when none is the request's
};

const std::string& Call::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters) {
    if (known == name) return value;
  }
  assertion_failed("the route has no such parameter", __FILE__, __LINE__);
}

FactoryApiFace::FactoryApiFace(std::string factory, const core::Clock& clock, std::vector<std::unique_ptr<Authenticator>> authenticators,
                               std::vector<std::unique_ptr<Resource>> resources, FailureCounter failures)
    : factory_(std::move(factory)),
      clock_(clock),
      authenticators_(std::move(authenticators)),
      resources_(std::move(resources)),
      failures_(std::move(failures)) {
  for (const auto& resource : resources_) {
    for (Route& route : resource->routes()) {
      CompiledRoute compiled;
      for (const std::string_view segment : split_path(route.pattern)) {
        const bool parameter = segment.starts_with('{') && segment.ends_with('}');
        compiled.segments.push_back({parameter, std::string(parameter ? segment.substr(1, segment.size() - 2) : segment)});
      }
      compiled.route = std::move(route);
      routes_.push_back(std::move(compiled));
    }
  }
}

FactoryApiFace::~FactoryApiFace() = default;

// The first route that fits wins: literal paths are listed before those with a parameter in the same place.
FactoryApiFace::Match FactoryApiFace::match(const net::Request& request) const {
  const auto path = split_path(request.path);
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  Match match;
  for (const CompiledRoute& candidate : routes_) {
    if (!candidate.fits(path)) continue;
    auto parameters = candidate.parameters(path);
    if (!parameters) continue;
    if (candidate.route.method != method) {
      match.allowed.append(match.allowed.empty() ? "" : ", ").append(candidate.route.method);
      continue;
    }
    match.route = &candidate.route;
    match.parameters = std::move(*parameters);
    return match;
  }
  return match;
}

std::variant<Caller, net::Response> FactoryApiFace::let_in(const net::Request& request, const Access& access) {
  if (access.kind == Access::Kind::everybody) return Caller{};
  const std::string_view presented = net::presented_token(request);
  core::Refusal refusal{core::RefusalReason::unauthenticated, core::RefusalKind::unauthenticated, "Invalid token", {}, {}, {}};
  if (presented.empty()) refusal.public_text = "a token is required: send it as OSF-TOKEN or as Authorization: Bearer";
  const Instant now = clock_.now();
  for (const auto& authenticator : authenticators_) {
    if (presented.empty()) break;
    auto recognised = authenticator->recognise(presented, now);
    if (!recognised) continue;
    if (auto* why_not = std::get_if<core::Refusal>(&*recognised)) {
      refusal = std::move(*why_not);
      break;
    }
    Caller& caller = std::get<Caller>(*recognised);
    if (access.kind == Access::Kind::every_caller || caller.scopes.hold(access.needed)) return std::move(caller);
    return net::json_error(403, "the token lacks the scope " + std::string(to_string(access.needed)));
  }
  // Whoever shows a good credential was let in above: counting slows those who guess and locks out nobody else.
  const bool guessed = failures_ && !presented.empty() && refusal.kind == core::RefusalKind::unauthenticated;
  if (const auto wait = guessed ? failures_(request) : std::nullopt) {
    refusal.kind = core::RefusalKind::too_many;
    refusal.public_text = "too many wrong tokens from here";
    refusal.retry_after = *wait;
  }
  return refusal_response(refusal);
}

Task<net::Response> FactoryApiFace::handle(const net::Request& request) {
  Match found = match(request);
  if (found.route == nullptr) {
    if (found.allowed.empty()) co_return net::json_error(404, "there is nothing here");
    net::Response response = net::json_error(405, "this path takes: " + found.allowed);
    response.headers.emplace_back("Allow", std::move(found.allowed));
    co_return response;
  }
  const Route& route = *found.route;
  auto judged = let_in(request, route.access);
  if (auto* why_not = std::get_if<net::Response>(&judged)) co_return std::move(*why_not);
  for (const auto& [name, value] : found.parameters) {
    if (name == kFactoryParameter && value != factory_) co_return net::json_error(404, "there is no factory '" + value + "' here");
  }
  if (auto wrong = why_wrong_body(request, route)) co_return std::move(*wrong);
  const Caller& caller = std::get<Caller>(judged);
  const Call call{request, caller, std::move(found.parameters)};
  co_return co_await route.answer(call);
}

}  // namespace birthmark::faces::factory_api
