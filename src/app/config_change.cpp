// SPDX-License-Identifier: Apache-2.0
#include "app/config_change.h"

#include <algorithm>
#include <array>

namespace birthmark::app {
namespace {

constexpr std::array<std::string_view, 13> kLive{"registration.trust",
                                                 "registration.networks",
                                                 "registration.rate_per_station",
                                                 "registration.tls",
                                                 "registration.device_id",
                                                 "registration.production",
                                                 "registration.orders",
                                                 "registration.certificate_validity",
                                                 "registration.backdate",
                                                 "registration.retry_window",
                                                 "registration.retry_under_open_trust",
                                                 "registration.issuer_keys",
                                                 "log.level"};

bool is_live(std::string_view setting) {
  return setting.starts_with("upstream.") || setting.starts_with("hooks.") || std::find(kLive.begin(), kLive.end(), setting) != kLive.end();
}

// A listener that is open is plain or it is not.
bool changes_plainness(const Config& running, const Config& read) {
  return (running.registration_tls == RegistrationTls::off) != (read.registration_tls == RegistrationTls::off);
}

// Settings that stand in one of the files only, or with another value, by name.
std::vector<std::string> differing(const Config& a, const Config& b) {
  std::vector<std::string> names;
  for (const auto& [name, value] : a.written) {
    const auto found = b.written.find(name);
    if (found == b.written.end() || found->second != value) names.push_back(name);
  }
  for (const auto& [name, value] : b.written)
    if (!a.written.contains(name)) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

bool needs_tls(const Config& config) {
  return config.admission.trust == core::RegistrationTrust::certificate;
}

}  // namespace

Config changed_while_running(const Config& running, const Config& read) {
  Config next = running;
  const core::RegistrationTrust trust = running.admission.trust;
  next.admission = read.admission;
  next.rules = read.rules;
  next.issuer_keys = read.issuer_keys;
  next.issuer_keys_required = read.issuer_keys_required;
  next.upstream = read.upstream;
  next.hooks = read.hooks;
  next.log_level = read.log_level;
  next.written = read.written;
  if (!changes_plainness(running, read)) {
    next.registration_tls = read.registration_tls;
  } else if (needs_tls(read) || needs_tls(running)) {
    next.admission.trust = trust;  // both change together, at the next start
  }
  return next;
}

std::vector<std::string> taken_over(const Config& running, const Config& read) {
  std::vector<std::string> changed;
  for (const std::string& setting : differing(running, read))
    if (is_live(setting)) changed.push_back(setting);
  return changed;
}

std::vector<std::string> waiting_for_restart(const Config& started, const Config& read) {
  std::vector<std::string> waiting;
  for (const std::string& setting : differing(started, read))
    if (!is_live(setting)) waiting.push_back(setting);
  if (changes_plainness(started, read)) {
    waiting.emplace_back("registration.tls");
    if (needs_tls(read) != needs_tls(started)) waiting.emplace_back("registration.trust");
  }
  return waiting;
}

}  // namespace birthmark::app
