// SPDX-License-Identifier: Apache-2.0
// The last look at a plan before it is signed: rules named by their clause. Only from here comes a SigningPermit.
#pragma once

#include "base/result.h"
#include "core/certificate.h"
#include "core/trust_store.h"

namespace birthmark::core {

class Linter {
 public:
  // internal (our own defect) with the clause in `detail` when the plan must not be signed by `issuer`.
  [[nodiscard]] static Result<SigningPermit> permit(CertificatePlan plan, const DeviceAuthority& issuer, const TrustSnapshot& trust);
};

}  // namespace birthmark::core
