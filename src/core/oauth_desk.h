// SPDX-License-Identifier: Apache-2.0
// Gives out tokens: to devices that somebody approves (RFC 8628, as lmp-device-register drives it: protocol facts, Foundries 2.4), and to
// clients with credentials (RFC 6749 4.4 and 6, as fioctl does: 1.12). Decides; faces translate. Safe from every thread.
#pragma once

#include <string>
#include <variant>

#include "core/ports/api_access.h"
#include "core/ports/clock.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

struct OauthRules {
  Duration code_lifetime = std::chrono::minutes(15);
  Duration poll_interval = std::chrono::seconds(5);
  Duration device_token_lifetime = std::chrono::minutes(30);
  Duration access_lifetime = std::chrono::hours(1);
  Duration refresh_lifetime = std::chrono::hours(24 * 30);
  Duration session_lifetime = std::chrono::minutes(15);
};

// RFC 6749 5.2 and RFC 8628 3.5: the code is for programs, the text for people.
struct OauthError {
  std::string code;
  std::string text;
  bool unavailable = false;  // not a refusal: the same request may succeed later
};

struct DeviceCodes {
  std::string device_code;
  std::string user_code;
  Duration expires_in{};
  Duration interval{};
};

struct TokenAnswer {
  std::string access_token;
  std::string refresh_token;  // empty: none
  Duration expires_in{};
  std::string scope;
};

using TokenOutcome = std::variant<TokenAnswer, OauthError>;

// Who decides about a device.
struct Decider {
  std::string user_id;
  std::string name;     // for the audit
  std::string address;  // empty: at the command line
};

class OauthDesk {
 public:
  // Everything handed in must outlive it.
  OauthDesk(std::string factory, ApiAccess& access, const X509Codec& codec, const Clock& clock, Random& random, OauthRules rules)
      : factory_(std::move(factory)), access_(access), codec_(codec), clock_(clock), random_(random), rules_(rules) {}

  // A device asks. `scope` is "<factory>:devices:create".
  [[nodiscard]] Task<std::variant<DeviceCodes, OauthError>> begin(std::string device, std::string scope, std::string address);
  [[nodiscard]] Task<TokenOutcome> poll(std::string device_code, std::string device);
  [[nodiscard]] Task<TokenOutcome> client_credentials(std::string client_id, std::string secret);
  [[nodiscard]] Task<TokenOutcome> refresh(std::string client_id, std::string secret, std::string refresh_token);

  // The device that waits with this code, however it is written; not_found when none does, or its time is over.
  [[nodiscard]] Result<AuthorizationRecord> waiting(std::string_view user_code) const;
  [[nodiscard]] Task<Result<AuthorizationRecord>> decide(std::string user_code, AuthorizationState decision, Decider decider);

  // A login to the approval page, for whoever showed a good token.
  [[nodiscard]] Task<Result<std::string>> open_session(std::string user_id, std::string bearer, Scopes scopes);
  [[nodiscard]] Task<Status> close_session(std::string text);

  // What `presented` (raw or in base64) was given out as; nothing: it is none, is over, or its client is.
  [[nodiscard]] Result<std::optional<GrantRecord>> grant(std::string_view presented, GrantKind kind) const;

  [[nodiscard]] const OauthRules& rules() const { return rules_; }

 private:
  [[nodiscard]] Task<TokenOutcome> give_to_client(ClientRecord client, std::optional<std::string> kept_refresh_token);
  [[nodiscard]] std::variant<ClientRecord, OauthError> check_client(const std::string& client_id, const std::string& secret) const;
  [[nodiscard]] Result<std::string> make_user_code() const;

  const std::string factory_;
  ApiAccess& access_;
  const X509Codec& codec_;
  const Clock& clock_;
  Random& random_;
  const OauthRules rules_;
};

// "bcdf ghjk" -> "BCDF-GHJK"; empty when it can be none.
[[nodiscard]] std::string normal_user_code(std::string_view typed);

}  // namespace birthmark::core
