// SPDX-License-Identifier: Apache-2.0
// [registration]: the line's listener, who may register there, and what is issued.
#include "app/config/section.h"
#include "app/key_house.h"

namespace birthmark::app {
namespace {

std::optional<RegistrationTls> parse_registration_tls(std::string_view name) {
  if (name == "off") return RegistrationTls::off;
  if (name == "gateway") return RegistrationTls::gateway;
  if (name == "own") return RegistrationTls::own;
  return std::nullopt;
}

void judge_networks(const std::vector<std::string>& texts, core::AdmissionRules& admission, SectionReader& section) {
  for (const std::string& text : texts) {
    auto network = core::Network::parse(text);
    if (network) {
      admission.networks.push_back(std::move(*network));
    } else {
      section.complain("networks", ": " + network.error().public_message);
    }
  }
}

void judge_names(const std::vector<std::string>& names, SectionReader& section) {
  for (const std::string& name : names) {
    if (auto judged = check_host_name(name); !judged) section.complain("names", ": " + judged.error().public_message);
  }
}

void judge_issuer_keys(const std::vector<std::string>& paths, SectionReader& section) {
  for (const std::string& path : paths) {
    if (auto judged = check_key_name(path); !judged) section.complain("issuer_keys", ": " + judged.error().public_message);
  }
}

Status read(const ConfigFile& file, Config& config) {
  core::RegistrationRules& rules = config.rules;
  core::AdmissionRules& admission = config.admission;
  config.registration_listen = {{"", 8000}};
  std::vector<std::string> networks;
  std::string rate;
  const auto read_rate = [&](std::string_view text) -> Status {
    BIRTHMARK_TRY(admission.rate_per_station, core::parse_rate(text));
    return {};
  };
  SectionReader section = file.section("registration");
  section.endpoints("listen", config.registration_listen)
      .choice<core::RegistrationTrust>("trust", admission.trust, core::parse_registration_trust, "open, token, certificate")
      .texts("networks", networks)
      .text("rate_per_station", rate, read_rate)
      .choice<RegistrationTls>("tls", config.registration_tls, parse_registration_tls, "off, gateway, own")
      .texts("names", config.registration_names)
      .choice<core::DeviceIdRule>("device_id", rules.device_id, core::parse_device_id_rule, "uuid, hex, safe")
      .choice<core::ProductionRule>("production", rules.production, core::parse_production_rule, "device, always, never, order")
      .choice<core::OrderRule>("orders", rules.orders, core::parse_order_rule, "off, required")
      .span("certificate_validity", rules.certificate_validity)
      .duration("backdate", rules.backdate)
      .duration("retry_window", rules.retry_window)
      .flag("retry_under_open_trust", rules.retry_under_open_trust)
      .flag("allow_rsa", config.allow_rsa)
      .texts("issuer_keys", config.issuer_keys);
  judge_networks(networks, admission, section);
  judge_names(config.registration_names, section);
  if (admission.trust == core::RegistrationTrust::certificate && config.registration_tls == RegistrationTls::off)
    section.complain("trust", "= \"certificate\" needs registration.tls = \"own\" or \"gateway\": certificates are shown over HTTPS");
  judge_issuer_keys(config.issuer_keys, section);
  config.issuer_keys_required = !config.issuer_keys.empty();
  if (config.issuer_keys.empty()) config.issuer_keys = {"keys/local-ca.key", "keys/online-ca.key"};
  return section.finish();
}

std::string written(const ConfigDefaults&) {
  return R"([registration]
# listen = [":8000"]
# tls = "off"  # or HTTPS: "gateway", with the factory's TLS server certificate; "own", with one of its own
# names = []  # DNS names and addresses of that own certificate
# trust = "open"  # whoever reaches the listener from these networks may register; or "token", or "certificate"
# networks = []  # addresses that may register; [] under open trust: private and loopback addresses only
# rate_per_station = "20/s"  # no limit unless set: the real clients do not come again after a 429
# device_id = "uuid"  # or "hex" or "safe"
# production = "device"  # who decides on businessCategory=production: "device", "always", "never" or "order"
# orders = "off"  # or "required": a new device needs a production order, `birthmark order create`
# certificate_validity = "7300d"  # never beyond the issuing CA's own end
# backdate = "1h"
# retry_window = "24h"  # how long a certificate whose answer never arrived may be replaced
# retry_under_open_trust = false
# allow_rsa = false
# issuer_keys = ["keys/local-ca.key", "keys/online-ca.key"]  # paths or pkcs11: URIs; the first usable one issues, the next takes over
)";
}

}  // namespace

ConfigSection registration_section() {
  return {"registration", read, written};
}

}  // namespace birthmark::app
