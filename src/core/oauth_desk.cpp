// SPDX-License-Identifier: Apache-2.0
#include "core/oauth_desk.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "core/access_audit.h"
#include "core/secret_text.h"

namespace birthmark::core {
namespace {

// RFC 8628 6.1: no vowels, so that no words appear, and nothing that is read as something else. 20^8 codes.
constexpr std::string_view kCodeLetters = "BCDFGHJKLMNPQRSTVWXZ";
constexpr std::size_t kCodeLength = 8;
constexpr std::size_t kMaxPresentedBytes = 1024;
constexpr std::size_t kMaxDeviceBytes = 256;
constexpr std::size_t kMostOfAddress = 200;
constexpr std::size_t kMost = 10'000;
constexpr std::uint32_t kMostIssued = 3;  // an answer can get lost on its way
constexpr int kTries = 4;

OauthError refusal(std::string code, std::string text) {
  return {std::move(code), std::move(text), false};
}
OauthError unavailable(const Error& error) {
  return {"temporarily_unavailable", error.public_message, true};
}

bool is_device_name(std::string_view device) {
  return !device.empty() && device.size() <= kMaxDeviceBytes &&
         std::all_of(device.begin(), device.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::string normal_user_code(std::string_view typed) {
  std::string code;
  for (const char c : typed) {
    if (c == ' ' || c == '-' || c == '\t') continue;
    const char letter = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (kCodeLetters.find(letter) == std::string_view::npos || code.size() == kCodeLength + 1) return {};
    if (code.size() == kCodeLength / 2) code += '-';
    code += letter;
  }
  return code.size() == kCodeLength + 1 ? code : std::string();
}

// Rejection keeps the letters equally likely.
Result<std::string> OauthDesk::make_user_code() const {
  constexpr std::uint8_t kFair = static_cast<std::uint8_t>(256 - 256 % kCodeLetters.size());
  std::string code;
  while (code.size() < kCodeLength) {
    std::array<std::uint8_t, 16> octets{};
    BIRTHMARK_CHECK(random_.fill(octets));
    for (const std::uint8_t octet : octets) {
      if (octet < kFair && code.size() < kCodeLength) code += kCodeLetters[octet % kCodeLetters.size()];
    }
  }
  return normal_user_code(code);
}

Task<std::variant<DeviceCodes, OauthError>> OauthDesk::begin(std::string device, std::string scope, std::string address) {
  if (!is_device_name(device)) co_return refusal("invalid_client", "'client_id' must be the device's id");
  if (scope != factory_ + ":" + std::string(to_string(Scope::devices_create))) {
    const bool other = scope.ends_with(":" + std::string(to_string(Scope::devices_create)));
    co_return refusal("invalid_scope",
                      other ? "'scope' parameter is not valid: wrong Factory value" : "'scope' must be " + factory_ + ":devices:create");
  }
  AuthorizationRecord asked;
  asked.factory = factory_;
  asked.device = std::move(device);
  asked.address = std::move(address);
  asked.created_at = clock_.now();
  asked.expires_at = asked.created_at + rules_.code_lifetime;
  Status added = fail(ErrorCode::unavailable, "no code could be made; try again");
  auto secret = make_secret(kDeviceCodePrefix, codec_, random_);
  if (!secret) co_return unavailable(secret.error());
  asked.device_code_hash = secret->hash;
  for (int tries = 0; tries < kTries; ++tries) {
    auto code = make_user_code();
    if (!code) co_return unavailable(code.error());
    asked.user_code = std::move(*code);
    AuthorizationRecord copy = asked;
    auto written = co_await access_.add_authorization(std::move(copy), kMostOfAddress, kMost);
    added = std::move(written);
    if (added || added.error().code != ErrorCode::conflict) break;
  }
  if (!added) co_return unavailable(added.error());
  co_return DeviceCodes{std::move(secret->text), asked.user_code, rules_.code_lifetime, rules_.poll_interval};
}

Task<TokenOutcome> OauthDesk::poll(std::string device_code, std::string device) {
  if (device_code.size() > kMaxPresentedBytes) co_return refusal("invalid_grant", "the device code is unknown");
  const Sha256Digest hash = codec_.sha256(as_bytes(device_code));
  const auto found = access_.authorization(hash);
  if (!found) co_return unavailable(found.error());
  if (!*found || (*found)->factory != factory_) co_return refusal("invalid_grant", "the device code is unknown");
  const AuthorizationRecord& asked = **found;
  if (asked.device != device) co_return refusal("invalid_grant", "the device code belongs to another device");
  const Instant now = clock_.now();
  if (asked.expires_at <= now) co_return refusal("expired_token", "the code has expired: ask for another one");
  if (asked.state == AuthorizationState::refused) co_return refusal("access_denied", "the registration of this device was refused");
  if (asked.state == AuthorizationState::pending) co_return refusal("authorization_pending", "nobody has approved this device yet");
  auto secret = make_secret(kAccessPrefix, codec_, random_);
  if (!secret) co_return unavailable(secret.error());
  GrantRecord grant;
  grant.factory = factory_;
  grant.hash = secret->hash;
  grant.device = asked.device;
  grant.user_id = asked.user_id;
  grant.bearer = "approved:" + asked.user_code;
  grant.scopes.add(Scope::devices_create);
  grant.expires_at = now + rules_.device_token_lifetime;
  const std::string scope = factory_ + ":" + grant.scopes.to_string();
  std::string body = audit_body(AccessEvent::authorization_redeemed, now,
                                {{"factory", factory_}, {"device", asked.device}, {"code", asked.user_code}, {"address", asked.address}});
  const auto redeemed = co_await access_.redeem(hash, std::move(grant), kMostIssued, std::move(body));
  if (!redeemed && redeemed.error().code == ErrorCode::conflict) co_return refusal("invalid_grant", redeemed.error().public_message);
  if (!redeemed) co_return unavailable(redeemed.error());
  co_return TokenAnswer{std::move(secret->text), {}, rules_.device_token_lifetime, scope};
}

// Unknown client, wrong secret and ended client are one to the peer, and take the same time.
std::variant<ClientRecord, OauthError> OauthDesk::check_client(const std::string& client_id, const std::string& secret) const {
  const OauthError wrong = refusal("invalid_client", "the client id or its secret is wrong, or they have ended");
  if (client_id.size() > kMaxPresentedBytes || secret.size() > kMaxPresentedBytes) return wrong;
  const Sha256Digest hash = codec_.sha256(as_bytes(secret));
  const auto found = access_.client(client_id);
  if (!found) return unavailable(found.error());
  const ClientRecord known = found->value_or(ClientRecord{});
  const bool same = equal_in_constant_time(known.secret_hash, hash);
  const bool ended = known.revoked_at || (known.expires_at && *known.expires_at <= clock_.now());
  if (!*found || !same || ended || known.factory != factory_) return wrong;
  return known;
}

Task<TokenOutcome> OauthDesk::client_credentials(std::string client_id, std::string secret) {
  auto checked = check_client(client_id, secret);
  if (auto* error = std::get_if<OauthError>(&checked)) co_return std::move(*error);
  ClientRecord client = std::get<ClientRecord>(std::move(checked));
  co_return co_await give_to_client(std::move(client), std::nullopt);
}

// The refresh token stays the same until it expires: its holder must show the client's secret too, and two of fioctl's processes may
// refresh at once.
Task<TokenOutcome> OauthDesk::refresh(std::string client_id, std::string secret, std::string refresh_token) {
  auto checked = check_client(client_id, secret);
  if (auto* error = std::get_if<OauthError>(&checked)) co_return std::move(*error);
  ClientRecord client = std::get<ClientRecord>(std::move(checked));
  const auto held = grant(refresh_token, GrantKind::refresh);
  if (!held) co_return unavailable(held.error());
  if (!*held || (*held)->client_id != client_id) co_return refusal("invalid_grant", "the refresh token has ended: log in again");
  co_return co_await give_to_client(std::move(client), std::move(refresh_token));
}

Task<TokenOutcome> OauthDesk::give_to_client(ClientRecord client, std::optional<std::string> kept_refresh_token) {
  const Instant now = clock_.now();
  auto access = make_secret(kAccessPrefix, codec_, random_);
  if (!access) co_return unavailable(access.error());
  GrantRecord grant;
  grant.factory = factory_;
  grant.hash = access->hash;
  grant.client_id = client.id;
  grant.user_id = client.user_id;
  grant.bearer = "client:" + client.id;
  grant.scopes = client.scopes;
  grant.expires_at = now + rules_.access_lifetime;
  std::vector<GrantRecord> grants{grant};
  TokenAnswer answer{std::move(access->text), kept_refresh_token.value_or(""), rules_.access_lifetime, client.scopes.to_string()};
  if (!kept_refresh_token) {
    auto refresh = make_secret(kRefreshPrefix, codec_, random_);
    if (!refresh) co_return unavailable(refresh.error());
    grant.hash = refresh->hash;
    grant.kind = GrantKind::refresh;
    grant.expires_at = now + rules_.refresh_lifetime;
    grants.push_back(grant);
    answer.refresh_token = std::move(refresh->text);
  }
  const auto added = co_await access_.add_grants(std::move(grants), now);
  if (!added && added.error().code == ErrorCode::forbidden) co_return refusal("invalid_client", added.error().public_message);
  if (!added) co_return unavailable(added.error());
  co_return answer;
}

Result<AuthorizationRecord> OauthDesk::waiting(std::string_view user_code) const {
  const std::string code = normal_user_code(user_code);
  const auto nobody = fail(ErrorCode::not_found,
                           "no device waits with this code; look at the device again, codes last " + format_duration(rules_.code_lifetime));
  if (code.empty()) return nobody;
  BIRTHMARK_TRY(auto found, access_.authorization_by_code(code));
  if (!found || found->factory != factory_ || found->state != AuthorizationState::pending || found->expires_at <= clock_.now())
    return nobody;
  return std::move(*found);
}

Task<Result<AuthorizationRecord>> OauthDesk::decide(std::string user_code, AuthorizationState decision, Decider decider) {
  auto asked = waiting(user_code);
  if (!asked) co_return forward_error(asked);
  const Instant now = clock_.now();
  AuthorizationRecord decided = std::move(*asked);
  decided.state = decision;
  decided.decided_by = decider.name;
  decided.user_id = decider.user_id;
  // The device comes for its token within an interval or two; what it is told in the end it may ask for once more.
  decided.expires_at = std::max(decided.expires_at, now + std::chrono::minutes(2));
  std::string body = audit_body(AccessEvent::authorization_decided, now,
                                {{"factory", factory_},
                                 {"device", decided.device},
                                 {"decision", decision == AuthorizationState::approved ? "approved" : "refused"},
                                 {"code", decided.user_code},
                                 {"address", decided.address},
                                 {"user", decider.user_id},
                                 {"actor", decider.name},
                                 {"from", decider.address}});
  co_return co_await access_.decide(std::move(decided), now, std::move(body));
}

Task<Result<std::string>> OauthDesk::open_session(std::string user_id, std::string bearer, Scopes scopes) {
  auto secret = make_secret(kSessionPrefix, codec_, random_);
  if (!secret) co_return forward_error(secret);
  GrantRecord session;
  session.factory = factory_;
  session.hash = secret->hash;
  session.kind = GrantKind::session;
  session.user_id = std::move(user_id);
  session.bearer = std::move(bearer);
  session.scopes = scopes;
  const Instant now = clock_.now();
  session.expires_at = now + rules_.session_lifetime;
  std::vector<GrantRecord> grants{std::move(session)};
  auto added = co_await access_.add_grants(std::move(grants), now);
  if (!added) co_return forward_error(added);
  co_return std::move(secret->text);
}

Task<Status> OauthDesk::close_session(std::string text) {
  const Sha256Digest hash = codec_.sha256(as_bytes(text));
  co_return co_await access_.end_grant(hash);
}

Result<std::optional<GrantRecord>> OauthDesk::grant(std::string_view presented, GrantKind kind) const {
  const std::string_view prefix = kind == GrantKind::access ? kAccessPrefix : kind == GrantKind::refresh ? kRefreshPrefix : kSessionPrefix;
  if (presented.size() > kMaxPresentedBytes) return std::nullopt;
  std::string text(presented);
  if (!text.starts_with(prefix)) {
    const auto decoded = from_base64(presented);
    if (!decoded) return std::nullopt;
    text = std::string(as_text(*decoded));
  }
  if (!text.starts_with(prefix)) return std::nullopt;
  const Sha256Digest hash = codec_.sha256(as_bytes(text));
  BIRTHMARK_TRY(auto found, access_.grant(hash));
  if (!found || found->kind != kind || found->factory != factory_ || found->expires_at <= clock_.now()) return std::nullopt;
  return found;
}

}  // namespace birthmark::core
