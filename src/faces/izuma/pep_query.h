// SPDX-License-Identifier: Apache-2.0
// Query strings and form bodies as pep's clients write them (protocol facts, pep 1.2 and 2). Bytes from outside: total, bounded, decoded
// exactly once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace birthmark::faces::izuma {

class Query {
 public:
  // Empty pieces are skipped (the original client begins with "?&"); '+' is a space; a '%' that begins no escape stands for itself, because
  // that client sends some values unencoded. invalid: not UTF-8, control characters, or too many parameters.
  [[nodiscard]] static Result<Query> parse(std::string_view text);

  // The first parameter of that name; nothing when it is absent.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

// What GET /v3/identity asks for.
struct IdentityRequest {
  std::string serial_number;
  std::string address;
  std::uint16_t port = 7777;
  std::string fields;  // members of the answer that the request gave, as JSON, in its order; what it left out follows
  std::string services_address;
  std::string hardware_version;
  std::string verification_key;
  [[nodiscard]] std::string target() const;
};

// `peer` is the address of who asks: the default target. The message of an error is for the client.
[[nodiscard]] Result<IdentityRequest> read_identity_request(const Query& query, std::string_view peer);

}  // namespace birthmark::faces::izuma
