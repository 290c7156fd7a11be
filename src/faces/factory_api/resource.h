// SPDX-License-Identifier: Apache-2.0
// A resource of the factory API: some paths, and what answers there. One file pair each; all_resources of the wiring is the list. The face
// has checked caller, scope, factory, content type and size before a resource is asked.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.h"
#include "faces/factory_api/caller.h"
#include "net/http.h"

namespace birthmark::faces::factory_api {

// Who may call a route.
struct Access {
  enum class Kind : std::uint8_t { everybody, every_caller, scope } kind = Kind::scope;
  core::Scope needed = core::Scope::admin;
  // Nobody has to say who he is; Call::caller is empty.
  [[nodiscard]] static Access everybody() { return {Kind::everybody}; }
  // Any good credential of this factory will do.
  [[nodiscard]] static Access every_caller() { return {Kind::every_caller}; }
  [[nodiscard]] static Access scope(core::Scope needed) { return {Kind::scope, needed}; }
};

enum class BodyKind : std::uint8_t {
  none,           // whatever comes is not looked at: fioctl's DELETE carries a content type and nothing else (Foundries 1.3)
  json,           // must be JSON by its content type, otherwise 415
  optional_json,  // nothing at all, or JSON
  form,           // application/x-www-form-urlencoded
};

// One request that was let through. Valid until the answer is there.
struct Call {
  const net::Request& request;
  const Caller& caller;
  std::vector<std::pair<std::string_view, std::string>> parameters;  // of the path, decoded

  // What stood in the place of {name}; the route must have it.
  [[nodiscard]] const std::string& parameter(std::string_view name) const;
};

struct Route {
  std::string method;   // GET answers HEAD too
  std::string pattern;  // "/ota/factories/{factory}/certs/": a final slash may be left out by the caller
  Access access;
  BodyKind body = BodyKind::none;
  std::function<Task<net::Response>(const Call& call)> answer;
  std::size_t body_bytes = 64U << 10U;  // 413 beyond
};

class Resource {
 public:
  virtual ~Resource() = default;
  // Asked once. What the routes refer to must live as long as the resource.
  [[nodiscard]] virtual std::vector<Route> routes() = 0;
};

}  // namespace birthmark::faces::factory_api
