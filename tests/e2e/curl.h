// SPDX-License-Identifier: Apache-2.0
// curl as a client: another implementation of TLS and HTTP than ours.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>

#include "child_process.h"

namespace birthmark::e2e {

struct CurlReply {
  int status = 0;  // 0: there was no answer
  std::string body;
  std::string errors;
  std::map<std::string, std::string> headers;  // names in lower case

  [[nodiscard]] boost::json::object object() const;
  [[nodiscard]] std::string message() const;
};

[[nodiscard]] CurlReply curl(Arguments arguments);

}  // namespace birthmark::e2e
