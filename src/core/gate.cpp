// SPDX-License-Identifier: Apache-2.0
#include "core/gate.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace birthmark::core {
namespace {

constexpr std::size_t kMaxBuckets = 4096;

Refusal refused(RefusalReason reason, RefusalKind kind, std::string text) {
  return {reason, kind, std::move(text), {}, {}};
}

bool from_admitted_network(const AdmissionRules& rules, std::string_view address) {
  if (!rules.networks.empty()) return contains(rules.networks, address);
  return rules.trust != RegistrationTrust::open || contains(private_networks(), address);
}

}  // namespace

std::optional<RegistrationTrust> parse_registration_trust(std::string_view name) {
  if (name == "open") return RegistrationTrust::open;
  if (name == "token") return RegistrationTrust::token;
  if (name == "certificate") return RegistrationTrust::certificate;
  return std::nullopt;
}

Result<Rate> parse_rate(std::string_view text) {
  Rate rate;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, rate.count);
  const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
  if (unit == "/s") rate.per = std::chrono::seconds(1);
  if (unit == "/m") rate.per = std::chrono::minutes(1);
  if (unit == "/h") rate.per = std::chrono::hours(1);
  const bool good = read.ec == std::errc{} && rate.count > 0 && rate.per > Duration::zero();
  if (!good) return fail(ErrorCode::invalid, "'" + std::string(text) + "' is not a rate like 20/s, 600/m or 5000/h");
  return rate;
}

// --- StationBuckets ------------------------------------------------------------------------------------------------------------------

double StationBuckets::level_of(const Bucket& bucket, Duration uptime) const {
  const double refill = static_cast<double>((uptime - bucket.at).count()) * rate_.count / static_cast<double>(rate_.per.count());
  return std::min<double>(rate_.count, bucket.level + refill);
}

// A full bucket is what a station without one has.
void StationBuckets::forget_full(Duration uptime) {
  std::erase_if(buckets_, [&](const auto& entry) { return level_of(entry.second, uptime) >= rate_.count; });
}

std::optional<Duration> StationBuckets::take(const std::string& station, Duration uptime) {
  if (rate_.count == 0) return std::nullopt;
  const std::lock_guard held(mutex_);
  if (buckets_.size() >= kMaxBuckets) forget_full(uptime);
  Bucket& bucket = buckets_.try_emplace(station, Bucket{static_cast<double>(rate_.count), uptime}).first->second;
  bucket.level = level_of(bucket, uptime);
  bucket.at = uptime;
  if (bucket.level >= 1.0) {
    bucket.level -= 1.0;
    return std::nullopt;
  }
  const double wait = (1.0 - bucket.level) * static_cast<double>(rate_.per.count()) / rate_.count;
  return Duration(static_cast<Duration::rep>(std::ceil(wait)));
}

// --- Gate ----------------------------------------------------------------------------------------------------------------------------

void Gate::set_rules(AdmissionRules rules) {
  const Rate rate = rules.rate_per_station;
  rules_.set(std::move(rules));
  if (buckets()->rate() != rate) set_buckets(rate);
}

void Gate::set_buckets(Rate rate) {
  auto fresh = std::make_shared<StationBuckets>(rate);
  const std::lock_guard held(buckets_mutex_);
  buckets_ = std::move(fresh);
}

std::shared_ptr<StationBuckets> Gate::buckets() {
  const std::lock_guard held(buckets_mutex_);
  return buckets_;
}

std::variant<Admission, Refusal> Gate::admit(const Presented& presented) {
  const std::shared_ptr<const AdmissionRules> rules = rules_.get();
  if (!from_admitted_network(*rules, presented.peer_address)) {
    return refused(RefusalReason::outside_networks, RefusalKind::forbidden,
                   "registration is not open to " + std::string(presented.peer_address) + ": it is outside registration.networks");
  }
  auto proven = prove(*rules, presented);
  auto* admission = std::get_if<Admission>(&proven);
  if (admission == nullptr) return proven;
  admission->origin.request = presented.request;
  if (const auto wait = buckets()->take(admission->origin.station, clock_.uptime())) {
    Refusal refusal = refused(RefusalReason::too_many_requests, RefusalKind::too_many,
                              "station " + admission->origin.station + " registers faster than it may; wait and ask again");
    refusal.retry_after = std::chrono::ceil<std::chrono::seconds>(*wait);
    return refusal;
  }
  return proven;
}

std::variant<Admission, Refusal> Gate::prove(const AdmissionRules& rules, const Presented& presented) {
  const std::string address(presented.peer_address);
  if (rules.trust == RegistrationTrust::open) return Admission{Proof::open_network, {address, address, {}}};
  if (rules.trust == RegistrationTrust::certificate) {
    BIRTHMARK_ASSERT(certificates_ != nullptr);
    auto shown = certificates_->authenticate(presented.certificate, HolderRole::station, clock_.now());
    if (auto* refusal = std::get_if<Refusal>(&shown)) return std::move(*refusal);
    const SiteCertificate& certificate = std::get<SiteCertificate>(shown);
    return Admission{Proof::station, {address, certificate.holder, certificate.serial.hex()}};
  }
  auto judged = tokens_.authenticate(presented.token, Scope::devices_create, clock_.now());
  if (auto* refusal = std::get_if<Refusal>(&judged)) return std::move(*refusal);
  const TokenRecord& token = std::get<TokenRecord>(judged);
  // Without a station the token stands for itself; no station's name has a colon.
  std::string station = token.station.empty() ? "token:" + token.id() : token.station;
  return Admission{Proof::token, {address, std::move(station), token.id()}};
}

}  // namespace birthmark::core
