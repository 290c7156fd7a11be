// SPDX-License-Identifier: Apache-2.0
#include "app/pep_settings.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/pem.h"
#include "crypto/gateway_tools.h"
#include "net/client.h"

namespace birthmark::app {
namespace {

using faces::izuma::EntropyMode;
using faces::izuma::FactorySettings;
using faces::izuma::KeyMode;

Result<crypto::Certificate> read_certificate_file(const std::filesystem::path& path) {
  BIRTHMARK_TRY(const std::string contents, read_file(path));
  const bool pem = contents.find("-----BEGIN ") != std::string::npos;
  auto certificate = pem ? crypto::Certificate::from_pem(contents) : crypto::Certificate::from_der(as_bytes(contents));
  if (!certificate) return fail(ErrorCode::misconfigured, path.string() + ": " + certificate.error().public_message);
  return certificate;
}

void judge_validity(const std::string& what, const crypto::Certificate& certificate, Instant now, PepFiles& files) {
  if (now >= certificate.not_after()) files.problems.push_back(what + " expired at " + format_rfc3339(certificate.not_after()));
  if (now < certificate.not_before()) files.problems.push_back(what + " is not valid before " + format_rfc3339(certificate.not_before()));
}

void take_server_ca(const std::filesystem::path& path, Instant now, PepFiles& files) {
  const auto certificate = read_certificate_file(path);
  if (!certificate) return files.problems.push_back(certificate.error().public_message);
  const std::string what = "the bootstrap server's CA " + path.string();
  if (const Status good = crypto::check_fcc_certificate(*certificate, what); !good) files.problems.push_back(good.error().public_message);
  judge_validity(what, *certificate, now, files);
  files.settings.bootstrap_server_ca = certificate->der();
}

// The client looks less closely; the original tool wants a self-signed one that lasts.
void take_update_certificate(const std::filesystem::path& path, Instant now, PepFiles& files) {
  const auto certificate = read_certificate_file(path);
  if (!certificate) return files.problems.push_back(certificate.error().public_message);
  const std::string what = "the update certificate " + path.string();
  if (const Status good = crypto::check_fcc_certificate(*certificate, what); !good) files.problems.push_back(good.error().public_message);
  judge_validity(what, *certificate, now, files);
  if (certificate->not_after() - now < faces::izuma::kLeastValidity)
    files.warnings.push_back(what + " is good for less than ten years: gateways will warn");
  files.settings.update_certificate = certificate->der();
}

void take_entropy(const std::filesystem::path& path, PepFiles& files) {
  const auto contents = read_file(path, 4096);
  if (!contents) return files.problems.push_back(contents.error().public_message);
  files.settings.entropy = to_bytes(as_bytes(*contents));
}

void keep(std::vector<std::string>& to, const std::string& file, const std::vector<std::string>& from) {
  for (const std::string& text : from) to.push_back(file + ": " + text);
}

// SERIAL.key, percent-encoded where the serial number has other characters. Names are compared, never made from what a peer sends.
Result<core::MadeKey> external_key(const std::filesystem::path& directory, const std::string& serial) {
  const std::string wanted = net::percent_encoded(serial) + ".key";
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
    if (entry.path().filename() != wanted) continue;
    BIRTHMARK_TRY(const crypto::PrivateKey key, crypto::PrivateKey::load(entry.path()));
    return crypto::to_made_key(key);
  }
  return fail(ErrorCode::not_found, "no key was supplied for serial number " + serial + ": pep.external_keys has no " + wanted);
}

}  // namespace

