// SPDX-License-Identifier: Apache-2.0
// The `birthmark ca` family. All but `install` work offline on a PKI directory; with --api they make
// fioctl's calls at a server too.
#pragma once

#include <memory>
#include <vector>

#include "cli/command.h"

namespace birthmark::cli {

[[nodiscard]] std::unique_ptr<Command> make_ca_create_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_show_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_add_device_ca_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_revoke_device_ca_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_disable_device_ca_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_enable_device_ca_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_rotate_tls_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_sign_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_update_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_install_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_est_authorize_command();
[[nodiscard]] std::unique_ptr<Command> make_ca_est_show_command();

void append_ca_commands(std::vector<std::unique_ptr<Command>>& commands);

}  // namespace birthmark::cli
