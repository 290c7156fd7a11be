// SPDX-License-Identifier: Apache-2.0
// [factory]: whose server this is.
#include "app/config/section.h"

namespace birthmark::app {
namespace {

Status read(const ConfigFile& file, Config& config) {
  BIRTHMARK_CHECK(file.section("factory")
                      .text("name", config.factory, check_factory_name)
                      .text("gateway_dns", config.gateway_dns, check_dns_name)
                      .text("ostree_dns", config.ostree_dns, check_dns_name)
                      .number("gateway_port", config.gateway_port, 1, 65535)
                      .finish());
  for (const auto& [key, value] :
       {std::pair{"name", &config.factory}, {"gateway_dns", &config.gateway_dns}, {"ostree_dns", &config.ostree_dns}}) {
    if (value->empty()) return file.mistake(std::string("factory.") + key + " is required");
  }
  return {};
}

std::string written(const ConfigDefaults& defaults) {
  return "[factory]\n"
         "name = \"" +
         defaults.factory +
         "\"  # equals the OU of every certificate of this factory\n"
         "gateway_dns = \"" +
         defaults.gateway_dns +
         "\"  # where devices find the gateway\n"
         "ostree_dns = \"" +
         defaults.ostree_dns +
         "\"\n"
         "# gateway_port = 8443\n";
}

}  // namespace

ConfigSection factory_section() {
  return {"factory", read, written};
}

}  // namespace birthmark::app
