// SPDX-License-Identifier: Apache-2.0
// RFC 7512 `pkcs11:` URIs: how a setting or an option names a key in a token. Read strictly; a PIN in the URI is refused.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::crypto::pkcs11 {

struct Uri {
  // Of the token. Empty: not asked for.
  std::string token, manufacturer, model, serial;
  // Of the key.
  std::string object;  // CKA_LABEL
  Bytes id;            // CKA_ID
  // Query attributes, for this program only.
  std::string module_path;
  std::string pin_file;  // from pin-source=file:PATH

  [[nodiscard]] static Result<Uri> parse(std::string_view text);
  // The shortest URI that says the same; never a path or anything about a PIN.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool names_key() const { return !object.empty() || !id.empty(); }
  // "the key 'root-ca' (id 01)"
  [[nodiscard]] std::string key_text() const;
  // "the token 'fleet'"
  [[nodiscard]] std::string token_text() const;

  bool operator==(const Uri&) const = default;
};

// Whether a setting that may be a path or a URI is a URI. The scheme's case does not count (RFC 3986 3.1).
[[nodiscard]] bool is_uri(std::string_view text);

}  // namespace birthmark::crypto::pkcs11
