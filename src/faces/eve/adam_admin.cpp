// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/adam_admin.h"

#include <eve.pb.h>
#include <algorithm>
#include <boost/json.hpp>

#include "base/pem.h"
#include "base/text.h"
#include "core/lifecycle.h"
#include "faces/eve/envelope.h"
#include "faces/eve/eve_config.h"
#include "faces/eve/eve_face.h"
#include "faces/eve/node_admin.h"

namespace birthmark::faces::eve {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrefix = "/admin";
constexpr const char* kProtobuf = "application/x-proto-binary";
constexpr std::size_t kPage = 500;
constexpr std::size_t kMostReports = 10'000;

net::Response text(std::string body) {
  net::Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

net::Response status(int code) {
  net::Response response = text({});
  response.status = code;
  return response;
}

net::Response refused(const Error& error) {
  switch (error.code) {
    case ErrorCode::not_found: return net::json_error(404, error.public_message);
    case ErrorCode::conflict: return net::json_error(409, error.public_message);
    case ErrorCode::invalid:
    case ErrorCode::too_large: return net::json_error(400, error.public_message);
    default: return net::json_error(503, error.public_message);
  }
}

net::Response not_allowed(std::string_view methods) {
  net::Response response = net::json_error(405, "this path takes: " + std::string(methods));
  response.headers.emplace_back("Allow", std::string(methods));
  return response;
}

// Keys in any case, as Go reads them: one of its tools sends them in lower case.
struct Sent {
  std::string cert, onboard, serial;
};

Result<Sent> read_sent(const net::Request& request) {
  if (!to_lower(request.content_type).starts_with("application/json"))
    return fail(ErrorCode::invalid, "Content-Type must be application/json");
  boost::system::error_code failure;
  const json::value value = json::parse({request.body.data(), request.body.size()}, failure);
  if (failure || !value.is_object()) return fail(ErrorCode::invalid, "the body must be a JSON object");
  Sent sent;
  for (const auto& [key, member] : value.get_object()) {
    const std::string name = to_lower(std::string_view(key.data(), key.size()));
    if (!member.is_string()) continue;
    const std::string content(member.get_string());
    if (name == "cert") sent.cert = content;
    if (name == "onboard") sent.onboard = content;
    if (name == "serial") sent.serial = content;
  }
  return sent;
}

// "a,b": blanks around a serial are no part of it.
std::vector<std::string> split_serials(std::string_view text) {
  std::vector<std::string> serials;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) serials.emplace_back(one);
  }
  return serials;
}

std::string wrapped(ByteView der) {
  return to_base64(as_bytes(encode_pem("CERTIFICATE", der)));
}

}  // namespace

Task<net::Response> AdamAdmin::handle(const net::Request& request) {
  std::string_view path = request.path;
  if (path == "/probe") co_return text("OK");
  if (!path.starts_with(kPrefix)) co_return net::json_error(404, "there is nothing here");
  path.remove_prefix(kPrefix.size());
  std::vector<std::string> words;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    words.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  if (!words.empty() && words[0] == "onboard" && words.size() <= 2) {
    std::string name = words.size() == 2 ? words[1] : std::string();
    co_return co_await onboard(request, std::move(name));
  }
  if (words.empty() || words[0] != "device") co_return net::json_error(404, "there is nothing here");
  if (words.size() == 1) co_return co_await devices(request);
  const auto identity = core::identify(parts_.onboarder.factory(), core::Ecosystem::eve, words[1], core::DeviceIdRule::uuid);
  if (!identity) co_return net::json_error(404, identity.error().public_message);
  auto node = parts_.nodes.by_uuid(*identity);
  if (!node) co_return refused(node.error());
  if (!*node || (*node)->status != core::DeviceStatus::active) co_return net::json_error(404, "there is no device " + words[1]);
  std::string what = words.size() > 2 ? words[2] : std::string();
  core::NodeRecord found = std::move(**node);
  co_return co_await device(request, std::move(found), std::move(what));
}

// --- onboarding certificates, by common name -------------------------------------------------------------------------------------------

Task<net::Response> AdamAdmin::onboard(const net::Request& request, std::string name) {
  if (request.method == "POST" && name.empty()) co_return co_await put_onboard(request);
  if (request.method == "DELETE") co_return co_await remove_onboard(std::move(name));
  if (request.method != "GET") co_return not_allowed("GET, POST, DELETE");
  if (!name.empty()) co_return get_onboard(name);
  const auto all = parts_.nodes.certificates(parts_.onboarder.factory());
  if (!all) co_return refused(all.error());
  std::string names;
  for (const core::OnboardingCertificate& one : *all)
    if (!one.revoked_at) names += one.name + "\n";
  co_return text(std::move(names));
}

