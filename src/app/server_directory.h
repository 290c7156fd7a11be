// SPDX-License-Identifier: Apache-2.0
// What `init` and `import` make alike: a server's directory with its keys, requests and configuration. What is there is kept, never
// overwritten, so that an interrupted run is simply repeated.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/site.h"
#include "cli/command.h"
#include "crypto/pki/key_vault.h"

namespace birthmark::app {

struct ServerNames {
  std::filesystem::path directory;
  std::string factory, gateway_dns, ostree_dns;
  crypto::KeyVault* vault = nullptr;  // where the TLS key and the online CA's are made; null: in files
};

[[nodiscard]] Status check_names(const ServerNames& names);
// Directories, keys and certificate requests.
[[nodiscard]] Status make_server_keys(const ServerNames& names);
// birthmark.toml with `text` when there is none; otherwise makes sure that the one which is there is for the same factory.
[[nodiscard]] Status make_server_config(const ServerNames& names, const std::string& text);

// As `ca install` does it.
[[nodiscard]] Status install_artefacts(Site& site, const std::vector<cli::InputFile>& inputs, cli::Console& console);
// Once a PKI is installed, nobody has anything to do with its files any more: they may long be elsewhere.
[[nodiscard]] bool has_pki(const Site& site);

}  // namespace birthmark::app
