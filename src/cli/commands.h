// SPDX-License-Identifier: Apache-2.0
// The command families of the program; each file of commands offers one function.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace birthmark::cli {

using CommandList = std::vector<std::unique_ptr<Command>>;

void append_device_list_commands(CommandList& commands);       // device list, export
void append_device_lifecycle_commands(CommandList& commands);  // device show, deny, allow
void append_config_commands(CommandList& commands);            // config set, get, delete, history; device rotate
void append_audit_commands(CommandList& commands);             // audit verify, head, tail
void append_clock_commands(CommandList& commands);             // clock show, accept
void append_order_commands(CommandList& commands);             // order create, import, list, show, close; device release-unseen
void append_site_certificate_commands(CommandList& commands);  // station add, list, revoke; operator add, list, revoke
void append_event_commands(CommandList& commands);             // events
void append_token_commands(CommandList& commands);             // token create, list, revoke
void append_api_access_commands(CommandList& commands);        // user, client, approve
void append_upstream_commands(CommandList& commands);          // upstream status, list, retry, drop, test-server
void append_upstream_test_server_command(CommandList& commands);
void append_status_commands(CommandList& commands);  // status

// not_found unless this is one of the factory's users.
[[nodiscard]] Status check_user(Workbench& workbench, const std::string& id);

}  // namespace birthmark::cli
