// SPDX-License-Identifier: Apache-2.0
#include "cli/hsm_options.h"

namespace birthmark::cli {

void HsmOptions::declare(CLI::App& command, const std::string& what) {
  command.add_option("--hsm-module", module, "PKCS#11 library of the token " + what)->type_name("PATH");
  command.add_option("--hsm-token-label", token_label, "Label of that token; it must be initialised")->type_name("LABEL");
  command
      .add_option("--hsm-pin", pin, "Its PIN: file:PATH or env:NAME, never the PIN itself; default: BIRTHMARK_HSM_PIN, then the terminal")
      ->type_name("WHERE");
}

Result<std::shared_ptr<crypto::pkcs11::Token>> HsmOptions::open() const {
  if (token_label.empty()) return fail(ErrorCode::invalid, "--hsm-token-label is required with --hsm-module");
  crypto::pkcs11::TokenSettings settings;
  settings.module = module;
  settings.token.token = token_label;
  settings.makes_keys = true;
  settings.timeout = std::chrono::seconds(30);  // making a key may take a card its time
  BIRTHMARK_TRY(settings.pin, crypto::pkcs11::pin_from_option(pin));
  return crypto::pkcs11::Token::open(std::move(settings));
}

}  // namespace birthmark::cli
