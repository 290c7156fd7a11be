// SPDX-License-Identifier: Apache-2.0
#include "cli/moment.h"

namespace birthmark::cli {

Result<std::optional<Instant>> parse_moment(const std::string& option, const std::string& text, Instant now) {
  if (text.empty()) return std::nullopt;
  if (auto span = parse_duration(text)) return std::optional<Instant>(now + *span);
  if (auto moment = parse_rfc3339(text)) return std::optional<Instant>(*moment);
  if (auto day = parse_rfc3339(text + "T00:00:00Z")) return std::optional<Instant>(*day);
  return fail(ErrorCode::invalid,
              option + " " + text + ": expected a span like 30d, a day like 2027-01-31 or a moment like 2027-01-31T00:00:00Z");
}

}  // namespace birthmark::cli
