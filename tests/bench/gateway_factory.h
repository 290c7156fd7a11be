// SPDX-License-Identifier: Apache-2.0
// A scratch factory for the gateway's measurements: its PKI, its configuration for devices, a crowd of known devices, and a fleet whose
// certificates the generator can show.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "device_fleet.h"
#include "server_process.h"

namespace birthmark::bench {

class GatewayFactory {
 public:
  struct Amounts {
    std::size_t known = 0;  // devices in the registry that never come
    std::size_t fleet = 0;  // devices that come; unknown at first
  };

  // Prints what it does. `server`: the birthmark program.
  [[nodiscard]] static Result<GatewayFactory> make(std::filesystem::path server, std::filesystem::path scratch, const Amounts& amounts);

  [[nodiscard]] const std::vector<FleetDevice>& fleet() const { return fleet_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] const std::filesystem::path& program() const { return server_; }
  [[nodiscard]] std::filesystem::path log() const { return scratch_ / "commands.log"; }
  // With `tickets` session tickets after each full handshake.
  [[nodiscard]] Result<ServerProcess> start(unsigned tickets) const;

  // openssl s_server over the same certificates.
  struct Reference {
    ChildProgram program;
    std::uint16_t port = 0;
  };
  [[nodiscard]] Result<Reference> start_reference(const std::vector<std::string>& more) const;

 private:
  GatewayFactory(std::filesystem::path server, std::filesystem::path scratch)
      : server_(std::move(server)), scratch_(std::move(scratch)), directory_(scratch_ / "factory") {}
  [[nodiscard]] Status prepare(const Amounts& amounts);
  [[nodiscard]] Status configure() const;

  std::filesystem::path server_;
  std::filesystem::path scratch_;
  std::filesystem::path directory_;
  std::vector<FleetDevice> fleet_;
};

// GET /config as fioconfig asks for it, at a time when nothing newer is there (304), or for the first time (200).
[[nodiscard]] std::string check_in(bool keep_alive);
[[nodiscard]] std::string first_check_in();

}  // namespace birthmark::bench