PepFiles read_pep_files(const PepConfig& config, const std::filesystem::path& base, Instant now) {
  PepFiles files;
  std::filesystem::path update = config.update_certificate.empty() ? config.update_certificate : base / config.update_certificate;
  std::filesystem::path entropy = config.entropy_file.empty() ? config.entropy_file : base / config.entropy_file;
  files.settings = config.factory;
  std::string where = "[fcu]";
  if (!config.fcu_config_dir.empty()) {
    const std::filesystem::path directory = base / config.fcu_config_dir;
    FcuReading reading = read_fcu_directory(directory);
    where = (directory / "fcu.yml").string();
    keep(files.problems, where, reading.problems);
    keep(files.warnings, where, reading.warnings);
    files.settings = std::move(reading.settings);
    update = reading.update_certificate_file;
    entropy = directory / "entropy.bin";
  }
  FactorySettings& settings = files.settings;
  if (!config.bootstrap_server_uri.empty()) settings.bootstrap_server_uri = config.bootstrap_server_uri;
  if (settings.bootstrap_server_uri.empty()) settings.bootstrap_server_uri = faces::izuma::kDefaultBootstrapUri;
  if (!config.bootstrap_server_ca.empty()) take_server_ca(base / config.bootstrap_server_ca, now, files);
  if (!update.empty()) take_update_certificate(update, now, files);
  if (settings.entropy_mode == EntropyMode::externally_supplied) take_entropy(entropy, files);
  if (settings.key_mode == KeyMode::externally_supplied && config.external_keys.empty())
    files.problems.emplace_back(
        "device-key-generation-mode is externally_supplied: pep.external_keys must name the directory with the keys");
  keep(files.problems, where, faces::izuma::problems_of(settings));
  return files;
}

Result<faces::izuma::PepSettings> make_pep_settings(Site& site) {
  const PepConfig& config = site.config().pep;
  PepFiles files = read_pep_files(config, site.directory(), site.clock().now());
  for (const std::string& warning : files.warnings) log::warning("pep", {{"text", warning}});
  if (!files.problems.empty()) {
    std::string all;
    for (const std::string& problem : files.problems) all += (all.empty() ? "" : "; ") + problem;
    return fail(ErrorCode::misconfigured, "the pep listener cannot start: " + all);
  }
  faces::izuma::PepSettings settings;
  settings.factory = std::move(files.settings);
  settings.times = config.times;
  settings.gateway_networks = config.gateway_networks.empty() ? core::private_networks() : config.gateway_networks;
  settings.inventory_networks = config.inventory_networks.empty() ? core::private_networks() : config.inventory_networks;
  settings.id_case = config.id_case;
  const Config& all = site.config();
  for (const auto* listeners : {&all.pep.listen, &all.registration_listen, &all.gateway_listen, &all.admin_listen}) {
    for (const net::Endpoint& endpoint : *listeners) settings.own_listeners.emplace_back(endpoint.host, endpoint.port);
  }
  const std::filesystem::path keys = config.external_keys.empty() ? config.external_keys : site.directory() / config.external_keys;
  settings.external_key = [keys](const std::string& serial) { return external_key(keys, serial); };
  return settings;
}

Status check_gateway_ca(const core::TrustSnapshot& trust, const PepConfig& config, Instant now) {
  std::string reasons;
  for (const core::DeviceAuthority& authority : trust.device_authorities) {
    const auto obstacle = core::why_not_issuing(authority, now);
    if (obstacle) {
      reasons += (reasons.empty() ? "" : "; ") + *obstacle;
      continue;
    }
    BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_der(authority.record.der));
    BIRTHMARK_CHECK(crypto::check_fcc_certificate(certificate, "the gateway CA " + certificate.subject_text()));
    if (certificate.not_after() - now >= kLeastCaValidity || config.allow_short) return {};
    return fail(ErrorCode::misconfigured, "the gateway CA " + certificate.subject_text() + " ends at " +
                                              format_rfc3339(certificate.not_after()) +
                                              ": gateways need certificates for ten years; install a successor (birthmark ca add-device-ca "
                                              "--profile pep), or set pep.allow_short");
  }
  if (reasons.empty()) reasons = "none is installed";
  return fail(ErrorCode::misconfigured,
              "the pep listener has no gateway CA that can issue: " + reasons +
                  "; make one with `birthmark ca add-device-ca --profile pep` and install it with `birthmark pep install-ca`");
}

}  // namespace birthmark::app
