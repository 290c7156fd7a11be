// SPDX-License-Identifier: Apache-2.0
// [hsm] of birthmark.toml: the PKCS#11 token in which keys may be, named elsewhere in the file by a pkcs11: URI.
#pragma once

#include <filesystem>
#include <string>

#include "base/time.h"

namespace birthmark::app {

struct HsmConfig {
  std::string module;              // the token's library; a URI's module-path comes before it
  std::string token;               // label, for URIs that name none
  std::filesystem::path pin_file;  // relative to the data directory; a URI's pin-source comes before it
  unsigned sessions = 0;           // 0: as many as the token gives
  Duration timeout = std::chrono::seconds(5);
};

}  // namespace birthmark::app
