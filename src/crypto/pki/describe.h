// SPDX-License-Identifier: Apache-2.0
// Certificates and CRLs as text for people, in the layout that fioctl's users know (protocol facts, Foundries 1.11). Text from a
// certificate is escaped: it goes to terminals.
#pragma once

#include <string>

#include "crypto/pki/certificate.h"
#include "crypto/pki/crl.h"

namespace birthmark::crypto {

[[nodiscard]] std::string describe_certificate(const Certificate& certificate);
[[nodiscard]] std::string describe_crl(const Crl& crl);

}  // namespace birthmark::crypto
