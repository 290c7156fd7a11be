// SPDX-License-Identifier: Apache-2.0
#include "soft_token.h"

#include <sys/stat.h>

#include <cstdlib>

namespace birthmark::hsm {

SoftHouse::SoftHouse() {
  std::filesystem::create_directory(tokens());
  e2e::write_text(scratch_.path() / "softhsm2.conf",
                  "directories.tokendir = " + tokens().string() + "\nobjectstore.backend = file\nlog.level = ERROR\n");
}

void SoftHouse::use_here() const {
  ::setenv("SOFTHSM2_CONF", (scratch_.path() / "softhsm2.conf").c_str(), 1);
}

void SoftHouse::make_token(const std::string& label, const std::string& pin) const {
  const auto made =
      e2e::run({"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", kOfficerPin}, {environment()});
  e2e::require(made.exit_code == 0, "softhsm2-util: " + made.output + made.errors);
}

std::string SoftHouse::tool(const std::string& label, e2e::Arguments arguments) const {
  e2e::Arguments all{"pkcs11-tool", "--module", kSoftHsm, "--token-label", label, "--login", "--pin", kPin};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto outcome = e2e::run(all, {environment()});
  e2e::require(outcome.exit_code == 0, "pkcs11-tool " + arguments.front() + ": " + outcome.output + outcome.errors);
  return outcome.output;
}

void SoftHouse::make_key(const std::string& label, const std::string& key, const std::string& id, const std::string& type) const {
  tool(label, {"--keypairgen", "--key-type", type, "--label", key, "--id", id});
}

std::filesystem::path SoftHouse::pin_file(const std::string& pin) const {
  const auto path = scratch_.path() / ("pin-" + std::to_string(std::hash<std::string>()(pin)));
  e2e::write_text(path, pin + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path;
}

}  // namespace birthmark::hsm
