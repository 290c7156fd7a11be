// SPDX-License-Identifier: Apache-2.0
// What /sign cannot do without: one P-256 verification and one P-256 signature, by EVP with keys that are used again.
#pragma once

#include "base/result.h"

namespace birthmark::bench {

struct Primitives {
  double verify_us = 0;  // CPU time of one, median over batches
  double sign_us = 0;
  [[nodiscard]] double together_us() const { return verify_us + sign_us; }
};

// On all cores at once, because that is how the server runs them; the median of all threads' batches.
[[nodiscard]] Result<Primitives> measure_primitives(unsigned batches);

}  // namespace birthmark::bench
