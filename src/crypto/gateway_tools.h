// SPDX-License-Identifier: Apache-2.0
// The GatewayTools port over OpenSSL: keys in wiped memory, subjects in our own DER. Also what a Factory Configurator Client takes of
// certificates and keys made elsewhere.
#pragma once

#include <filesystem>
#include <memory>

#include "core/ports/gateway_tools.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

[[nodiscard]] std::unique_ptr<core::GatewayTools> make_gateway_tools();

// A key as it is injected.
[[nodiscard]] Result<core::MadeKey> to_made_key(const PrivateKey& key);

// P-256 and ecdsa-with-SHA256, nothing else (protocol facts, pep 5.3); `what` begins the error.
[[nodiscard]] Status check_fcc_certificate(const Certificate& certificate, const std::string& what);

}  // namespace birthmark::crypto
