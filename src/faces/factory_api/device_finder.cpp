// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/device_finder.h"

#include "faces/factory_api/answers.h"

namespace birthmark::faces::factory_api {
namespace {

tl::unexpected<Error> unknown(const std::string& name) {
  return fail(ErrorCode::not_found, "there is no device '" + name + "'");
}

}  // namespace

std::string actor_of(const Caller& caller) {
  return caller.user_id + " by " + caller.name;
}

Status DeviceFinder::check_factory(const Call& call) const {
  const auto named = query_value(call.request.query, "factory");
  if (!named || *named == factory_) return {};
  return fail(ErrorCode::not_found, "there is no factory '" + *named + "' here");
}

Result<core::DeviceRecord> DeviceFinder::find(const Call& call) const {
  BIRTHMARK_CHECK(check_factory(call));
  const std::string& named = call.parameter("device");
  const auto by_uuid = query_value(call.request.query, "by-uuid");
  return by_uuid && *by_uuid != "0" ? by_id(named) : by_name(named);
}

Result<core::DeviceRecord> DeviceFinder::by_id(const std::string& id) const {
  const auto identity = core::identify(factory_, core::Ecosystem::foundries, id, core::DeviceIdRule::safe);
  if (!identity) return unknown(id);
  BIRTHMARK_TRY(auto found, registry_.find(*identity));
  if (!found || found->status != core::DeviceStatus::active) return unknown(id);
  return std::move(*found);
}

Result<core::DeviceRecord> DeviceFinder::by_name(const std::string& name) const {
  core::DirectoryQuery query;
  query.factory = factory_;
  query.name = name;
  query.limit = 2;
  BIRTHMARK_TRY(const auto page, directory_.page(query));
  if (page.devices.size() > 1) return fail(ErrorCode::conflict, "several devices are called '" + name + "': say which by its id (by-uuid)");
  if (page.devices.size() == 1) return by_id(page.devices.front().device.identity.external_id);
  return by_id(name);  // a device without a name of its own is called by its id
}

Result<bool> DeviceFinder::name_is_taken(const std::string& name) const {
  core::DirectoryQuery query;
  query.factory = factory_;
  query.name = name;
  query.limit = 1;
  BIRTHMARK_TRY(const auto page, directory_.page(query));
  return !page.devices.empty();
}

}  // namespace birthmark::faces::factory_api
