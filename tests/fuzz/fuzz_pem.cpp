// SPDX-License-Identifier: Apache-2.0
// PEM text: any bytes give an answer; what was read is written so that we and OpenSSL read it again.
#include <algorithm>

#include "base/pem.h"
#include "crypto/test_support.h"
#include "crypto/x509_codec.h"

namespace {

using namespace birthmark;
using namespace birthmark::crypto;

// RFC 7468 section 3 admits more, but these labels every tool takes.
bool is_plain_label(std::string_view label) {
  const auto plain = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !label.empty() && label.size() <= 64 && std::all_of(label.begin(), label.end(), plain);
}

void check_openssl_reads(const PemBlock& block) {
  const std::string text = encode_pem(block.label, block.contents);
  const BioHandle bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* contents = nullptr;
  long size = 0;
  BIRTHMARK_ASSERT(PEM_read_bio(bio.get(), &name, &header, &contents, &size) == 1);
  BIRTHMARK_ASSERT(block.label == name);
  BIRTHMARK_ASSERT(equal(block.contents, {contents, static_cast<std::size_t>(size)}));
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(contents);
}

void check_block(const PemBlock& block) {
  const Result<PemBlock> again = decode_first_pem(encode_pem(block.label, block.contents));
  BIRTHMARK_ASSERT(again.has_value());
  BIRTHMARK_ASSERT(again->label == block.label && again->contents == block.contents);
  if (is_plain_label(block.label) && !block.contents.empty()) check_openssl_reads(block);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto codec = testing::must(make_x509_codec());
  const std::string_view text = as_text({data, size});
  const Result<PemBlock> first = decode_first_pem(text);
  if (first) check_block(*first);
  const Result<std::vector<PemBlock>> all = decode_pem(text);
  if (all) {
    BIRTHMARK_ASSERT(all->empty() == !first.has_value());
    for (const PemBlock& block : *all) check_block(block);
  }
  static_cast<void>(codec->read_csr_pem(text));
  ERR_clear_error();
  return 0;
}
