// SPDX-License-Identifier: Apache-2.0
// The JSON body of POST /sign and of POST /ota/devices/, checked member by member in the reference's order and with its phrases (protocol
// facts, Foundries 3.4 and 4.2). The clients write every scalar as a string; native types are taken too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "faces/sota_toml.h"

namespace birthmark::faces {

struct SignRequest {
  std::string csr;
  std::string hardware_id;
  std::string name;                 // empty: not given
  std::optional<std::string> uuid;  // must agree with the CSR
  std::string sota_config_dir = "/var/sota";
  std::string group{};  // empty: not given
  std::vector<TomlSectionOverride> overrides;
};

// Whether devices may say which group they join. Without authentication that would be theirs to take.
enum class GroupMember : std::uint8_t { refused, taken };

// Every error is `invalid` with a text for the device.
[[nodiscard]] Result<SignRequest> parse_sign_request(std::string_view body, GroupMember group = GroupMember::refused);

// application/json or any +json type, parameters allowed, any case.
[[nodiscard]] bool is_json_content_type(std::string_view content_type);

}  // namespace birthmark::faces
