// SPDX-License-Identifier: Apache-2.0
// Secrets that are given out once and kept as SHA-256 only: 256 random bits need no slow hash. The prefix tells scanners of leaked secrets
// what they found, and the server which table to look in.
#pragma once

#include <string>
#include <string_view>

#include "core/ports/clock.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

struct NewSecret {
  std::string text;
  Sha256Digest hash;
};

[[nodiscard]] Result<NewSecret> make_secret(std::string_view prefix, const X509Codec& codec, Random& random);
[[nodiscard]] bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b);

inline constexpr std::string_view kAccessPrefix = "bmo_";
inline constexpr std::string_view kRefreshPrefix = "bmr_";
inline constexpr std::string_view kSessionPrefix = "bms_";
inline constexpr std::string_view kClientSecretPrefix = "bmc_";
inline constexpr std::string_view kDeviceCodePrefix = "bmd_";

}  // namespace birthmark::core
