// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_api.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/pem.h"
#include "crypto/pki/ceremony.h"

namespace birthmark::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTokenBytes = 16'384;
constexpr int kPartialContent = 206;

// A secret that others may read is none.
Result<std::string> read_token(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077U) != 0)
    return fail(ErrorCode::misconfigured, "others may read the token file " + path.string() + ": chmod 600 it");
  BIRTHMARK_TRY(const std::string text, read_file(path, kMaxTokenBytes));
  std::string token = text.substr(0, text.find_first_of("\r\n"));
  const bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.empty() || !visible) return fail(ErrorCode::misconfigured, "there is no token in " + path.string());
  return token;
}

std::string text_of(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(json::string_view(member.data(), member.size()));
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// What a server says is not to be trusted with a terminal.
std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; }, ' ');
  return text;
}

// As fioctl reads an error: the message, then each of `errors` (Foundries 1.4).
std::string refusal_text(const json::object& body) {
  std::string text = text_of(body, "message");
  if (text.empty()) text = text_of(body, "msg");
  const json::value* errors = body.if_contains("errors");
  if (errors != nullptr && errors->is_object()) {
    for (const auto& [field, what] : errors->get_object()) {
      if (what.is_string()) text += "; " + std::string(field) + ": " + std::string(what.get_string());
    }
  }
  if (errors != nullptr && errors->is_array()) {
    for (const json::value& what : errors->get_array()) {
      if (what.is_string()) text += "; " + std::string(what.get_string());
    }
  }
  return printable(std::move(text));
}

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 415:
    case 422: return ErrorCode::invalid;
    case 401:
    case 403: return ErrorCode::forbidden;
    case 404: return ErrorCode::not_found;
    case 409: return ErrorCode::conflict;
    default: return ErrorCode::unavailable;
  }
}

bool is_success(int status) {
  return status == 200 || status == 201 || status == 202 || status == 204;
}

void add_unless_empty(json::object& body, std::string_view member, const std::string& pem) {
  if (!pem.empty()) body[json::string_view(member.data(), member.size())] = pem;
}

}  // namespace

void declare_api(CLI::App& command, ApiOptions& options) {
  command.add_option("--api", options.url, "Make the changes at the factory API of this server too, as fioctl does: https://HOST[:PORT]")
      ->type_name("URL");
  if (command.get_option_no_throw("--factory") == nullptr)
    command.add_option("--factory", options.factory, "The factory's name, with --api")->type_name("NAME");
  command.add_option("--token-file", options.token_file, "A file of mode 0600 with an API token of scope ca:manage, with --api")
      ->type_name("FILE");
  command.add_option("--api-ca", options.ca_file, "A CA to trust beside the system's, with --api")->type_name("FILE");
}

Result<FactoryApi> FactoryApi::open(const ApiOptions& given) {
  ApiOptions options = given;
  while (options.url.ends_with('/')) options.url.pop_back();
  BIRTHMARK_CHECK(net::check_confidential_url(options.url));
  if (options.factory.empty()) return fail(ErrorCode::misconfigured, "--api needs --factory NAME");
  if (options.token_file.empty()) return fail(ErrorCode::misconfigured, "--api needs --token-file FILE");
  BIRTHMARK_TRY(std::string token, read_token(options.token_file));
  net::TlsTrust trust;
  trust.ca_file = options.ca_file;
  return FactoryApi(std::move(options), std::move(token), std::move(trust));
}

Result<json::object> FactoryApi::ask(const std::string& method, const std::string& path, const std::string& body, int& status) {
  net::ClientRequest request;
  request.method = method;
  request.url = options_.url + "/ota/factories/" + net::percent_encoded(options_.factory) + "/" + path;
  request.body = body;
  request.headers.emplace_back("User-Agent", "birthmark");
  request.headers.emplace_back("OSF-TOKEN", token_);
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  BIRTHMARK_TRY(const net::ClientResponse response, client_.ask(request));
  status = response.status;
  boost::system::error_code failure;
  json::value parsed = json::parse(response.body, failure);
  json::object object;
  if (!failure && parsed.is_object()) object = std::move(parsed.get_object());
  if (is_success(status) || status == kPartialContent) return object;
  const std::string text = refusal_text(object);
  return fail(code_of(status),
              method + " " + request.url + " was answered with " + std::to_string(status) + (text.empty() ? "" : ": " + text));
}

