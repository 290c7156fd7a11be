// SPDX-License-Identifier: Apache-2.0
// [pep] and [fcu] of birthmark.toml: the listener for Izuma Edge gateways, and what is injected into them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/network.h"
#include "faces/izuma/factory_settings.h"
#include "faces/izuma/pep_face.h"
#include "net/server.h"

namespace birthmark::app {

enum class PepTls : std::uint8_t { off, gateway };

struct PepConfig {
  std::vector<net::Endpoint> listen;  // empty: no such listener
  PepTls tls = PepTls::off;
  // fcu.yml and what stands beside it; empty: [fcu] says it. Relative to the data directory.
  std::filesystem::path fcu_config_dir;
  faces::izuma::FactorySettings factory;     // from [fcu]
  std::filesystem::path update_certificate;  // from [fcu]
  std::filesystem::path entropy_file;
  std::string bootstrap_server_uri;           // empty: fcu.yml's, else the public one
  std::filesystem::path bootstrap_server_ca;  // PEM or DER
  std::filesystem::path external_keys;        // a directory of SERIAL.key files
  std::vector<core::Network> gateway_networks;
  std::vector<core::Network> inventory_networks;
  faces::izuma::EnrollmentIdCase id_case = faces::izuma::EnrollmentIdCase::upper;
  Duration certificate_validity = std::chrono::hours(24 * 7300);
  bool allow_short = false;
  faces::izuma::FccTimes times;
};

}  // namespace birthmark::app
