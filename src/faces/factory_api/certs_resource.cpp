// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/certs_resource.h"

#include <boost/json.hpp>

#include "faces/factory_api/answers.h"
#include "faces/factory_api/json_body.h"
#include "faces/factory_api/legacy_scripts.h"

namespace birthmark::faces::factory_api {
namespace {

namespace json = boost::json;

constexpr std::size_t kSubmissionBytes = 1U << 20U;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

std::string moment(const std::optional<Instant>& at) {
  return at ? format_rfc3339(*at) : std::string();
}

// 206 as long as there is no PKI: fioctl makes a friendly message of it, and older tools look for the three nulls (Foundries 0.7, 1.3).
net::Response render(const core::PkiStanding& standing) {
  if (!standing.initialised) return json_answer(206, R"({"tls-crt":null,"ca-crt":null,"root-crt":null})");
  json::object body;
  body["root-crt"] = standing.root;
  body["ca-crt"] = text_or_null(standing.device_cas);
  body["est-tls-crt"] = text_or_null(standing.est_tls);
  body["tls-crt"] = text_or_null(standing.tls);
  json::array disabled;
  for (const std::string& serial : standing.disabled_serials) disabled.emplace_back(serial);
  body["disabled-ca-serials"] = std::move(disabled);
  body["change-meta"] = {
      {"created-by", ""}, {"created-at", moment(standing.created_at)}, {"updated-by", ""}, {"updated-at", moment(standing.updated_at)}};
  return json_answer(200, json::serialize(body));
}

}  // namespace

std::vector<Route> CertsResource::routes() {
  const std::string path = "/ota/factories/{factory}/certs/";
  const Access manage = Access::scope(core::Scope::ca_manage);
  std::vector<Route> routes;
  routes.push_back({"GET", path, Access::every_caller(), BodyKind::none, [this](const Call&) -> Task<net::Response> { co_return show(); }});
  routes.push_back({"POST", path, manage, BodyKind::optional_json, [this](const Call& call) { return request(call); }});
  routes.push_back({"PATCH", path, manage, BodyKind::json, [this](const Call& call) { return change(call); }, kSubmissionBytes});
  routes.push_back({"POST", path + "est/", manage, BodyKind::optional_json, [this](const Call& call) { return request_est(call); }});
  routes.push_back({"PUT", path + "est/", manage, BodyKind::json, [this](const Call& call) { return change_est(call); }, kSubmissionBytes});
  return routes;
}

net::Response CertsResource::show() const {
  const auto standing = pki_.standing();
  return standing ? render(*standing) : error_response(standing.error());
}

// The empty body of the web pages and the `{}` of fioctl up to 0.37 mean what `create` means; their senders need the scripts.
Task<net::Response> CertsResource::request(const Call& call) {
  JsonBody body(call.request.body);
  const bool legacy = body.empty();
  core::CertificateOrder order{true, true, true, false};
  if (!legacy) {
    order.first_time = body.flag("first-time-init").value_or(false);
    order.tls = body.flag("tls-csr").value_or(false);
    order.online_ca = body.flag("ca-csr").value_or(false);
    order.est_tls = body.flag("est-tls-csr").value_or(false);
  }
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  if (!order.tls && !order.online_ca && !order.est_tls)
    co_return net::json_error(400, "nothing is asked for: set tls-csr, ca-csr or est-tls-csr to true");
  std::string actor = call.caller.name;
  auto requests = co_await pki_.request(order, std::move(actor));
  if (!requests) co_return error_response(requests.error());
  json::object answer;
  if (order.tls) answer["tls-csr"] = requests->tls;
  if (order.online_ca) answer["ca-csr"] = requests->online_ca;
  if (order.est_tls) answer["est-tls-csr"] = requests->est_tls;
  if (legacy) {
    const LegacyScripts scripts = legacy_scripts(factory_, call.caller.user_id);
    answer["create_ca"] = scripts.create_ca;
    answer["create_device_ca"] = scripts.create_device_ca;
    answer["sign_ca_csr"] = scripts.sign_ca_csr;
    answer["sign_tls_csr"] = scripts.sign_tls_csr;
  }
  co_return json_answer(201, json::serialize(answer));
}

// Members that are not named here are ignored, change-meta with them; an empty string is as good as none (Foundries 1.3, 1.8).
Task<net::Response> CertsResource::change(const Call& call) {
  JsonBody body(call.request.body);
  core::PkiSubmission submission;
  submission.root = body.text("root-crt").value_or("");
  submission.device_cas = body.text("ca-crt").value_or("");
  submission.tls = body.text("tls-crt").value_or("");
  submission.est_tls = body.text("est-tls-crt").value_or("");
  submission.crl = body.text("ca-revoke-crl").value_or("");
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  co_return co_await submit(std::move(submission), call);
}

Task<net::Response> CertsResource::submit(core::PkiSubmission submission, const Call& call) {
  if (submission.empty()) co_return net::json_error(400, "there is nothing to change: no certificate and no CRL came");
  std::string actor = call.caller.name;
  const auto done = co_await pki_.submit(std::move(submission), std::move(actor));
  if (!done) co_return error_response(done.error());
  co_return show();
}

Task<net::Response> CertsResource::request_est(const Call& call) {
  core::CertificateOrder order;
  order.est_tls = true;
  std::string actor = call.caller.name;
  const auto requests = co_await pki_.request(order, std::move(actor));
  if (!requests) co_return error_response(requests.error());
  json::object answer;
  answer["tls-csr"] = requests->est_tls;
  co_return json_answer(201, json::serialize(answer));
}

Task<net::Response> CertsResource::change_est(const Call& call) {
  JsonBody body(call.request.body);
  core::PkiSubmission submission;
  submission.est_tls = body.text("tls-crt").value_or("");
  if (auto refusal = body.refusal()) co_return std::move(*refusal);
  co_return co_await submit(std::move(submission), call);
}

}  // namespace birthmark::faces::factory_api
