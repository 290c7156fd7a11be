// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_commands.h"

namespace birthmark::cli {

void append_ca_commands(std::vector<std::unique_ptr<Command>>& commands) {
  commands.push_back(make_ca_create_command());
  commands.push_back(make_ca_show_command());
  commands.push_back(make_ca_install_command());
  commands.push_back(make_ca_add_device_ca_command());
  commands.push_back(make_ca_revoke_device_ca_command());
  commands.push_back(make_ca_disable_device_ca_command());
  commands.push_back(make_ca_enable_device_ca_command());
  commands.push_back(make_ca_rotate_tls_command());
  commands.push_back(make_ca_sign_command());
  commands.push_back(make_ca_update_command());
  commands.push_back(make_ca_est_authorize_command());
  commands.push_back(make_ca_est_show_command());
}

}  // namespace birthmark::cli
