// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/answers.h"

#include "base/log.h"
#include "base/text.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr int kRetryAfterSeconds = 5;

int status_of(core::RefusalKind kind) {
  switch (kind) {
    case core::RefusalKind::bad_request: return 400;
    case core::RefusalKind::unauthenticated: return 401;
    case core::RefusalKind::forbidden: return 403;
    case core::RefusalKind::conflict: return 409;
    case core::RefusalKind::too_many: return 429;
    case core::RefusalKind::unavailable: break;
  }
  return 503;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

net::Response unavailable(std::string_view message) {
  net::Response response = net::json_error(503, message);
  response.headers.emplace_back("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

}  // namespace

net::Response json_answer(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  response.body += '\n';
  return response;
}

net::Response fields_error(int status, std::string_view message, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string body = "{\"message\": " + json_string(message) + ", \"errors\": {";
  bool first = true;
  for (const auto& [field, text] : fields) {
    body.append(first ? "" : ", ").append(json_string(field)).append(": ").append(json_string(text));
    first = false;
  }
  return json_answer(status, body + "}}");
}

net::Response error_response(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid: return net::json_error(400, error.public_message);
    case ErrorCode::forbidden: return net::json_error(403, error.public_message);
    case ErrorCode::not_found: return net::json_error(404, error.public_message);
    case ErrorCode::conflict: return net::json_error(409, error.public_message);
    case ErrorCode::too_large: return net::json_error(413, error.public_message);
    case ErrorCode::unavailable:
    case ErrorCode::misconfigured:
    case ErrorCode::internal: break;
  }
  log::error("factory API request failed", {{"error", error.describe()}});
  return unavailable(error.public_message);
}

net::Response refusal_response(const core::Refusal& refusal) {
  const int status = status_of(refusal.kind);
  if (status == 503) return unavailable(refusal.public_text);
  net::Response response = net::json_error(status, refusal.public_text);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429) response.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after.count()));
  return response;
}

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::space) {
      decoded += ' ';
      continue;
    }
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = digit(text[i + 1]), low = digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(decoded) || decoded.find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const std::size_t equals = pair.find('=');
    if (percent_decoded(pair.substr(0, equals), Plus::space) != name) continue;
    return percent_decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), Plus::space);
  }
  return std::nullopt;
}

}  // namespace birthmark::faces::factory_api
