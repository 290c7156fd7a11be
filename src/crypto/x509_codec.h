// SPDX-License-Identifier: Apache-2.0
// The X509Codec of the product: own strict DER on the hot path, the OpenSSL API for shapes it does not know. Has no state of its own
// beyond per-thread scratch objects.
#pragma once

#include <memory>

#include "core/ports/clock.h"
#include "core/ports/x509_codec.h"

namespace birthmark::crypto {

struct CodecOptions {
  bool allow_rsa = false;  // in CSRs
};

[[nodiscard]] Result<std::unique_ptr<core::X509Codec>> make_x509_codec(CodecOptions options = {});

// Over OpenSSL's generator.
[[nodiscard]] std::unique_ptr<core::Random> make_system_random();

}  // namespace birthmark::crypto
