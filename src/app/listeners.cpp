// SPDX-License-Identifier: Apache-2.0
#include "app/listeners.h"

#include <algorithm>

namespace birthmark::app {
namespace {

// FACE=HOST:PORT
Result<ListenPlan> parse_listen(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return fail(ErrorCode::invalid, "--listen " + text + ": expected FACE=HOST:PORT");
  const std::string name = text.substr(0, equals);
  ListenPlan plan;
  plan.face = find_face(name);
  if (plan.face == nullptr)
    return fail(ErrorCode::invalid, "--listen " + text + ": unknown face '" + name + "'; this version has: " + face_names());
  BIRTHMARK_TRY(plan.endpoint, net::parse_endpoint(text.substr(equals + 1)));
  return plan;
}

}  // namespace

std::string face_names() {
  std::string names;
  for (const Face& face : all_faces()) names.append(names.empty() ? "" : ", ").append(face.name);
  return names;
}

Result<std::vector<ListenPlan>> plan_listeners(const Config& config, const std::vector<std::string>& given) {
  std::vector<ListenPlan> plans;
  for (const std::string& text : given) {
    BIRTHMARK_TRY(auto plan, parse_listen(text));
    plans.push_back(std::move(plan));
  }
  if (!given.empty()) return plans;
  for (const Face& face : all_faces()) {
    for (const net::Endpoint& endpoint : face.configured(config)) plans.push_back({&face, endpoint});
  }
  if (plans.empty())
    return fail(ErrorCode::misconfigured,
                "there is nothing to listen on: every listen setting of birthmark.toml is empty and no --listen was given");
  return plans;
}

Listeners::Listeners(Site& site) : site_(site) {
  site_.when_reloading([this] { return prepare_reload(); });
}

Listeners::~Listeners() {
  site_.when_reloading({});
}

Status Listeners::open(const std::vector<ListenPlan>& plans, net::Server& server, std::ostream& out) {
  const bool asked = std::any_of(plans.begin(), plans.end(), [](const ListenPlan& plan) { return plan.face->name == "admin"; });
  if (asked) metrics_ = std::make_unique<admin::Metrics>();
  for (const ListenPlan& plan : plans) BIRTHMARK_CHECK(open_one(plan, server, out));
  return {};
}

Status Listeners::open_one(const ListenPlan& plan, net::Server& server, std::ostream& out) {
  const Face& face = *plan.face;
  BIRTHMARK_TRY(auto options, options_for(face, plan.endpoint));
  BIRTHMARK_TRY(auto handler, face.make(site_, {metrics_.get()}));
  handlers_.push_back(std::move(handler));
  BIRTHMARK_TRY(const auto bound, server.listen(plan.endpoint, *handlers_.back(), std::move(options)));
  const std::string listener = net::to_string(bound);
  out << "listening " << face.name << ' ' << listener << '\n';
  if (face.warn != nullptr) face.warn(site_, listener);
  return {};
}

Result<net::ListenOptions> Listeners::options_for(const Face& face, const net::Endpoint& endpoint) {
  net::ListenOptions options;
  options.body_bytes = face.body_bytes;
  if (face.plain_at != nullptr && face.plain_at(site_, endpoint)) return options;
  BIRTHMARK_TRY(const auto settings, face.tls(site_));
  if (!settings) return options;
  BIRTHMARK_TRY(options.tls, net::TlsServer::create(*settings));
  const std::lock_guard lock(mutex_);
  secure_.push_back({options.tls, &face});
  return options;
}

// Open connections stay; new ones get what is installed now, on every listener or on none.
Result<Site::Commit> Listeners::prepare_reload() {
  using Prepared = std::pair<std::shared_ptr<net::TlsServer>, std::shared_ptr<const net::TlsServer::Generation>>;
  std::vector<Prepared> prepared;
  const std::lock_guard lock(mutex_);
  for (const SecureListener& listener : secure_) {
    BIRTHMARK_TRY(const auto settings, listener.face->tls(site_));
    if (!settings) continue;
    BIRTHMARK_TRY(auto generation, net::TlsServer::prepare(*settings));
    prepared.emplace_back(listener.tls, std::move(generation));
  }
  return Site::Commit([prepared = std::move(prepared)] {
    for (const auto& [tls, generation] : prepared) tls->use(generation);
  });
}

}  // namespace birthmark::app