net::Response AdamAdmin::get_onboard(const std::string& name) const {
  const core::OnboardingKeeper keeper(parts_.nodes, parts_.codec, parts_.clock);
  const auto known = keeper.named(parts_.onboarder.factory(), name);
  if (!known) return refused(known.error());
  if (known->revoked_at) return net::json_error(404, "there is no onboarding certificate " + name);
  const auto serials = parts_.nodes.serials(known->row, {}, kMostReports);
  if (!serials) return refused(serials.error());
  std::string joined = known->any_serial ? "*" : "";
  for (const std::string& serial : *serials) joined += (joined.empty() ? "" : ",") + serial;
  net::Response response;
  response.body = json::serialize(json::object{{"Cert", wrapped(known->der)}, {"Serial", joined}});
  return response;
}

Task<net::Response> AdamAdmin::put_onboard(const net::Request& request) {
  auto sent = read_sent(request);
  if (!sent) co_return refused(sent.error());
  auto der = read_wrapped_certificate(sent->cert);
  if (!der) co_return net::json_error(400, "Cert: " + der.error().public_message);
  core::OnboardingOrder order;
  order.factory = parts_.onboarder.factory();
  order.der = std::move(*der);
  order.serials = split_serials(sent->serial);
  order.any_serial = false;
  order.list = core::SerialList::replace;
  core::OnboardingKeeper keeper(parts_.nodes, parts_.codec, parts_.clock);
  core::OperatorAct by = act();
  auto put = co_await keeper.put(std::move(order), std::move(by));
  if (!put) co_return refused(put.error());
  co_return status(201);
}

Task<net::Response> AdamAdmin::remove_onboard(std::string name) {
  core::OnboardingKeeper keeper(parts_.nodes, parts_.codec, parts_.clock);
  std::vector<std::string> names;
  if (name.empty()) {
    const auto all = parts_.nodes.certificates(parts_.onboarder.factory());
    if (!all) co_return refused(all.error());
    for (const core::OnboardingCertificate& one : *all) names.push_back(one.name);
  } else {
    names.push_back(std::move(name));
  }
  for (const std::string& one : names) {
    core::OperatorAct by = act();
    const std::string& factory = parts_.onboarder.factory();
    auto revoked = co_await keeper.revoke(factory, one, std::move(by));
    if (!revoked) co_return refused(revoked.error());
  }
  co_return status(200);
}

// --- devices -----------------------------------------------------------------------------------------------------------------------------

Result<std::vector<core::NodeRecord>> AdamAdmin::active_nodes() const {
  std::vector<core::NodeRecord> active;
  core::RowId after = 0;
  for (;;) {
    BIRTHMARK_TRY(auto page, parts_.nodes.list_nodes(parts_.onboarder.factory(), after, kPage));
    if (page.empty()) return active;
    after = page.back().row;
    for (core::NodeRecord& node : page)
      if (node.status == core::DeviceStatus::active) active.push_back(std::move(node));
  }
}

Task<net::Response> AdamAdmin::devices(const net::Request& request) {
  if (request.method == "POST") co_return co_await add_device(request);
  const auto nodes = active_nodes();
  if (!nodes) co_return refused(nodes.error());
  if (request.method == "GET") {
    std::string uuids;
    for (const core::NodeRecord& node : *nodes) uuids += node.identity.external_id + "\n";
    co_return text(std::move(uuids));
  }
  if (request.method != "DELETE") co_return not_allowed("GET, POST, DELETE");
  for (const core::NodeRecord& node : *nodes) {
    core::NodeRecord doomed = node;
    auto removed = co_await remove_device(std::move(doomed));
    if (removed.status != 200) co_return removed;
  }
  co_return status(200);
}

// A device that an operator registers without its asking.
Task<net::Response> AdamAdmin::add_device(const net::Request& request) {
  const auto sent = read_sent(request);
  if (!sent) co_return refused(sent.error());
  auto certificate = read_wrapped_certificate(sent->cert);
  auto onboarding = read_wrapped_certificate(sent->onboard);
  if (!certificate) co_return net::json_error(400, "Cert: " + certificate.error().public_message);
  if (!onboarding) co_return net::json_error(400, "Onboard: " + onboarding.error().public_message);
  core::NodeAttempt attempt;
  attempt.certificate_der = std::move(*certificate);
  attempt.onboarding_der = std::move(*onboarding);
  attempt.serial = sent->serial;
  attempt.peer_address = request.peer.address;
  auto outcome = co_await parts_.onboarder.admit(attempt);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) {
    const int code = refusal->kind == core::RefusalKind::conflict      ? 409
                     : refusal->kind == core::RefusalKind::unavailable ? 503
                     : refusal->kind == core::RefusalKind::forbidden   ? 403
                                                                       : 400;
    co_return net::json_error(code, refusal->public_text);
  }
  co_return status(201);
}

Task<net::Response> AdamAdmin::device(const net::Request& request, core::NodeRecord node, std::string what) {
  if (what.empty() && request.method == "GET") co_return get_device(node);
  if (what.empty() && request.method == "DELETE") co_return co_await remove_device(std::move(node));
  if (what.empty()) co_return not_allowed("GET, DELETE");
  if (what == "config") co_return co_await config(request, std::move(node));
  if (request.method != "GET") co_return not_allowed("GET");
  if (what == "certs") co_return certificates(node);
  co_return reports(node, what);
}

