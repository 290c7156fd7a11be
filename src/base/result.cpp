// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace birthmark {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::not_found: return "not found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::too_large: return "too large";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::misconfigured: return "misconfigured";
    case ErrorCode::internal: return "internal";
  }
  return "unknown";
}

std::string Error::describe() const {
  return detail.empty() ? public_message : public_message + " (" + detail + ")";
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "birthmark: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace birthmark
