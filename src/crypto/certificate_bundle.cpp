// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate_bundle.h"

#include "crypto/der_writer.h"
#include "crypto/object_identifiers.h"

namespace birthmark::crypto {

Bytes encode_certificate_bundle(const std::vector<ByteView>& certificates) {
  static constexpr std::uint8_t kVersion[] = {1};
  Bytes all;
  for (const ByteView certificate : certificates) append(all, certificate);
  const Bytes version = der::value(der::kInteger, {kVersion});
  const Bytes no_digests = der::value(der::kSet, {});
  const Bytes content = der::value(der::kSequence, {der::value(der::kObjectIdentifier, {oid::kPkcs7Data})});
  const Bytes set = der::value(der::context_constructed(0), {all});
  const Bytes no_signers = der::value(der::kSet, {});
  const Bytes signed_data = der::value(der::kSequence, {version, no_digests, content, set, no_signers});
  const Bytes type = der::value(der::kObjectIdentifier, {oid::kPkcs7SignedData});
  return der::value(der::kSequence, {type, der::value(der::context_constructed(0), {signed_data})});
}

}  // namespace birthmark::crypto