Result<std::string> AdamAdmin::onboarding_pem(core::RowId row) const {
  BIRTHMARK_TRY(const auto all, parts_.nodes.certificates(parts_.onboarder.factory()));
  for (const core::OnboardingCertificate& one : all)
    if (one.row == row) return wrapped(one.der);
  return std::string();
}

net::Response AdamAdmin::get_device(const core::NodeRecord& node) const {
  const auto der = parts_.nodes.certificate_der(node.row);
  const auto onboarding = onboarding_pem(node.onboarding);
  if (!der) return refused(der.error());
  if (!onboarding) return refused(onboarding.error());
  net::Response response;
  response.body = json::serialize(json::object{{"Cert", wrapped(*der)}, {"Onboard", *onboarding}, {"Serial", node.serial}});
  return response;
}

Task<net::Response> AdamAdmin::remove_device(core::NodeRecord node) {
  core::Lifecycle lifecycle(parts_.registry, parts_.clock);
  core::OperatorAct by = act();
  core::DeviceIdentity identity = node.identity;
  auto removed = co_await lifecycle.remove(std::move(identity), std::move(by));
  if (!removed) co_return refused(removed.error());
  co_return status(200);
}

Task<net::Response> AdamAdmin::config(const net::Request& request, core::NodeRecord node) {
  if (request.method == "GET") {
    const auto controller = parts_.controller.current();
    if (!controller) co_return net::json_error(503, "the controller has no certificates yet");
    const auto set = config_in_force(parts_.field, node);
    if (!set) co_return refused(set.error());
    auto whole = complete_config(*set, node.identity.external_id, *controller);
    if (!whole) co_return refused(whole.error());
    net::Response response;
    if (request.header("Accept") == kProtobuf) {
      response.content_type = kProtobuf;
      response.body = std::move(*whole);
      co_return response;
    }
    auto rendered = config_to_json(*whole);
    if (!rendered) co_return refused(rendered.error());
    response.body = std::move(*rendered);
    co_return response;
  }
  if (request.method != "PUT") co_return not_allowed("GET, PUT");
  auto wanted = request.content_type == kProtobuf ? config_from_protobuf(request.body) : config_from_json(request.body);
  if (!wanted) co_return refused(wanted.error());
  const auto before = parts_.field.newest(core::node_field(node.identity, kConfigLog), 1);
  if (!before) co_return refused(before.error());
  auto next = next_config(*wanted, before->empty() ? std::string() : before->front().body, node.identity.external_id);
  if (!next) co_return refused(next.error());
  core::FieldAppend append = config_append(parts_.onboarder.factory(), &node, std::move(*next), parts_.clock.now(), "adam");
  auto written = co_await parts_.field.append(std::move(append));
  if (!written) co_return refused(written.error());
  co_return status(200);
}

net::Response AdamAdmin::certificates(const core::NodeRecord& node) const {
  const auto entries = parts_.field.newest(core::node_field(node.identity, kCertificatesLog), 1);
  if (!entries) return refused(entries.error());
  wire::ZControllerCert sent;
  if (!entries->empty()) static_cast<void>(sent.ParseFromString(entries->front().body));
  json::array all;
  for (const wire::ZCert& one : sent.certs()) {
    all.push_back(json::object{{"hashAlgo", static_cast<int>(one.hashalgo())},
                               {"certHash", to_base64(as_bytes(one.certhash()))},
                               {"type", static_cast<int>(one.type())},
                               {"cert", to_base64(as_bytes(one.cert()))}});
  }
  net::Response response;
  response.body = json::serialize(json::object{{"certs", std::move(all)}});
  return response;
}

// Oldest first. Log bundles are JSON lines already; messages that this controller keeps as they came are shown in base64.
net::Response AdamAdmin::reports(const core::NodeRecord& node, const std::string& what) const {
  const char* kind = what == "logs"       ? kNewLogsLog
                     : what == "info"     ? kInfoLog
                     : what == "metrics"  ? kMetricsLog
                     : what == "flowlogs" ? kFlowLog
                                          : nullptr;
  if (kind == nullptr) return net::json_error(404, "there is nothing here");
  auto entries = parts_.field.newest(core::node_field(node.identity, kind), kMostReports);
  if (!entries) return refused(entries.error());
  std::reverse(entries->begin(), entries->end());
  net::Response response;
  for (const core::FieldEntry& entry : *entries) {
    if (what == "logs") {
      if (const auto lines = log_lines(entry.body)) response.body += *lines;
      continue;
    }
    response.body += json::serialize(json::object{{"timestamp", format_rfc3339_ms(entry.at)},
                                                  {"uuid", node.identity.external_id},
                                                  {"message", to_base64(as_bytes(entry.body))}}) +
                     "\n";
  }
  return response;
}

}  // namespace birthmark::faces::eve
