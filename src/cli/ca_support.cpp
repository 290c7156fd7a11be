// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_support.h"

#include <chrono>
#include <ostream>

#include "crypto/x509_codec.h"

namespace birthmark::cli {
namespace {

std::function<void(const std::string&)> progress_to(Console& console, bool quiet) {
  if (quiet) return [](const std::string&) {};
  return [&console](const std::string& line) { console.err << line << '\n'; };
}

}  // namespace

CLI::App* declare_ca_command(CLI::App& root, const std::string& name, const std::string& help, bool& quiet) {
  CLI::App* group = command_group(root, "ca", "The factory's PKI: root, device CAs, TLS certificate (offline, except install)");
  CLI::App* command = group->add_subcommand(name, help);
  command->add_flag("--quiet,-q", quiet, "Print the result only");
  return command;
}

CeremonyBench::CeremonyBench(Console& console, bool quiet)
    : random_(crypto::make_system_random()),
      tools_{*random_, std::chrono::floor<Duration>(std::chrono::system_clock::now()), progress_to(console, quiet)} {}

Status CeremonyBench::use_token(const HsmOptions& options, crypto::pkcs11::VaultContents contents) {
  if (!options.given()) {
    if (contents == crypto::pkcs11::VaultContents::root_only) return {};
    return fail(ErrorCode::invalid, "--local-ca-in-hsm needs --hsm-module and --hsm-token-label");
  }
  BIRTHMARK_TRY(auto token, options.open());
  vault_ = crypto::pkcs11::make_token_vault(std::move(token), contents);
  tools_.vault = vault_.get();
  return {};
}

void tell_outcome(Console& console, const crypto::CeremonyOutcome& outcome, bool quiet) {
  if (!quiet) {
    for (const std::string& missing : outcome.missing) console.err << "Still missing: " << missing << '\n';
    if (!outcome.artefacts.empty()) console.err << "Hand these to the server: birthmark ca install --dir DIR FILE...\n";
    console.err.flush();
  }
  for (const auto& artefact : outcome.artefacts) console.out << artefact.string() << '\n';
}

}  // namespace birthmark::cli
