// SPDX-License-Identifier: Apache-2.0
// Differential: what our reader recognises as a request, OpenSSL reads as the same request, and encodes again to the same octets; what the
// codec accepts, OpenSSL verifies. What we refuse is our own business.
#include "crypto/csr_reader.h"
#include "crypto/der_reader.h"
#include "crypto/name_reader.h"
#include "crypto/test_support.h"
#include "crypto/x509_codec.h"

namespace {

using namespace birthmark;
using namespace birthmark::crypto;

X509ReqHandle read_by_openssl(ByteView der) {
  const unsigned char* at = der.data();
  X509ReqHandle request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  BIRTHMARK_ASSERT(request != nullptr);
  BIRTHMARK_ASSERT(at == der.data() + der.size());
  return request;
}

void check_encodes_to_the_same(X509_REQ* request, ByteView der) {
  unsigned char* encoded = nullptr;
  BIRTHMARK_ASSERT(i2d_re_X509_REQ_tbs(request, &encoded) > 0);
  OPENSSL_free(encoded);
  encoded = nullptr;
  const int size = i2d_X509_REQ(request, &encoded);
  BIRTHMARK_ASSERT(size > 0);
  BIRTHMARK_ASSERT(equal({encoded, static_cast<std::size_t>(size)}, der));
  OPENSSL_free(encoded);
}

void check_same_subject(X509_REQ* request, ByteView subject, const std::vector<core::NameAttribute>& attributes) {
  const X509_NAME* const name = X509_REQ_get_subject_name(request);
  BIRTHMARK_ASSERT(testing::encode_name(name) == to_bytes(subject));
  BIRTHMARK_ASSERT(X509_NAME_entry_count(name) == static_cast<int>(attributes.size()));
  int index = 0;
  for (const core::NameAttribute& attribute : attributes) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index++)));
    BIRTHMARK_ASSERT(size >= 0);
    BIRTHMARK_ASSERT(as_text({text, static_cast<std::size_t>(size)}) == attribute.value);
    OPENSSL_free(text);
  }
}

std::size_t count_categories(const core::X509Codec& codec, ByteView name_der, std::string_view wanted) {
  const auto name = der::read_single(name_der, der::kSequence);
  BIRTHMARK_ASSERT(name && !der::find_fault(name_der));
  std::vector<core::NameAttribute> attributes;
  BIRTHMARK_ASSERT(read_certificate_name(name->contents, attributes).outcome == NameOutcome::read);
  BIRTHMARK_ASSERT(codec.without_business_category(name_der).has_value());
  std::size_t count = 0;
  for (const core::NameAttribute& attribute : attributes) {
    if (attribute.type != core::NameAttributeType::business_category) continue;
    BIRTHMARK_ASSERT(attribute.value == wanted);
    ++count;
  }
  return count;
}

void check_business_category(const core::X509Codec& codec, ByteView subject) {
  const Result<Bytes> with = codec.with_business_category(subject, "production");
  const Result<Bytes> without = codec.without_business_category(subject);
  BIRTHMARK_ASSERT(with && without);
  BIRTHMARK_ASSERT(count_categories(codec, *with, "production") == 1);
  BIRTHMARK_ASSERT(count_categories(codec, *without, "") == 0);
  BIRTHMARK_ASSERT(*codec.without_business_category(*with) == *without);
}

void check_recognised(ByteView der, const CsrView& view) {
  const X509ReqHandle request = read_by_openssl(der);
  check_same_subject(request.get(), view.subject, view.attributes);
  check_encodes_to_the_same(request.get(), der);
  BIRTHMARK_ASSERT(X509_REQ_get_signature_nid(request.get()) == NID_ecdsa_with_SHA256);
  const EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());  // none when the point is not on the curve
  if (key != nullptr) BIRTHMARK_ASSERT(testing::encode_public_key(key) == to_bytes(view.spki));
}

void check_accepted(ByteView der, const core::CsrFacts& facts) {
  const X509ReqHandle request = read_by_openssl(der);
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  BIRTHMARK_ASSERT(key != nullptr);
  BIRTHMARK_ASSERT(X509_REQ_verify(request.get(), key) == 1);
  BIRTHMARK_ASSERT(testing::encode_public_key(key) == facts.spki_der);
  check_same_subject(request.get(), facts.subject_der, facts.subject);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto codec = testing::must(make_x509_codec({.allow_rsa = true}));
  const ByteView der(data, size);
  const CsrReading reading = read_csr(der);
  if (const auto* const view = std::get_if<CsrView>(&reading)) {
    check_recognised(der, *view);
    check_business_category(*codec, view->subject);
  }
  const Result<core::CsrFacts> facts = codec->read_csr_der(der);
  BIRTHMARK_ASSERT(!facts || !std::holds_alternative<Malformed>(reading));
  if (facts) check_accepted(der, *facts);
  ERR_clear_error();
  return 0;
}
