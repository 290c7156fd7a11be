// SPDX-License-Identifier: Apache-2.0
#include "device/pep_client.h"

#include <array>
#include <boost/json.hpp>
#include <cstdlib>

#include "base/file.h"
#include "net/client.h"

namespace birthmark::device {
namespace {

constexpr std::chrono::minutes kPatience{5};  // a gateway with a TPM takes its time
constexpr std::size_t kLargestAnswer = 16U << 20U;
constexpr std::array<const char*, 10> kColumns{
    "enrollmentID", "serialNumber", "gatewayServicesAddress", "apiAddress", "hardwareVersion", "radioConfig", "ledConfig", "category",
    "deployed",     "createdAt"};

std::string encoded(const PepParameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) text += (text.empty() ? "" : "&") + name + "=" + net::percent_encoded(value);
  return text;
}

std::string quoted(std::string_view text) {
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

}  // namespace

Result<PepClient> PepClient::from_environment() {
  const char* url = std::getenv("PEP_SERVER_URL");
  const char* token_file = std::getenv("PEP_TOKEN_FILE");
  std::string token;
  if (token_file != nullptr && *token_file != '\0') {
    BIRTHMARK_TRY(token, read_file(token_file, 4096));
    while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  }
  std::string base = url != nullptr && *url != '\0' ? url : "http://localhost:5151";
  while (base.ends_with('/')) base.pop_back();
  BIRTHMARK_CHECK(net::check_url(base));
  return PepClient(std::move(base), std::move(token));
}

Result<PepAnswer> PepClient::ask(const std::string& method, const std::string& path, const std::string& query,
                                 const std::string& body) const {
  net::ClientRequest request;
  request.method = method;
  request.url = url_ + path + (query.empty() ? "" : "?" + query);
  request.body = body;
  request.timeout = kPatience;
  request.response_limit_bytes = kLargestAnswer;
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  auto answer = net::http_request(request);
  // The address in the client's own message would repeat the query.
  if (!answer) return fail(answer.error().code, "cannot ask " + url_ + path, answer.error().detail);
  return PepAnswer{answer->status, std::move(answer->body)};
}

Result<PepAnswer> PepClient::get(const std::string& path, const PepParameters& parameters) const {
  return ask("GET", path, encoded(parameters), {});
}

Result<PepAnswer> PepClient::identity(const PepParameters& parameters) const {
  BIRTHMARK_TRY(auto answer, ask("POST", "/v3/identity", {}, encoded(parameters)));
  const bool knows_get_alone = answer.status == 404 || answer.status == 405 || answer.status == 501;
  if (!knows_get_alone) return answer;
  return ask("GET", "/v3/identity", encoded(parameters), {});
}

std::string reason_of(const PepAnswer& answer) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(answer.body, error);
  if (!error && parsed.is_object()) {
    const auto* message = parsed.get_object().if_contains("message");
    if (message != nullptr && message->is_string()) return std::string(message->get_string());
  }
  std::string text = answer.body.substr(0, 500);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "HTTP status " + std::to_string(answer.status) : text;
}

Result<std::string> portal_csv(const std::string& list_json, bool heading) {
  boost::system::error_code error;
  const auto parsed = boost::json::parse(list_json, error);
  const auto* object = error ? nullptr : parsed.if_object();
  const auto* results = object != nullptr ? object->if_contains("results") : nullptr;
  if (results == nullptr || !results->is_array()) return fail(ErrorCode::invalid, "the server's list cannot be read");
  std::string csv;
  for (const char* column : kColumns) {
    if (heading) csv += (csv.empty() ? "" : ",") + quoted(column);
  }
  if (heading) csv += '\n';
  for (const auto& row : results->get_array()) {
    std::string line;
    for (const char* column : kColumns) {
      if (column != kColumns.front()) line += ',';
      const auto* value = row.is_object() ? row.get_object().if_contains(column) : nullptr;
      if (value == nullptr || value->is_null()) continue;
      line += value->is_string() ? quoted(std::string_view(value->get_string())) : boost::json::serialize(*value);
    }
    csv += line + "\n";
  }
  return csv;
}

}  // namespace birthmark::device
