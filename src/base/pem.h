// SPDX-License-Identifier: Apache-2.0
// The text armour of RFC 7468. Knows nothing of what is inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark {

struct PemBlock {
  std::string label;  // "CERTIFICATE REQUEST"
  Bytes contents;     // what the base64 decodes to
};

// One block, 64 columns, "\n" line ends, ending in a newline: what openssl and Go write.
[[nodiscard]] std::string encode_pem(std::string_view label, ByteView contents);

// Every block of `text`. Text before, between and after blocks is skipped (RFC 7468 section 2 calls it explanatory text); CR LF and
// trailing spaces are accepted. An unfinished block, mismatched labels or bad base64 is an error that names the block.
[[nodiscard]] Result<std::vector<PemBlock>> decode_pem(std::string_view text);

// The first block alone, without looking at what follows it. not_found when there is none.
[[nodiscard]] Result<PemBlock> decode_first_pem(std::string_view text);

}  // namespace birthmark
