// SPDX-License-Identifier: Apache-2.0
// [hsm]: where the token is whose keys other settings name, and how it is used.
#include "app/config/section.h"

namespace birthmark::app {
namespace {

Status read(const ConfigFile& file, Config& config) {
  std::string pin_file;
  SectionReader section = file.section("hsm");
  section.text("module", config.hsm.module)
      .text("token", config.hsm.token)
      .text("pin_file", pin_file)
      .number("sessions", config.hsm.sessions, 0, 256)
      .span("timeout", config.hsm.timeout);
  if (!config.hsm.module.empty() && !config.hsm.module.starts_with('/')) section.complain("module", "must be an absolute path");
  config.hsm.pin_file = pin_file;
  return section.finish();
}

std::string written(const ConfigDefaults&) {
  return R"([hsm]
# module = ""  # the PKCS#11 library of the token, such as "/usr/lib/softhsm/libsofthsm2.so"
# token = ""  # its label; keys are named where paths are: issuer_keys = ["pkcs11:object=local-ca"]
# pin_file = ""  # mode 0600; without it the systemd credential hsm-pin, BIRTHMARK_HSM_PIN or the terminal is asked
# sessions = 0  # signatures at the same time; 0: as many as the token gives
# timeout = "5s"  # a signature that takes longer is given up: 503, and the device comes again
)";
}

}  // namespace

ConfigSection hsm_section() {
  return {"hsm", read, written};
}

}  // namespace birthmark::app
