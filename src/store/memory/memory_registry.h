// SPDX-License-Identifier: Apache-2.0
// The Registry in memory: for tests and for learning what the port means. Keeps nothing across a restart.
#pragma once

#include <memory>

#include "core/ports/field_log.h"
#include "core/ports/intake.h"
#include "core/ports/key_changes.h"
#include "core/ports/orders.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"
#include "core/ports/site_certificates.h"
#include "core/ports/tokens.h"
#include "core/ports/x509_codec.h"

namespace birthmark::store {

// Every port that a database serves.
class MemoryRegistry : public core::Registry,
                       public core::Tokens,
                       public core::SiteCertificates,
                       public core::Outbox,
                       public core::Intake,
                       public core::FieldLog,
                       public core::KeyChanges,
                       public core::Orders {};

[[nodiscard]] std::unique_ptr<MemoryRegistry> make_memory_registry(const core::X509Codec& codec);

}  // namespace birthmark::store
