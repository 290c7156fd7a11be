// SPDX-License-Identifier: Apache-2.0
// [admin], [clock], [limits], [server] and [log]: the process itself.
#include "app/config/section.h"
#include "app/key_house.h"

namespace birthmark::app {
namespace {

Status read_admin(const ConfigFile& file, Config& config) {
  SectionReader section = file.section("admin");
  section.endpoints("listen", config.admin_listen).texts("names", config.admin_names);
  for (const std::string& name : config.admin_names) {
    if (auto judged = check_host_name(name); !judged) section.complain("names", ": " + judged.error().public_message);
  }
  return section.finish();
}

std::string written_admin(const ConfigDefaults&) {
  return R"([admin]
# listen = []  # ["127.0.0.1:9443"]: health, metrics and the operator's commands over HTTPS
# names = []  # further DNS names and addresses of its certificate
)";
}

Status read_clock(const ConfigFile& file, Config& config) {
  return file.section("clock")
      .duration("tolerance", config.clock.tolerance)
      .duration("forward_limit", config.clock.forward_limit)
      .duration("downtime_limit", config.clock.downtime_limit)
      .finish();
}

std::string written_clock(const ConfigDefaults&) {
  return R"([clock]
# tolerance = "120s"
# forward_limit = "24h"
# downtime_limit = "90d"
)";
}

Status read_limits(const ConfigFile& file, Config& config) {
  net::Limits& limits = config.limits;
  return file.section("limits")
      .number("header_bytes", limits.header_bytes, 1024, 1 << 20)
      .number("body_bytes", limits.body_bytes, 4096, 16 << 20)
      .duration("header_timeout", limits.header_timeout)
      .duration("request_timeout", limits.request_timeout)
      .duration("idle_timeout", limits.idle_timeout)
      .duration("write_timeout", limits.write_timeout)
      .duration("shutdown_timeout", limits.shutdown_timeout)
      .number("connections", limits.connections, 1, 1'000'000)
      .finish();
}

std::string written_limits(const ConfigDefaults&) {
  return R"([limits]
# header_bytes = 16384
# body_bytes = 65536
# header_timeout = "10s"
# request_timeout = "30s"
# idle_timeout = "60s"
# write_timeout = "30s"
# shutdown_timeout = "20s"
# connections = 10000
)";
}

Status read_server(const ConfigFile& file, Config& config) {
  SectionReader section = file.section("server");
  const auto check = [](std::string_view name) { return check_key_name(std::string(name)); };
  const auto check_own = [&](std::string_view name) { return name.empty() ? Status() : check(name); };
  section.number("threads", config.threads, 0, 256)
      .text("tls_key", config.tls_key, check)
      .text("own_tls_key", config.own_tls_key, check_own);
  return section.finish();
}

std::string written_server(const ConfigDefaults&) {
  return R"([server]
# threads = 0  # 0: one per core
# tls_key = "keys/tls.key"  # of the factory's TLS server certificate: a path or a pkcs11: URI
# own_tls_key = ""  # of listeners with a certificate of this server's own: a pkcs11: URI; empty: a file each, made when missing
)";
}

std::optional<log::Level> parse_level(std::string_view name) {
  if (name == "debug") return log::Level::debug;
  if (name == "info") return log::Level::info;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  return std::nullopt;
}

Status read_log(const ConfigFile& file, Config& config) {
  return file.section("log").choice<log::Level>("level", config.log_level, parse_level, "debug, info, warning, error").finish();
}

std::string written_log(const ConfigDefaults&) {
  return "[log]\n# level = \"info\"\n";
}

}  // namespace

ConfigSection admin_section() {
  return {"admin", read_admin, written_admin};
}
ConfigSection clock_section() {
  return {"clock", read_clock, written_clock};
}
ConfigSection limits_section() {
  return {"limits", read_limits, written_limits};
}
ConfigSection server_section() {
  return {"server", read_server, written_server};
}
ConfigSection log_section() {
  return {"log", read_log, written_log};
}

}  // namespace birthmark::app
