// SPDX-License-Identifier: Apache-2.0
// `birthmark ca ...` alone, without a server: what the tests of this folder run, and kill, as a process of its own.
#include <iostream>

#include "cli/ca_commands.h"
#include "cli/driver.h"

namespace {

// The PKI owner's machine has no data directory.
class NoHost final : public birthmark::cli::Host {
 public:
  birthmark::Result<std::unique_ptr<birthmark::cli::Workbench>> open(const std::filesystem::path&) override {
    return birthmark::fail(birthmark::ErrorCode::misconfigured, "no data directories here");
  }
  birthmark::Result<int> forward(const std::filesystem::path&, const std::vector<std::string>&,
                                 const std::vector<birthmark::cli::InputFile>&, birthmark::cli::Console&) override {
    return birthmark::fail(birthmark::ErrorCode::not_found, "no servers here");
  }
};

}  // namespace

int main(int count, char** values) {
  std::vector<std::unique_ptr<birthmark::cli::Command>> commands;
  birthmark::cli::append_ca_commands(commands);
  birthmark::cli::Console console{std::cout, std::cerr};
  NoHost host;
  return birthmark::cli::run(std::move(commands), {values + 1, values + count}, console, host);
}
