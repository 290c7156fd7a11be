// SPDX-License-Identifier: Apache-2.0
// Tells the service manager how far we are (sd_notify(3)): one datagram, written by hand. Does nothing where NOTIFY_SOCKET is not set.
#pragma once

#include <string_view>

namespace birthmark::app {

// "READY=1", "STOPPING=1", "STATUS=...": lines as sd_notify(3) names them.
void notify_service_manager(std::string_view state);
// RELOADING=1 with the monotonic time that systemd wants beside it; READY=1 follows when it is over.
void notify_reloading();

}  // namespace birthmark::app
