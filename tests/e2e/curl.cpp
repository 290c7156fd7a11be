// SPDX-License-Identifier: Apache-2.0
#include "curl.h"

#include <sstream>

#include "base/text.h"

namespace birthmark::e2e {

boost::json::object CurlReply::object() const {
  boost::system::error_code failure;
  const auto value = boost::json::parse(body, failure);
  require(!failure && value.is_object(), "no JSON object: " + std::to_string(status) + ' ' + body + errors);
  return value.as_object();
}

std::string CurlReply::message() const {
  const auto members = object();
  const auto* found = members.if_contains("message");
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

CurlReply curl(Arguments arguments) {
  const ScratchDirectory scratch;
  const auto headers = scratch.path() / "headers";
  arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "30", "-D", headers, "-w", "\n%{http_code}"});
  const Outcome outcome = run(arguments);
  CurlReply reply;
  reply.errors = outcome.errors;
  const std::size_t end = outcome.output.rfind('\n');
  if (outcome.exit_code != 0 || end == std::string::npos) return reply;
  reply.status = std::stoi(outcome.output.substr(end + 1));
  reply.body = outcome.output.substr(0, end);
  std::istringstream lines(read_text(headers));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": ");
    if (line.ends_with('\r')) line.pop_back();
    if (colon != std::string::npos) reply.headers[to_lower(line.substr(0, colon))] = line.substr(colon + 2);
  }
  return reply;
}

}  // namespace birthmark::e2e
