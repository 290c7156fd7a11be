// SPDX-License-Identifier: Apache-2.0
// Every command that needs no more than the core, the crypto room and a workbench; app/ adds `init` and `serve`.
#include "cli/ca_commands.h"
#include "cli/commands.h"

namespace birthmark::cli {

CommandList all_commands() {
  CommandList commands;
  append_ca_commands(commands);
  append_device_list_commands(commands);
  append_device_lifecycle_commands(commands);
  append_order_commands(commands);
  append_config_commands(commands);
  append_token_commands(commands);
  append_site_certificate_commands(commands);
  append_event_commands(commands);
  append_api_access_commands(commands);
  append_audit_commands(commands);
  append_clock_commands(commands);
  append_upstream_commands(commands);
  append_status_commands(commands);
  return commands;
}

}  // namespace birthmark::cli
