// SPDX-License-Identifier: Apache-2.0
// birthmark.toml: read strictly (an unknown key is an error that names it), written once by `birthmark init`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/api_config.h"
#include "app/eve_config.h"
#include "app/hsm_config.h"
#include "app/pep_config.h"
#include "app/upstream_config.h"
#include "base/log.h"
#include "base/result.h"
#include "core/clock_guard.h"
#include "core/gate.h"
#include "core/gateway_policy.h"
#include "core/issuance_policy.h"
#include "net/server.h"

namespace birthmark::app {

enum class RegistrationTls {
  off,
  gateway,  // with the factory's TLS server certificate
  own,      // with one of its own
};

struct Config {
  std::string factory;
  std::string gateway_dns;
  std::string ostree_dns;
  std::uint16_t gateway_port = 8443;
  // In the place of the addresses that follow from these; never from the file.
  std::string gateway_url, ostree_url;

  std::vector<net::Endpoint> admin_listen;  // empty: no such listener
  ApiConfig api;
  std::vector<std::string> admin_names;            // DNS names of its certificate, beside localhost and this machine's
  std::vector<net::Endpoint> registration_listen;  // empty: no such listener
  core::AdmissionRules admission;
  RegistrationTls registration_tls = RegistrationTls::off;
  std::vector<std::string> registration_names;  // of its own certificate: DNS names and addresses
  core::RegistrationRules rules;
  bool allow_rsa = false;
  // Private keys of the device CAs that may issue here, below the data directory, in the order of preference.
  std::vector<std::string> issuer_keys;  // paths, or pkcs11: URIs
  bool issuer_keys_required = false;     // named in the file: each of them must be there

  std::string tls_key = "keys/tls.key";  // of the factory's TLS server certificate: a path or a URI
  std::string own_tls_key;               // of the listeners' own certificates; empty: keys/LISTENER.key, made when missing
  HsmConfig hsm;

  UpstreamConfig upstream;
  HooksConfig hooks;
  std::vector<net::Endpoint> gateway_listen;  // empty: no such listener
  core::GatewayRules gateway;
  std::filesystem::path gateway_repository = "tuf/repo";  // relative to the data directory
  std::filesystem::path gateway_ostree;                   // empty: none
  std::string app_proxy_url;
  unsigned gateway_tickets = 0;  // for session resumption, after each full handshake
  Duration est_validity = std::chrono::hours(24 * 1095);

  EveConfig eve;
  PepConfig pep;

  core::ClockRules clock;
  net::Limits limits;
  unsigned threads = 0;  // 0: one per core
  log::Level log_level = log::Level::info;

  // Every setting that the file has, "section.key", as it stands there: for telling what changed.
  std::map<std::string, std::string> written;

  [[nodiscard]] std::string gateway_server() const;
  [[nodiscard]] std::string ostree_server() const;
};

// `name` is what error messages call the text ("DIR/birthmark.toml").
[[nodiscard]] Result<Config> parse_config(std::string_view text, std::string_view name);
[[nodiscard]] Result<Config> load_config(const std::filesystem::path& directory);

// A commented file with every setting at its default, but the gateway's listener, which a new factory has if it has a TLS certificate.
enum class GatewayListener : std::uint8_t { off, on };
[[nodiscard]] std::string default_config(const std::string& factory, const std::string& gateway_dns, const std::string& ostree_dns,
                                         GatewayListener gateway = GatewayListener::off);

// A factory or DNS name that may stand in configuration, certificates and URLs.
[[nodiscard]] Status check_factory_name(std::string_view name);
[[nodiscard]] Status check_dns_name(std::string_view name);
// The same, or an IP address.
[[nodiscard]] Status check_host_name(const std::string& name);

}  // namespace birthmark::app
