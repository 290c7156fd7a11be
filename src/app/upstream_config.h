// SPDX-License-Identifier: Apache-2.0
// [upstream] and [hooks] of birthmark.toml: whom the server tells of registrations.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace birthmark::app {

enum class UpstreamMode : std::uint8_t {
  queue,  // the device is answered at once
  wait,   // its answer waits until the upstream knows it
};

struct UpstreamConfig {
  std::string url;  // empty: there is no upstream
  std::string token_file;
  std::string ca_file;
  std::string group;
  bool send_name = true;
  // Neither can be set in birthmark.toml: they are for those who come from the registration reference.
  bool verify = true;                // false: VERIFY_SSL=false
  bool token_may_be_shared = false;  // its token file has whatever mode it has
  UpstreamMode mode = UpstreamMode::queue;
  Duration wait_deadline = std::chrono::seconds(20);
  Duration timeout = std::chrono::seconds(30);
  unsigned parallel = 4;

  bool operator==(const UpstreamConfig&) const = default;
  [[nodiscard]] bool configured() const { return !url.empty(); }
};

// [hooks]: the line's own system.
struct HooksConfig {
  std::string url;  // empty: there is none
  std::string ca_file;
  Duration timeout = std::chrono::seconds(10);

  bool operator==(const HooksConfig&) const = default;
  [[nodiscard]] bool configured() const { return !url.empty(); }
};

}  // namespace birthmark::app
