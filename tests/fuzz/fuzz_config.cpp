// SPDX-License-Identifier: Apache-2.0
// Any text as birthmark.toml. Holds: an answer, never an exception; a refusal names the file; what is taken has names that may stand in
// URLs and certificates, key paths that stay below the directory, and can be written and read again.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "app/config.h"
#include "base/bytes.h"

namespace {

using namespace birthmark;
using namespace birthmark::app;

void check_taken(const Config& config) {
  BIRTHMARK_ASSERT(check_factory_name(config.factory).has_value());
  BIRTHMARK_ASSERT(check_dns_name(config.gateway_dns).has_value() && check_dns_name(config.ostree_dns).has_value());
  BIRTHMARK_ASSERT(config.gateway_server() == "https://" + config.gateway_dns + ":" + std::to_string(config.gateway_port));
  BIRTHMARK_ASSERT(config.gateway_port != 0 && !config.issuer_keys.empty());
  BIRTHMARK_ASSERT(config.rules.certificate_validity > Duration::zero() && config.rules.backdate >= Duration::zero());
  for (const std::string& key : config.issuer_keys) {
    const auto path = (std::filesystem::path("/d") / key).lexically_normal().string();
    BIRTHMARK_ASSERT(path.starts_with("/d/"));
  }
  const auto again = parse_config(default_config(config.factory, config.gateway_dns, config.ostree_dns), "again");
  BIRTHMARK_ASSERT(again.has_value() && again->factory == config.factory && again->ostree_dns == config.ostree_dns);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = parse_config(as_text({data, size}), "fuzz.toml");
  if (config) {
    check_taken(*config);
  } else {
    BIRTHMARK_ASSERT(config.error().code == ErrorCode::misconfigured);
    BIRTHMARK_ASSERT(config.error().public_message.starts_with("fuzz.toml"));
  }
  return 0;
}
