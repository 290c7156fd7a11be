// SPDX-License-Identifier: Apache-2.0
// A new factory's update metadata: a TUF root and empty signed targets, snapshot and timestamp, as the gateway serves them under /repo
// (protocol facts, gateway 1.3 class O). Made by `birthmark init`; publishing updates is another program's business.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/time.h"

namespace birthmark::crypto {

// Makes DIRECTORY/keys (Ed25519, 0600) and DIRECTORY/repo. Interrupted, it is finished by the next call; finished, it changes nothing.
[[nodiscard]] Status create_tuf_repository(const std::filesystem::path& directory, Instant now);

}  // namespace birthmark::crypto
