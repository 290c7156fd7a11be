// SPDX-License-Identifier: Apache-2.0
// The query of a list of devices as fioctl writes it (protocol facts, Foundries 2.1), and the address of the page that follows.
#pragma once

#include <string>
#include <string_view>

#include "core/ports/device_directory.h"
#include "faces/factory_api/caller.h"

namespace birthmark::faces::factory_api {

struct ListRequest {
  core::DirectoryQuery query;
  std::uint64_t page = 1;
  std::string id;                          // or a beginning of it, followed by '*'
  std::optional<std::string> tag, target;  // what devices say of themselves
  std::string next_path;                   // without what says where the page begins
};

// invalid, naming the parameter, for what makes no sense. `default_owner` is the user whose are the devices of nobody.
[[nodiscard]] Result<ListRequest> parse_list_request(std::string_view path, std::string_view query, const std::string& factory,
                                                     const Caller& caller, const std::string& default_owner);
// Of a page that ends with `last`: by name a position that stays right while devices come and go, otherwise a number.
[[nodiscard]] std::string next_page(const ListRequest& request, const core::DeviceSummary& last);

}  // namespace birthmark::faces::factory_api
