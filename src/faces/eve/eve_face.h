// SPDX-License-Identifier: Apache-2.0
// The controller as LF Edge EVE nodes know it: API v2 (signed envelopes) and v1 (mTLS) beside each other, under /api/vN/edgedevice in both
// spellings (protocol facts, EVE 1.1). Translates; who may come in is core::Onboarder's business.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/onboarder.h"
#include "core/ports/field_log.h"
#include "core/ports/node_crypto.h"
#include "faces/eve/controller.h"
#include "faces/eve/envelope.h"
#include "net/http.h"

namespace birthmark::eve::wire {
class ZAttestQuoteResp;
}

namespace birthmark::faces::eve {

namespace wire = birthmark::eve::wire;

struct EveSettings {
  bool enforce_attestation = false;  // no configuration without the token of the newest attestation
  // How many of each a node's telemetry keeps.
  std::size_t keep_info = 100, keep_metrics = 20, keep_logs = 200;
};

// All of it outlives the face.
struct EveParts {
  core::Onboarder& onboarder;
  core::Nodes& nodes;
  core::FieldLog& field;
  core::Registry& registry;
  const core::X509Codec& codec;
  const core::NodeCrypto& crypto;
  const core::Clock& clock;
  core::Random& random;
  const ControllerSource& controller;
};

// The logs of a node in the field log: the owner is core::device_field's.
inline constexpr const char* kConfigLog = "eve-config";       // EdgeDevConfig as operators set it, serialized; owner "factory" for all
inline constexpr const char* kInfoLog = "eve-info";           // ZInfoMsg
inline constexpr const char* kMetricsLog = "eve-metrics";     // ZMetricMsg
inline constexpr const char* kLogsLog = "eve-logs";           // LogBundle, serialized (v1)
inline constexpr const char* kNewLogsLog = "eve-newlogs";     // gzip as it came
inline constexpr const char* kAppLogsLog = "eve-applogs";     // application id, line break, gzip or LogBundle as it came
inline constexpr const char* kFlowLog = "eve-flowlog";        // FlowMessage
inline constexpr const char* kHealthLog = "eve-health";       // hardware health
inline constexpr const char* kCertificatesLog = "eve-certs";  // ZControllerCert form of the node's own certificates
inline constexpr const char* kNonceLog = "eve-nonce";         // the nonce that was given last
inline constexpr const char* kTokenLog = "eve-token";         // SHA-256 of the integrity token
inline constexpr const char* kEscrowLog = "eve-escrow";       // AttestStorageKeys, sealed
inline constexpr const char* kTemplateLog = "eve-pcrs";       // "INDEX HEX" lines that a quote has to agree with; owner "factory" for all
inline constexpr const char* kAttestedLog = "eve-attested";   // what the last quote came to, a line for operators

class EveFace : public net::Handler {
 public:
  // `more` answers paths outside /api (adam's administration, where that is wanted); may be null.
  EveFace(const EveParts& parts, EveSettings settings, net::Handler* more = nullptr) : parts_(parts), settings_(settings), more_(more) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  enum class Version : std::uint8_t { v1, v2 };
  // A request whose sender is known: by its envelope, or by its TLS certificate.
  struct Call {
    const net::Request* request = nullptr;
    Version version = Version::v2;
    core::NodeRecord node;
    std::string payload;
  };
  using Entrance = std::variant<Call, net::Response>;
  struct QuoteVerdict {
    int code = 0;  // ZAttestResponseCode
    std::string text;
    bool quoted = false;  // by a TPM, and good
  };

  [[nodiscard]] Task<net::Response> route(const net::Request& request, Version version, std::string_view path);
  [[nodiscard]] Task<net::Response> node_route(const net::Request& request, Version version, std::string_view path);
  [[nodiscard]] net::Response ping(const net::Request& request, Version version) const;
  [[nodiscard]] Task<net::Response> certificates();
  [[nodiscard]] Task<net::Response> register_node(const net::Request& request, Version version);
  [[nodiscard]] Result<core::NodeAttempt> read_attempt(std::string_view message) const;
  // Who sent it. `url_uuid`: the path names a node, which it must be. `asks_config`: a deleted node is answered 404 (its operator wants
  // that it learns so), anything else 403.
  [[nodiscard]] Task<Entrance> admit(const net::Request& request, Version version, std::string_view url_uuid, bool asks_config);
  [[nodiscard]] Task<net::Response> uuid(const net::Request& request, Version version);
  [[nodiscard]] Task<net::Response> config(const Call& call);
  [[nodiscard]] Task<net::Response> attest(const Call& call);
  [[nodiscard]] Task<net::Response> keep_certificates(const Call& call, std::string certificates);
  [[nodiscard]] Task<net::Response> give_nonce(const Call& call);
  [[nodiscard]] Task<net::Response> judge_quote(const Call& call, const std::string& quote);
  [[nodiscard]] QuoteVerdict verdict_of(const core::NodeRecord& node, const std::string& quote) const;
  [[nodiscard]] bool add_escrowed_keys(const core::NodeRecord& node, wire::ZAttestQuoteResp& response) const;
  [[nodiscard]] Task<net::Response> keep_storage_keys(const Call& call, const std::string& keys);
  [[nodiscard]] Task<net::Response> report(const Call& call, std::string_view what);
  [[nodiscard]] Task<net::Response> answer(const Call& call, std::string message, int status);
  [[nodiscard]] Task<Status> store(const core::NodeRecord& node, const char* kind, std::string body, std::size_t keep);
  [[nodiscard]] Result<std::string> newest(const core::NodeRecord& node, const char* kind) const;  // empty: none
  [[nodiscard]] Result<std::string> effective_config(const Call& call, const Controller& controller) const;

  const EveParts parts_;
  const EveSettings settings_;
  net::Handler* const more_;
};

// A successful answer without a body; nodes take one without a content type for a failure (protocol facts, EVE 0.7).
[[nodiscard]] net::Response empty_answer(int status);

}  // namespace birthmark::faces::eve
