// SPDX-License-Identifier: Apache-2.0
// Who may register: turns what a peer shows at a registration listener into the proof and origin of its enrollment, or into a refusal.
// Faces ask it before they read a body; the enroller audits what it refuses. Safe from every thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/live.h"
#include "core/enrollment.h"
#include "core/network.h"
#include "core/ports/clock.h"
#include "core/site_certificate_cache.h"
#include "core/token_cache.h"

namespace birthmark::core {

enum class RegistrationTrust : std::uint8_t { open, token, certificate };
[[nodiscard]] std::optional<RegistrationTrust> parse_registration_trust(std::string_view name);

// So many registrations in a span of time; as many may come at once.
struct Rate {
  std::uint32_t count = 0;  // 0: no limit
  Duration per{};
  bool operator==(const Rate&) const = default;
};
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);  // "20/s", "600/m", "5000/h"

struct AdmissionRules {
  RegistrationTrust trust = RegistrationTrust::open;
  // Peers from elsewhere are refused. Empty: private_networks() under open trust, everywhere otherwise.
  std::vector<Network> networks;
  Rate rate_per_station;
};

// What a peer shows. Views into its request.
struct Presented {
  std::string_view peer_address;
  std::string_view token;
  const Fingerprint* certificate = nullptr;  // with which it came, and whose key it holds; null: none
  std::string_view request{};                // its id
};

struct Admission {
  Proof proof = Proof::open_network;
  Origin origin;
};

// One bucket a station: full at first, refilled evenly.
class StationBuckets {
 public:
  explicit StationBuckets(Rate rate) : rate_(rate) {}
  [[nodiscard]] const Rate& rate() const { return rate_; }
  // Takes one; otherwise how long until there is one.
  [[nodiscard]] std::optional<Duration> take(const std::string& station, Duration uptime);

 private:
  struct Bucket {
    double level = 0;
    Duration at{};
  };
  void forget_full(Duration uptime);
  [[nodiscard]] double level_of(const Bucket& bucket, Duration uptime) const;

  const Rate rate_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

class Gate {
 public:
  // Everything handed in must outlive it. Without `certificates` nobody is let in under certificate trust.
  Gate(AdmissionRules rules, TokenCache& tokens, const Clock& clock, SiteCertificateCache* certificates = nullptr)
      : rules_(std::move(rules)), tokens_(tokens), clock_(clock), certificates_(certificates) {
    set_buckets(rules_.get()->rate_per_station);
  }

  // From the next request on.
  void set_rules(AdmissionRules rules);
  [[nodiscard]] std::variant<Admission, Refusal> admit(const Presented& presented);

 private:
  [[nodiscard]] std::variant<Admission, Refusal> prove(const AdmissionRules& rules, const Presented& presented);
  void set_buckets(Rate rate);
  [[nodiscard]] std::shared_ptr<StationBuckets> buckets();

  Live<AdmissionRules> rules_;
  TokenCache& tokens_;
  const Clock& clock_;
  SiteCertificateCache* const certificates_;
  std::mutex buckets_mutex_;
  std::shared_ptr<StationBuckets> buckets_;  // as full as they are while the rate stays
};

}  // namespace birthmark::core
