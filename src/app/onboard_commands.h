// SPDX-License-Identifier: Apache-2.0
// The commands of `birthmark onboard`; they need the whole house, so they live here.
#pragma once

#include "cli/commands.h"

namespace birthmark::app {

[[nodiscard]] CLI::App* onboard_group(CLI::App& root);

class Site;

// Records the controller's root in the registry unless it is there, and reads its keys anew; true when it was new.
[[nodiscard]] Result<bool> install_eve_controller(Site& site);

void append_onboard_commands(cli::CommandList& commands);             // add, list, show, revoke, pending, accept, dismiss, nodes
void append_onboard_controller_commands(cli::CommandList& commands);  // controller-pki, rotate, install-controller
void append_onboard_image_commands(cli::CommandList& commands);       // eve-config
void append_adam_import_command(cli::CommandList& commands);          // import adam
void append_onboard_node_commands(cli::CommandList& commands);        // config-set, config-get, pcrs, reports

}  // namespace birthmark::app
