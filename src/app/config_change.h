// SPDX-License-Identifier: Apache-2.0
// What a running server can take over from a changed birthmark.toml, and what has to wait for its next start.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace birthmark::app {

// `running` with those settings of `read` that may change at any time: who may register and what is issued, upstream, hooks, the log.
[[nodiscard]] Config changed_while_running(const Config& running, const Config& read);

// The settings in which `read` differs from what the server is `running` with, and which it takes over.
[[nodiscard]] std::vector<std::string> taken_over(const Config& running, const Config& read);

// The settings in which `read` differs from what the server `started` with, and which it does not take over.
[[nodiscard]] std::vector<std::string> waiting_for_restart(const Config& started, const Config& read);

}  // namespace birthmark::app
