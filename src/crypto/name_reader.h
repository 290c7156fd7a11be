// SPDX-License-Identifier: Apache-2.0
// Reads and edits an X.501 Name (RFC 5280 4.1.2.4). Its callers have already checked the framing with der::find_fault.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "core/certificate.h"

namespace birthmark::crypto {

enum class NameOutcome {
  read,
  other_strings,  // well-formed, but with a string type that only older software writes
  malformed,
};

struct NameReading {
  NameOutcome outcome = NameOutcome::read;
  std::string_view fault;  // in words for a peer; set when malformed
};

// A request's subject: UTF8String, PrintableString and IA5String are read, every rule is kept. Appends to `attributes`.
[[nodiscard]] NameReading read_request_name(ByteView contents, std::vector<core::NameAttribute>& attributes);

// A certificate's subject, whoever made it: every string type is read, and an attribute that is no string keeps an empty value.
[[nodiscard]] NameReading read_certificate_name(ByteView contents, std::vector<core::NameAttribute>& attributes);

// The Name without any businessCategory, and with exactly `category` as businessCategory: left as it is where that already holds,
// otherwise one UTF8String attribute at the end takes the place of all others.
[[nodiscard]] Result<Bytes> remove_business_category(ByteView name_der);
[[nodiscard]] Result<Bytes> set_business_category(ByteView name_der, std::string_view category);

}  // namespace birthmark::crypto
