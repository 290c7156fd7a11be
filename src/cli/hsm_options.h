// SPDX-License-Identifier: Apache-2.0
// --hsm-module, --hsm-token-label and --hsm-pin, by fioctl's names: which token holds the keys of this command.
#pragma once

#include <memory>
#include <string>

#include "cli/command.h"
#include "crypto/pkcs11/token.h"

namespace birthmark::cli {

struct HsmOptions {
  std::string module, token_label, pin;

  // `what` ends the help: "with the root's key".
  void declare(CLI::App& command, const std::string& what);
  [[nodiscard]] bool given() const { return !module.empty(); }
  // The token, logged in, ready to make keys too.
  [[nodiscard]] Result<std::shared_ptr<crypto::pkcs11::Token>> open() const;
};

}  // namespace birthmark::cli
