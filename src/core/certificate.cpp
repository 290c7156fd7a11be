// SPDX-License-Identifier: Apache-2.0
#include "core/certificate.h"

namespace birthmark::core {
namespace {

std::vector<std::string_view> values_of(const std::vector<NameAttribute>& subject, NameAttributeType type) {
  std::vector<std::string_view> found;
  for (const NameAttribute& attribute : subject) {
    if (attribute.type == type) found.push_back(attribute.value);
  }
  return found;
}

}  // namespace

std::string_view to_string(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::ec_p256: return "EC P-256";
    case KeyAlgorithm::ec_p384: return "EC P-384";
    case KeyAlgorithm::ec_p521: return "EC P-521";
    case KeyAlgorithm::rsa: return "RSA";
    case KeyAlgorithm::other: return "other";
  }
  return "other";
}

std::vector<std::string_view> CsrFacts::values(NameAttributeType type) const {
  return values_of(subject, type);
}
std::vector<std::string_view> CertificateFacts::values(NameAttributeType type) const {
  return values_of(subject, type);
}

}  // namespace birthmark::core
