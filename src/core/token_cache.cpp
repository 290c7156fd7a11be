// SPDX-License-Identifier: Apache-2.0
#include "core/token_cache.h"

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kMaxPresentedBytes = 1024;

std::uint64_t place_of(const Sha256Digest& hash) {
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < sizeof(place); ++i) place = place << 8U | hash.octets[i];
  return place;
}

bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.octets.size(); ++i) difference |= static_cast<unsigned>(a.octets[i] ^ b.octets[i]);
  return difference == 0;
}

Refusal unauthenticated(std::string text, std::string audit_text = {}) {
  return {RefusalReason::unauthenticated, RefusalKind::unauthenticated, std::move(text), std::move(audit_text), {}};
}

}  // namespace

Result<std::shared_ptr<const TokenCache::Shelf>> TokenCache::shelf() {
  BIRTHMARK_TRY(const std::uint64_t epoch, registry_.trust_epoch());
  const std::lock_guard held(mutex_);
  if (shelf_ && epoch_ == epoch) return shelf_;
  BIRTHMARK_TRY(auto records, tokens_.tokens());
  auto fresh = std::make_shared<Shelf>();
  for (TokenRecord& record : records) {
    const std::uint64_t place = place_of(record.hash);
    if (record.factory == factory_) fresh->emplace(place, std::move(record));
  }
  shelf_ = std::move(fresh);
  epoch_ = epoch;
  return shelf_;
}

const TokenRecord* TokenCache::find(const Shelf& shelf, std::string_view text) const {
  const Sha256Digest hash = codec_.sha256(as_bytes(text));
  const auto [first, last] = shelf.equal_range(place_of(hash));
  for (auto entry = first; entry != last; ++entry)
    if (equal_in_constant_time(entry->second.hash, hash)) return &entry->second;
  return nullptr;
}

std::optional<std::variant<TokenRecord, Refusal>> TokenCache::identify(std::string_view presented, Instant now) {
  if (presented.empty() || presented.size() > kMaxPresentedBytes) return std::nullopt;
  auto known = shelf();
  if (!known) {
    return Refusal{
        RefusalReason::storage_unavailable, RefusalKind::unavailable, known.error().public_message, known.error().describe(), {}};
  }
  const TokenRecord* token = find(**known, presented);
  if (token == nullptr) {
    if (const auto decoded = from_base64(presented)) token = find(**known, as_text(*decoded));
  }
  if (token == nullptr) return std::nullopt;
  // To a peer the three are one: it learns nothing about a token that it may only have guessed or found.
  if (token->revoked_at) return unauthenticated("Invalid token", "token " + token->id() + " was revoked");
  if (token->expires_at && *token->expires_at <= now) {
    return unauthenticated("the token has expired", "token " + token->id() + " expired at " + format_rfc3339(*token->expires_at));
  }
  return *token;
}

std::variant<TokenRecord, Refusal> TokenCache::authenticate(std::string_view presented, Scope needed, Instant now) {
  if (presented.empty()) return unauthenticated("a token is required: send it as OSF-TOKEN or as Authorization: Bearer");
  auto identified = identify(presented, now);
  if (!identified) return unauthenticated("Invalid token");
  if (auto* refusal = std::get_if<Refusal>(&*identified)) return std::move(*refusal);
  TokenRecord& token = std::get<TokenRecord>(*identified);
  if (!token.scopes.hold(needed)) {
    const std::string scope(to_string(needed));
    return Refusal{RefusalReason::not_permitted,
                   RefusalKind::forbidden,
                   "the token lacks the scope " + scope,
                   "token " + token.id() + " lacks the scope " + scope,
                   {}};
  }
  return std::move(token);
}

}  // namespace birthmark::core
