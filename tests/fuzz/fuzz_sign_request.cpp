// SPDX-License-Identifier: Apache-2.0
// Any bytes as the body of POST /sign. Holds: a refusal says why; of what is taken, hardware id and directory stand in sota.toml exactly as
// they were sent and nowhere else, which another TOML reader confirms; overrides never touch the lines before them.
#include <cstddef>
#include <cstdint>
#include <string>
#define TOML_HEADER_ONLY 0  // Debian's library, as src/app links it
#define TOML_SHARED_LIB 1
#include <toml++/toml.h>

#include "base/bytes.h"
#include "base/text.h"
#include "faces/sign_request.h"

namespace {

using namespace birthmark;
using namespace birthmark::faces;

std::string rendered(const SignRequest& request, const std::vector<TomlSectionOverride>& overrides) {
  const SotaParameters parameters{request.hardware_id, request.sota_config_dir, "https://gateway.example:8443",
                                  "https://ostree.example:8443"};
  return render_sota_toml(parameters, overrides);
}

// Without overrides the file is plain TOML: six tables, and the device's two texts where they belong.
void check_default_file(const SignRequest& request) {
  const toml::table file = toml::parse(rendered(request, {}));
  BIRTHMARK_ASSERT(file.size() == 6);
  BIRTHMARK_ASSERT(file["tls"]["server"].value<std::string>() == "https://gateway.example:8443");
  BIRTHMARK_ASSERT(file["provision"].as_table()->size() == 2);
  BIRTHMARK_ASSERT(file["provision"]["primary_ecu_hardware_id"].value<std::string>() == request.hardware_id);
  BIRTHMARK_ASSERT(file["storage"].as_table()->size() == 2);
  BIRTHMARK_ASSERT(file["storage"]["path"].value<std::string>() == request.sota_config_dir + "/");
  BIRTHMARK_ASSERT(file["import"]["tls_cacert_path"].value<std::string>() == request.sota_config_dir + "/root.crt");
}

void check_with_overrides(const SignRequest& request) {
  const std::string file = rendered(request, request.overrides);
  BIRTHMARK_ASSERT(file.starts_with("[tls]\n") && file.ends_with('\n') && !file.ends_with("\n\n"));
  for (const char* section : {"[tls]\n", "\n\n[provision]\n", "\n\n[uptane]\n", "\n\n[pacman]\n", "\n\n[storage]\n", "\n\n[import]\n"})
    BIRTHMARK_ASSERT(file.find(section) != std::string::npos);
  for (const TomlSectionOverride& section : request.overrides) {
    BIRTHMARK_ASSERT(section.section.find('\n') == std::string::npos);
    BIRTHMARK_ASSERT(file.find("[" + section.section + "]\n") != std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = parse_sign_request(as_text({data, size}));
  if (!request) {
    BIRTHMARK_ASSERT(request.error().code == ErrorCode::invalid && !request.error().public_message.empty());
    return 0;
  }
  BIRTHMARK_ASSERT(!request->csr.empty() && !request->hardware_id.empty() && is_utf8(request->hardware_id));
  check_default_file(*request);
  check_with_overrides(*request);
  return 0;
}
