// SPDX-License-Identifier: Apache-2.0
// A built-in provider that passes on the default provider's own functions, under that provider's own context (provider-base(7)): nothing is
// implemented here, only left out.
#include "net/tls_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "net/tls_handles.h"

namespace birthmark::net::tls {
namespace {

using Algorithms = std::vector<OSSL_ALGORITHM>;  // ends with an empty one

constexpr const char* kName = "birthmark-handshakes";

// What certificates, key shares and the key schedule of TLS 1.2 and 1.3 may need. Certificates with other kinds of key fail their
// handshake.
constexpr std::array<std::string_view, 10> kKeyKinds{"EC",     "RSA",  "RSA-PSS", "ED25519", "ED448",
                                                     "X25519", "X448", "HKDF",    "HMAC",    "TLS1-PRF"};

// Written once, before the library context exists.
struct Inner {
  OSSL_PROVIDER* provider = nullptr;
  std::map<int, Algorithms> kept;
};

Inner& inner() {
  static Inner only;
  return only;
}

std::string_view first_name(const OSSL_ALGORITHM& algorithm) {
  const std::string_view names = algorithm.algorithm_names;
  return names.substr(0, names.find(':'));
}

bool is_key_kind(const OSSL_ALGORITHM& algorithm) {
  return std::find(kKeyKinds.begin(), kKeyKinds.end(), first_name(algorithm)) != kKeyKinds.end();
}

bool is_needed(int operation, const OSSL_ALGORITHM& algorithm) {
  if (operation == OSSL_OP_KEYMGMT) return is_key_kind(algorithm);
  if (operation != OSSL_OP_DECODER) return true;
  const std::string_view properties = algorithm.property_definition == nullptr ? "" : algorithm.property_definition;
  return is_key_kind(algorithm) && properties.find("input=der") != std::string_view::npos &&
         properties.find("structure=SubjectPublicKeyInfo") != std::string_view::npos;
}

void keep_what_is_needed(int operation) {
  int uncached = 0;
  const OSSL_ALGORITHM* all = OSSL_PROVIDER_query_operation(inner().provider, operation, &uncached);
  if (all == nullptr) return;
  Algorithms& kept = inner().kept[operation];
  for (const OSSL_ALGORITHM* one = all; one->algorithm_names != nullptr; ++one) {
    if (is_needed(operation, *one)) kept.push_back(*one);
  }
  kept.push_back({});
}

const OSSL_ALGORITHM* query(void*, int operation, int* uncached) {
  *uncached = 0;
  const auto found = inner().kept.find(operation);
  return found == inner().kept.end() ? nullptr : found->second.data();
}

// TLS groups are a capability, not an operation.
int capabilities(void*, const char* capability, OSSL_CALLBACK* callback, void* argument) {
  return OSSL_PROVIDER_get_capabilities(inner().provider, capability, callback, argument);
}

int start_provider(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions, void** context) {
  static const std::array<OSSL_DISPATCH, 3> kFunctions{{{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)()>(query)},
                                                        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<void (*)()>(capabilities)},
                                                        {0, nullptr}}};
  *functions = kFunctions.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(inner().provider);
  return 1;
}

OSSL_LIB_CTX* make_library() {
  constexpr int kLastOperation = 32;  // OpenSSL 3.0 has 22
  inner().provider = OSSL_PROVIDER_load(nullptr, "default");
  OSSL_LIB_CTX* library = inner().provider == nullptr ? nullptr : OSSL_LIB_CTX_new();
  if (library != nullptr) {
    for (int operation = 1; operation <= kLastOperation; ++operation) keep_what_is_needed(operation);
    if (OSSL_PROVIDER_add_builtin(library, kName, start_provider) == 1 && OSSL_PROVIDER_load(library, kName) != nullptr) return library;
    OSSL_LIB_CTX_free(library);
  }
  log::warning("TLS handshakes will cost more than they need: OpenSSL gives no library context for them", {{"reason", take_errors()}});
  return nullptr;
}

}  // namespace

OSSL_LIB_CTX* server_library() {
  static OSSL_LIB_CTX* const kLibrary = make_library();
  return kLibrary;
}

}  // namespace birthmark::net::tls
