// SPDX-License-Identifier: Apache-2.0
// What is asked of a token through one session: its keys, what they are, a raw signature, a new key. The caller holds Module::Use or Alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "core/certificate.h"
#include "crypto/openssl.h"
#include "crypto/pkcs11/found_key.h"
#include "crypto/pkcs11/module.h"
#include "crypto/pkcs11/uri.h"

namespace birthmark::crypto::pkcs11 {

struct Session {
  const CK_FUNCTION_LIST* functions = nullptr;
  CK_SESSION_HANDLE handle = 0;
};

// A slot with its token's own description.
struct TokenInfo {
  CK_SLOT_ID slot = 0;
  std::string label, manufacturer, model, serial;
  CK_FLAGS flags = 0;
  CK_ULONG most_sessions = 0;  // CK_UNAVAILABLE_INFORMATION and CK_EFFECTIVELY_INFINITE as they come

  [[nodiscard]] bool matches(const Uri& uri) const;
};

// Every initialised token that is there now.
[[nodiscard]] Result<std::vector<TokenInfo>> list_tokens(const CK_FUNCTION_LIST& functions);
// The one that is meant: not_found names those that are there, conflict when several fit.
[[nodiscard]] Result<TokenInfo> choose_token(const std::vector<TokenInfo>& tokens, const Uri& uri);

// The private key that `uri` names. not_found says which keys there are; conflict when several fit; misconfigured when it may leave the
// token, may not sign, or has no public half.
[[nodiscard]] Result<FoundKey> find_key(const Session& session, const Uri& uri);

// "root-ca (id 01), tls (id 02)".
[[nodiscard]] std::string describe_keys(const Session& session);

// A DER signature over a digest by CKM_ECDSA or CKM_RSA_PKCS. `raw` says what the module answered.
struct RawResult {
  CK_RV value = CKR_OK;
  const char* function = "";
  Bytes signature;  // DER; empty unless value is CKR_OK
};
[[nodiscard]] RawResult sign_digest(const Session& session, CK_OBJECT_HANDLE key, core::SignatureScheme scheme, ByteView digest);

// A trial signature: misconfigured when the public half in the token does not verify what the private one signs.
[[nodiscard]] Status try_key(const Session& session, const FoundKey& key);

// A P-256 pair that stays in the token: sensitive, not extractable. The session must be a read-write one.
[[nodiscard]] Status generate_p256(const Session& session, const std::string& label, ByteView id);

}  // namespace birthmark::crypto::pkcs11
