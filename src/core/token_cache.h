// SPDX-License-Identifier: Apache-2.0
// Whose token is this? Answers from memory; reads the tokens anew when the trust epoch has moved. Safe from every thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "core/enrollment.h"
#include "core/ports/registry.h"
#include "core/ports/tokens.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

class TokenCache {
 public:
  // Everything handed in must outlive it.
  TokenCache(Tokens& tokens, Registry& registry, const X509Codec& codec, std::string factory)
      : tokens_(tokens), registry_(registry), codec_(codec), factory_(std::move(factory)) {}

  // The token that `presented` is, raw or in base64 as the clients send it (protocol facts, Foundries 2.3), when it holds `needed`.
  // Refused with kind unauthenticated when it is missing, unknown, expired or revoked; forbidden when it lacks the scope.
  [[nodiscard]] std::variant<TokenRecord, Refusal> authenticate(std::string_view presented, Scope needed, Instant now);

  // The same whatever it allows. Nothing: it is no token of this factory, but may be something else that its holder shows.
  [[nodiscard]] std::optional<std::variant<TokenRecord, Refusal>> identify(std::string_view presented, Instant now);

 private:
  // By the first octets of the hash. What they lead to is compared whole, in constant time.
  using Shelf = std::unordered_multimap<std::uint64_t, TokenRecord>;

  [[nodiscard]] Result<std::shared_ptr<const Shelf>> shelf();
  [[nodiscard]] const TokenRecord* find(const Shelf& shelf, std::string_view text) const;

  Tokens& tokens_;
  Registry& registry_;
  const X509Codec& codec_;
  const std::string factory_;
  std::mutex mutex_;
  std::shared_ptr<const Shelf> shelf_;
  std::uint64_t epoch_ = 0;  // Registry::trust_epoch when it was read
};

}  // namespace birthmark::core
