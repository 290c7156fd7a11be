// SPDX-License-Identifier: Apache-2.0
// A TPM 2.0 quote as nodes send it (TPM 2.0 Library Part 2, 10.12.12 TPMS_ATTEST): read strictly, judged against what was asked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::faces::eve {

struct Quote {
  Bytes extra_data;                 // the nonce
  std::vector<std::uint32_t> pcrs;  // of the SHA-256 bank, ascending: what the digest is of
  Bytes pcr_digest;
};

// Big-endian TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE.
[[nodiscard]] Result<Quote> read_quote(ByteView attest_data);

// Register index -> value in lower-case hex. A template is lines "INDEX HEX"; empty lines and those that begin with # are passed over.
using PcrValues = std::map<std::uint32_t, std::string>;
[[nodiscard]] Result<PcrValues> read_pcr_template(std::string_view text);

}  // namespace birthmark::faces::eve
