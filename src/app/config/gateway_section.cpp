// SPDX-License-Identifier: Apache-2.0
// [gateway]: where devices come with their certificates.
#include "app/config/section.h"

namespace birthmark::app {
namespace {

Status read(const ConfigFile& file, Config& config) {
  core::GatewayRules& rules = config.gateway;
  std::string repository = config.gateway_repository.string(), ostree;
  BIRTHMARK_CHECK(file.section("gateway")
                      .endpoints("listen", config.gateway_listen)
                      .choice<core::GatewayProfile>("profile", rules.profile, core::parse_gateway_profile, "vendor, strict")
                      .choice<core::AutoCreate>("auto_create", rules.auto_create, core::parse_auto_create, "on, registered-only, off")
                      .choice<core::DeviceIdRule>("device_id", rules.device_id, core::parse_device_id_rule, "safe, uuid")
                      .text("repository", repository)
                      .text("ostree", ostree)
                      .text("app_proxy_url", config.app_proxy_url)
                      .duration("est_validity", config.est_validity)
                      .number("tickets", config.gateway_tickets, 0, 4)
                      .finish());
  config.gateway_repository = repository;
  config.gateway_ostree = ostree;
  rules.allow_rsa = config.allow_rsa;
  return {};
}

std::string written(const ConfigDefaults& defaults) {
  return "[gateway]\n" + std::string(defaults.gateway == GatewayListener::on ? "listen = [\":8443\"]" : "# listen = []") +
         R"(  # where devices come with their certificates; needs the TLS certificate of the factory
# profile = "vendor"  # or "strict": what a device certificate must look like
# auto_create = "on"  # devices registered elsewhere are made on first contact; or "registered-only", "off"
# device_id = "safe"  # or "uuid"
# repository = "tuf/repo"  # update metadata for /repo
# ostree = ""  # a directory for /ostree
# app_proxy_url = ""
# est_validity = "1095d"  # of certificates renewed under /.well-known/est
# tickets = 0  # for TLS session resumption: 1 saves a device that resumes its half of a handshake
)";
}

}  // namespace

ConfigSection gateway_section() {
  return {"gateway", read, written};
}

}  // namespace birthmark::app
