// SPDX-License-Identifier: Apache-2.0
// [upstream] and [hooks]: whom the server tells of registrations.
#include "app/config/section.h"
#include "net/client.h"

namespace birthmark::app {
namespace {

std::optional<UpstreamMode> parse_mode(std::string_view name) {
  if (name == "queue") return UpstreamMode::queue;
  if (name == "wait") return UpstreamMode::wait;
  return std::nullopt;
}

Status read_upstream(const ConfigFile& file, Config& config) {
  UpstreamConfig& upstream = config.upstream;
  BIRTHMARK_CHECK(file.section("upstream")
                      .text("url", upstream.url, [](std::string_view url) { return net::check_confidential_url(std::string(url)); })
                      .text("token_file", upstream.token_file)
                      .text("ca_file", upstream.ca_file)
                      .choice<UpstreamMode>("mode", upstream.mode, parse_mode, "queue, wait")
                      .span("wait_deadline", upstream.wait_deadline)
                      .span("timeout", upstream.timeout)
                      .flag("name", upstream.send_name)
                      .text("group", upstream.group)
                      .number("parallel", upstream.parallel, 1, 64)
                      .finish());
  if (upstream.configured() && upstream.token_file.empty()) return file.mistake("upstream.token_file is required beside upstream.url");
  return {};
}

std::string written_upstream(const ConfigDefaults&) {
  return R"([upstream]
# url = "https://api.foundries.io/ota/devices/"  # who learns of every registered device; nobody unless set
# token_file = "upstream.token"  # mode 0600, scope devices:create (devices:read too, to compare keys); read again when it changes
# mode = "queue"  # the device is answered at once; "wait": when the upstream knows it
# wait_deadline = "20s"  # then the device gets 503 and may ask again
# ca_file = ""  # trusted beside the system's CAs
# name = true  # send the device's name too
# group = ""  # the device group it joins there
# parallel = 4
# timeout = "30s"
)";
}

Status read_hooks(const ConfigFile& file, Config& config) {
  return file.section("hooks")
      .text("url", config.hooks.url, [](std::string_view url) { return net::check_url(std::string(url)); })
      .text("ca_file", config.hooks.ca_file)
      .span("timeout", config.hooks.timeout)
      .finish();
}

std::string written_hooks(const ConfigDefaults&) {
  return R"([hooks]
# url = "https://mes.example.com/birthmark"  # gets every registered and refused event, signed; nobody unless set
# ca_file = ""
# timeout = "10s"
)";
}

}  // namespace

ConfigSection upstream_section() {
  return {"upstream", read_upstream, written_upstream};
}

ConfigSection hooks_section() {
  return {"hooks", read_hooks, written_hooks};
}

}  // namespace birthmark::app
