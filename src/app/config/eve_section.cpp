// SPDX-License-Identifier: Apache-2.0
// [eve]: where LF Edge EVE nodes find their controller.
#include "app/config/section.h"

namespace birthmark::app {
namespace {

Status read(const ConfigFile& file, Config& config) {
  EveConfig& eve = config.eve;
  return file.section("eve")
      .endpoints("listen", eve.listen)
      .texts("placeholder_serials", eve.rules.placeholders)
      .flag("enforce_attestation", eve.enforce_attestation)
      .number("keep_info", eve.keep_info, 1, 100'000)
      .number("keep_metrics", eve.keep_metrics, 1, 100'000)
      .number("keep_logs", eve.keep_logs, 1, 100'000)
      .flag("adam_admin", eve.adam_admin)
      .finish();
}

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "\"" : ", \"") + text + "\"";
  return "[" + list + "]";
}

std::string written(const ConfigDefaults&) {
  return R"([eve]
# listen = []  # [":8082"]: where LF Edge EVE nodes come; needs `birthmark onboard controller-pki`, which init does
# placeholder_serials = )" +
         list_of(core::OnboardingRules::default_placeholders()) +
         R"(  # serials that many machines share: such a node is told apart by its soft serial
# enforce_attestation = false  # true: no configuration without the token of the newest attestation
# keep_info = 100  # how many of each a node's reports keep
# keep_metrics = 20
# keep_logs = 200
# adam_admin = false  # true: adam's administration under /admin here, for whoever reaches this listener; for closed benches only
)";
}

}  // namespace

ConfigSection eve_section() {
  return {"eve", read, written};
}

}  // namespace birthmark::app
