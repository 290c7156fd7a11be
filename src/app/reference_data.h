// SPDX-License-Identifier: Apache-2.0
// A factory-registration-ref data directory as it was left: its certificates, its log of devices, its token (protocol facts, Foundries 4).
// Read whole and judged before anything is done with it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "core/identity.h"

namespace birthmark::app {

struct ReferencePaths {
  std::filesystem::path certificates;  // CERTS_DIR
  std::filesystem::path devices;       // DEVICES_DIR
  std::filesystem::path token;         // FIO_API_TOKEN; need not be there

  [[nodiscard]] static ReferencePaths below(const std::filesystem::path& data_directory) {
    return {data_directory / "certs", data_directory / "devices", data_directory / "fio-api-token"};
  }
};

// The certificates, which must fit each other.
struct ReferencePki {
  std::string factory;
  std::string gateway_dns, ostree_dns;  // of tls-crt, the first and the second name
  std::string root_pem, local_ca_pem, local_ca_key_pem;
  Bytes root_der, local_ca_der;
};
[[nodiscard]] Result<ReferencePki> read_reference_pki(const std::filesystem::path& directory);

struct ReferenceDevice {
  std::string file;
  core::DeviceIdentity identity;
  SpkiHash key;
};

struct ReferenceDevices {
  std::vector<ReferenceDevice> devices;
  std::vector<std::string> problems;  // "devices/xyz: why": files that are no device
};
// Every file that is not hidden is a device, or a problem.
[[nodiscard]] Result<ReferenceDevices> read_reference_devices(const std::filesystem::path& directory, const std::string& factory,
                                                              core::DeviceIdRule rule, bool allow_rsa);
[[nodiscard]] bool all_are_uuids(const std::filesystem::path& directory);

// Empty when there is none: the reference takes only a regular file that is not blank.
[[nodiscard]] std::string read_reference_token(const std::filesystem::path& file);

}  // namespace birthmark::app
