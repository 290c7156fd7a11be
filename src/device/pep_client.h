// SPDX-License-Identifier: Apache-2.0
// What the pep commands ask a pep server, Birthmark's or the original: one identity, one id, one key, the list.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace birthmark::device {

struct PepAnswer {
  int status = 0;
  std::string body;
};

using PepParameters = std::vector<std::pair<std::string, std::string>>;

class PepClient {
 public:
  // `url`: "http://10.0.0.1:5151". `token`: shown as a bearer; empty: none.
  PepClient(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  // PEP_SERVER_URL and, for servers that want one, the token in the file that PEP_TOKEN_FILE names.
  [[nodiscard]] static Result<PepClient> from_environment();

  [[nodiscard]] Result<PepAnswer> get(const std::string& path, const PepParameters& parameters) const;
  // As a form, so that nothing of it stands in an address; the original server knows GET alone, and gets that.
  [[nodiscard]] Result<PepAnswer> identity(const PepParameters& parameters) const;

 private:
  [[nodiscard]] Result<PepAnswer> ask(const std::string& method, const std::string& path, const std::string& query,
                                      const std::string& body) const;
  const std::string url_;
  const std::string token_;
};

// What an answer that is no success says, in one line.
[[nodiscard]] std::string reason_of(const PepAnswer& answer);

// Rows of a list answer as the portal takes them (protocol facts, pep 1.4), the heading first when asked for.
[[nodiscard]] Result<std::string> portal_csv(const std::string& list_json, bool heading);

}  // namespace birthmark::device
