// SPDX-License-Identifier: Apache-2.0
// What a Factory Configurator Client answers: CBOR from outside, read within limits of our own before the library sees it
// (protocol facts, pep 5.4, 5.5 and 5.7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::faces::izuma {

struct FccCsr {
  std::string key_name;
  Bytes der;
};

struct FccReply {
  std::uint64_t return_status = 0;
  std::string session;
  std::string info;
  std::vector<std::string> warnings;
  std::vector<FccCsr> csrs;
};

[[nodiscard]] Result<FccReply> parse_fcc_reply(ByteView message);

// "27, wrong size (Item size is wrong:mbed.ClassId)": the client's number, what it means, and its own words.
[[nodiscard]] std::string describe_fcc_status(const FccReply& reply);
// What an operator can do about it; empty when there is nothing to say.
[[nodiscard]] std::string advice_for_fcc_status(std::uint64_t status);

}  // namespace birthmark::faces::izuma
