// SPDX-License-Identifier: Apache-2.0
// SoftHSM tokens in a directory of one test: what a factory's HSM is in these tests. SoftHSM reads its configuration's place from the
// environment, so one process sees one SoftHouse.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../e2e/child_process.h"

namespace birthmark::hsm {

inline constexpr const char* kSoftHsm = "/usr/lib/softhsm/libsofthsm2.so";
inline constexpr const char* kPin = "8642097531";  // long enough to be looked for in memory
inline constexpr const char* kOfficerPin = "1357924680";

class SoftHouse {
 public:
  SoftHouse();
  // "SOFTHSM2_CONF=...", for child processes.
  [[nodiscard]] std::string environment() const { return "SOFTHSM2_CONF=" + (scratch_.path() / "softhsm2.conf").string(); }
  // For this process, before the module is loaded.
  void use_here() const;
  void make_token(const std::string& label, const std::string& pin = kPin) const;
  // `pkcs11-tool --module MODULE ARGUMENTS...` with the PIN; must succeed; its output.
  std::string tool(const std::string& label, e2e::Arguments arguments) const;
  void make_key(const std::string& label, const std::string& key, const std::string& id = "01",
                const std::string& type = "EC:prime256v1") const;

  [[nodiscard]] const std::filesystem::path& path() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path tokens() const { return scratch_.path() / "tokens"; }
  // A 0600 file with `pin` in it.
  [[nodiscard]] std::filesystem::path pin_file(const std::string& pin = kPin) const;

 private:
  e2e::ScratchDirectory scratch_;
};

}  // namespace birthmark::hsm
