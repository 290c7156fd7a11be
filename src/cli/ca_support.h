// SPDX-License-Identifier: Apache-2.0
// What the `ca` commands share: the group, the tools of a ceremony, how an outcome is told.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/hsm_options.h"
#include "crypto/pkcs11/token_vault.h"
#include "crypto/pki/ceremony.h"

namespace birthmark::cli {

// `ca NAME`, with --quiet bound to `quiet`.
[[nodiscard]] CLI::App* declare_ca_command(CLI::App& root, const std::string& name, const std::string& help, bool& quiet);

// The machine's clock and randomness; progress goes to the console's err unless `quiet`. Lives as long as the command runs.
class CeremonyBench {
 public:
  CeremonyBench(Console& console, bool quiet);
  [[nodiscard]] const crypto::CeremonyTools& tools() const { return tools_; }
  // Keys in a token, where the options name one.
  [[nodiscard]] Status use_token(const HsmOptions& options,
                                 crypto::pkcs11::VaultContents contents = crypto::pkcs11::VaultContents::root_only);

 private:
  std::unique_ptr<core::Random> random_;
  std::shared_ptr<crypto::KeyVault> vault_;
  crypto::CeremonyTools tools_;
};

// The artefacts' paths, one a line, to out; what is missing and what to do next to err.
void tell_outcome(Console& console, const crypto::CeremonyOutcome& outcome, bool quiet);

}  // namespace birthmark::cli