Result<core::CertificateRequests> FactoryApi::request(const core::CertificateOrder& order) {
  json::object body;
  body["first-time-init"] = order.first_time;
  body["ca-csr"] = order.online_ca;
  body["est-tls-csr"] = order.est_tls;
  body["tls-csr"] = order.tls;
  int status = 0;
  BIRTHMARK_TRY(const json::object answer, ask("POST", "certs/", json::serialize(body), status));
  core::CertificateRequests requests{text_of(answer, "tls-csr"), text_of(answer, "ca-csr"), text_of(answer, "est-tls-csr")};
  const bool complete =
      order.tls != requests.tls.empty() && order.online_ca != requests.online_ca.empty() && order.est_tls != requests.est_tls.empty();
  if (!complete) return fail(ErrorCode::unavailable, "the server's answer lacks a certificate request that was asked for, or has one more");
  return requests;
}

Result<core::PkiStanding> FactoryApi::standing() {
  int status = 0;
  BIRTHMARK_TRY(const json::object answer, ask("GET", "certs/", {}, status));
  core::PkiStanding standing;
  standing.root = text_of(answer, "root-crt");
  standing.device_cas = text_of(answer, "ca-crt");
  standing.tls = text_of(answer, "tls-crt");
  standing.est_tls = text_of(answer, "est-tls-crt");
  standing.initialised = status != kPartialContent && !standing.root.empty();
  if (!standing.initialised) return fail(ErrorCode::not_found, "the factory has no PKI yet: make it with `birthmark ca create --api`");
  const json::value* disabled = answer.if_contains("disabled-ca-serials");
  if (disabled == nullptr || !disabled->is_array()) return standing;
  for (const json::value& serial : disabled->get_array()) {
    if (serial.is_string()) standing.disabled_serials.push_back(printable(std::string(serial.get_string())));
  }
  return standing;
}

Status FactoryApi::submit(const core::PkiSubmission& submission) {
  json::object body;
  add_unless_empty(body, "root-crt", submission.root);
  add_unless_empty(body, "ca-crt", submission.device_cas);
  add_unless_empty(body, "est-tls-crt", submission.est_tls);
  add_unless_empty(body, "tls-crt", submission.tls);
  add_unless_empty(body, "ca-revoke-crl", submission.crl);
  body["change-meta"] = json::object{{"created-by", ""}, {"created-at", ""}, {"updated-by", ""}, {"updated-at", ""}};
  int status = 0;
  const auto answer = ask("PATCH", "certs/", json::serialize(body), status);
  return answer ? Status() : tl::make_unexpected(answer.error());
}

Result<std::string> FactoryApi::own_user_id() {
  int status = 0;
  BIRTHMARK_TRY(const json::object answer, ask("GET", "users/self/", {}, status));
  std::string id = text_of(answer, "polis-id");
  if (id.empty()) return fail(ErrorCode::unavailable, "the server does not say which user the token belongs to");
  return id;
}

Result<RequestFolder> RequestFolder::make(const core::CertificateRequests& requests) {
  std::error_code problem;
  std::string name = (std::filesystem::temp_directory_path(problem) / "birthmark-csr-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return fail(ErrorCode::misconfigured, "cannot make a folder for the requests: " + name);
  RequestFolder folder{std::filesystem::path(name)};
  if (!requests.tls.empty()) BIRTHMARK_CHECK(create_file(folder.path() / crypto::kTlsRequestFile, requests.tls, 0600));
  if (!requests.online_ca.empty()) BIRTHMARK_CHECK(create_file(folder.path() / crypto::kOnlineCaRequestFile, requests.online_ca, 0600));
  return folder;
}

RequestFolder::~RequestFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string joined_bundle(const std::vector<std::string>& pems) {
  std::string joined;
  for (const std::string& pem : pems) {
    if (!pem.empty()) joined.append(joined.empty() ? "" : "\n").append(pem);
  }
  return joined;
}

Result<crypto::PkiView> view_standing(const core::PkiStanding& standing) {
  crypto::PkiView view;
  const auto add = [](const std::string& pem, std::vector<crypto::Certificate>& to) -> Status {
    BIRTHMARK_TRY(const auto blocks, decode_pem(pem));
    for (const PemBlock& block : blocks) {
      BIRTHMARK_TRY(auto certificate, crypto::Certificate::from_der(block.contents));
      to.push_back(std::move(certificate));
    }
    return {};
  };
  BIRTHMARK_CHECK(add(standing.root, view.roots));
  BIRTHMARK_CHECK(add(standing.tls, view.tls));
  BIRTHMARK_CHECK(add(standing.device_cas, view.device_cas));
  view.disabled_serials = standing.disabled_serials;
  return view;
}

}  // namespace birthmark::cli
