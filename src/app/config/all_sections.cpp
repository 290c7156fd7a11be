// SPDX-License-Identifier: Apache-2.0
// The list of sections.
#include "app/config/section.h"

namespace birthmark::app {

std::vector<ConfigSection> config_sections() {
  return {
      factory_section(),  //
      registration_section(),
      gateway_section(),  // after registration: it shares allow_rsa
      pep_section(),          fcu_section(), eve_section(),   upstream_section(), hooks_section(),  admin_section(),
      api_section(),          hsm_section(), clock_section(), limits_section(),   server_section(), log_section(),
  };
}

}  // namespace birthmark::app
