// SPDX-License-Identifier: Apache-2.0
// Port, beside the Registry and found on the same object: takes a denial back and records the device that it kept out, in one transaction.
// For the one door that may (protocol facts, Foundries 2.2).
#pragma once

#include <string>

#include "core/ports/registry.h"

namespace birthmark::core {

class Comebacks {
 public:
  virtual ~Comebacks() = default;
  // As Registry::record, but a denied identity passes as one without a key, and `release_body` is audited before the issuance. Of one that
  // is not denied it is Registry::record. What refuses the record leaves the denial.
  [[nodiscard]] virtual Task<Result<RecordOutcome>> record_released(IssuanceRecord issuance, Preconditions preconditions,
                                                                    std::string release_body) = 0;
};

}  // namespace birthmark::core
