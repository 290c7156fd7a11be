// SPDX-License-Identifier: Apache-2.0
// Any bytes as what callers of the factory API send: a JSON body, a query, a path's segment. Holds: nothing throws; a body that is refused
// says why; whatever is decoded is UTF-8 without NUL and never longer than what came.
#include <cstddef>
#include <cstdint>

#include "base/text.h"
#include "faces/factory_api/answers.h"
#include "faces/factory_api/json_body.h"

namespace {

using namespace birthmark;
using namespace birthmark::faces::factory_api;

void check_text(const std::optional<std::string>& decoded, std::size_t most) {
  if (!decoded) return;
  BIRTHMARK_ASSERT(is_utf8(*decoded) && decoded->find('\0') == std::string::npos && decoded->size() <= most);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  check_text(percent_decoded(text, Plus::literal), size);
  check_text(percent_decoded(text, Plus::space), size);
  check_text(query_value(text, "name"), size);
  JsonBody body(text);
  static_cast<void>(body.text("ca-crt"));
  static_cast<void>(body.flag("tls-csr"));
  const auto refusal = body.refusal();
  if (!refusal) return 0;
  BIRTHMARK_ASSERT(refusal->status == 400 && refusal->body.starts_with("{\"message\": \""));
  return 0;
}
