// SPDX-License-Identifier: Apache-2.0
// Port: what making a gateway's identity needs of cryptography beside X509Codec and Signer, for devices that cannot make their own key
// (Izuma Edge). Adapter: crypto/gateway_tools. Safe from every thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/secret.h"
#include "core/certificate.h"

namespace birthmark::core {

// One attribute of a subject: "C", "ST", "L", "O", "OU".
struct SubjectAttribute {
  std::string type;
  std::string value;
  bool operator==(const SubjectAttribute&) const = default;
};

// A key made here, because the device cannot. It lives in wiped memory only.
struct MadeKey {
  SecretBytes der;  // SEC1
  CsrFacts facts;   // spki and algorithm; the subject is the caller's
};

class GatewayTools {
 public:
  virtual ~GatewayTools() = default;
  [[nodiscard]] virtual Result<MadeKey> make_key() = 0;
  // The attributes in their order, then the common name; UTF8String but for the country (RFC 5280 appendix A).
  [[nodiscard]] virtual Result<Bytes> encode_subject(const std::vector<SubjectAttribute>& attributes,
                                                     std::string_view common_name) const = 0;
  // The same as facts that a policy compares.
  [[nodiscard]] virtual Result<std::vector<NameAttribute>> read_subject(ByteView subject_der) const = 0;
};

}  // namespace birthmark::core
