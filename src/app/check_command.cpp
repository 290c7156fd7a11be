// SPDX-License-Identifier: Apache-2.0
// birthmark check: what is wrong, or soon will be, with a server's configuration, keys and certificates, in plain words.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <ostream>

#include "app/commands.h"
#include "app/pep_settings.h"
#include "app/site.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "core/order_policy.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/eve_controller.h"

namespace birthmark::app {
namespace {

constexpr auto kSoon = std::chrono::hours(24 * 30);
constexpr std::uint64_t kLittleSpaceBytes = 512U << 20U;

class Findings {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  [[nodiscard]] const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::string> texts_;
};

void check_expiry(Findings& findings, const std::string& what, const crypto::Certificate& certificate, Instant now) {
  const std::string title = what + " " + certificate.subject_text();
  if (now < certificate.not_before()) findings.add(title + " is not valid before " + format_rfc3339(certificate.not_before()));
  if (now >= certificate.not_after())
    findings.add(title + " expired at " + format_rfc3339(certificate.not_after()));
  else if (now + kSoon >= certificate.not_after())
    findings.add(title + " expires at " + format_rfc3339(certificate.not_after()) + ": prepare its successor");
}

void check_device_authority(Findings& findings, const core::DeviceAuthority& authority, const std::optional<crypto::Certificate>& root,
                            Instant now) {
  if (authority.record.state != core::AuthorityState::active) return;
  const auto certificate = crypto::Certificate::from_der(authority.record.der);
  if (!certificate) return findings.add("a device CA's certificate cannot be read: " + certificate.error().describe());
  check_expiry(findings, "device CA", *certificate, now);
  if (root && !certificate->is_signed_by(*root))
    findings.add("device CA " + certificate->subject_text() + " is not signed by the installed root");
}

void check_trust(Findings& findings, Site& site) {
  const auto trust = site.trust();
  const Instant now = site.clock().now();
  std::optional<crypto::Certificate> root;
  if (trust->root) {
    auto read = crypto::Certificate::from_der(trust->root->der);
    if (read) root.emplace(std::move(*read));
  }
  if (root) check_expiry(findings, "root", *root, now);
  for (const core::DeviceAuthority& authority : trust->device_authorities) check_device_authority(findings, authority, root, now);
  for (const std::string& obstacle : site.obstacles()) findings.add("this server would not issue: " + obstacle);
}

void check_tls(Findings& findings, Site& site) {
  const auto trust = site.trust();
  if (!trust->tls_server)
    return findings.add("no TLS certificate is installed: sign csr/tls.csr with the root and run `birthmark ca install`");
  const auto certificate = crypto::Certificate::from_der(trust->tls_server->der);
  if (!certificate) return findings.add("the TLS certificate cannot be read: " + certificate.error().describe());
  check_expiry(findings, "TLS certificate", *certificate, site.clock().now());
  const auto held = site.held_keys();
  const bool has_key = std::any_of(held.begin(), held.end(), [&](const auto& key) { return key.second == certificate->spki_sha256(); });
  if (!has_key) findings.add("no key below keys/ belongs to the TLS certificate " + certificate->subject_text());
  const auto names = certificate->dns_names();
  for (const std::string& name : {site.config().gateway_dns, site.config().ostree_dns}) {
    if (std::find(names.begin(), names.end(), name) == names.end()) findings.add("the TLS certificate does not name " + name);
  }
}

// Every key that a setting names in a token, one after the other: what is wrong with the second is not hidden by the first.
void check_tokens(Findings& findings, Site& site) {
  std::vector<std::string> names = site.config().issuer_keys;
  names.push_back(site.config().tls_key);
  names.push_back(site.config().own_tls_key);
  bool any = false;
  std::string told;  // one token that is not there is one problem
  for (const std::string& name : names) {
    if (!crypto::pkcs11::is_uri(name)) continue;
    any = true;
    const auto key = site.keys().public_key(name);
    if (key || key.error().describe() == told) continue;
    told = key.error().describe();
    findings.add(name + ": " + told);
  }
  if (any && told.empty()) {
    if (const auto used = site.use_tokens(); !used) findings.add(used.error().describe());
  }
}

// A key in a token that no installed certificate belongs to signs what nobody trusts.
void check_token_certificates(Findings& findings, Site& site) {
  const auto trust = site.trust();
  for (const std::string& name : site.config().issuer_keys) {
    if (!crypto::pkcs11::is_uri(name)) continue;
    const auto key = site.keys().public_key(name);
    const auto& authorities = trust->device_authorities;
    const bool known = key && std::any_of(authorities.begin(), authorities.end(), [&](const core::DeviceAuthority& authority) {
                         const auto certificate = crypto::Certificate::from_der(authority.record.der);
                         return certificate && certificate->spki_sha256() == *key;
                       });
    if (key && !known) findings.add(name + ": no installed device CA certificate is for this key; every one is for another key");
  }
  if (!crypto::pkcs11::is_uri(site.config().tls_key) || !trust->tls_server) return;
  const auto key = site.keys().public_key(site.config().tls_key);
  const auto certificate = crypto::Certificate::from_der(trust->tls_server->der);
  if (key && certificate && certificate->spki_sha256() != *key)
    findings.add(site.config().tls_key + ": the installed TLS certificate " + certificate->subject_text() + " is for another key");
}

void check_mode(Findings& findings, const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  if ((status.st_mode & 077U) != 0) findings.add(path.string() + " can be read by others: chmod go= " + path.string());
}

void check_files(Findings& findings, const std::filesystem::path& directory) {
  check_mode(findings, directory / "birthmark.db");
  check_mode(findings, directory / "keys");
  std::error_code failure;
  for (const char* folder : {"keys", "stations", "pki"}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory / folder, failure))
      if (entry.path().extension() == ".key" || std::string_view(folder) == "keys") check_mode(findings, entry.path());
  }
  if (std::filesystem::exists(directory / "pki" / "factory_ca.key", failure))
    findings.add((directory / "pki" / "factory_ca.key").string() +
                 " is the factory's root key: move it to a machine that is not on a network");
  struct statvfs space{};
  if (::statvfs(directory.c_str(), &space) == 0 && std::uint64_t{space.f_bavail} * space.f_frsize < kLittleSpaceBytes)
    findings.add("less than 512 MB are free where " + directory.string() + " is");
}

// What EVE nodes know this server by, where there is a controller.
void check_eve(Findings& findings, Site& site) {
  if (!site.eve().current()) return;
  for (const char* file : {crypto::kEveTlsBundle, crypto::kEveSigningBundle, crypto::kEveEcdhBundle}) {
    const auto bundle = crypto::load_key_bundle(site.directory() / file);
    if (!bundle)
      findings.add("EVE controller: " + bundle.error().describe());
    else
      check_expiry(findings, "EVE controller certificate", bundle->certificate, site.clock().now());
  }
}

// Certificates of stations and operators, and of listeners that have one of their own.
void check_own_authority(Findings& findings, Site& site) {
  const Instant now = site.clock().now();
  bool any_station = false;
  if (const auto holders = site.site_certificates().site_certificates()) {
    for (const core::SiteCertificate& known : *holders) {
      if (known.revoked_at || known.not_after <= now) continue;
      any_station = any_station || known.role == core::HolderRole::station;
      if (now + kSoon >= known.not_after)
        findings.add("the certificate of " + std::string(to_string(known.role)) + ' ' + known.holder + " expires at " +
                     format_rfc3339(known.not_after));
    }
  }
  if (site.config().admission.trust == core::RegistrationTrust::certificate && !any_station)
    findings.add("nobody can register: no station has a valid certificate, see `birthmark station add`");
  const auto held = site.held_keys();
  for (const char* name : {"site-ca", "admin", "registration"}) {
    const auto pem = read_file(site.directory() / (std::string(name) + ".pem"));
    if (!pem) continue;  // made when it is needed
    const auto block = decode_first_pem(*pem);
    const auto certificate = crypto::Certificate::from_der(block ? block->contents : Bytes());
    if (!certificate) {
      findings.add(std::string(name) + ".pem cannot be read: " + certificate.error().describe());
      continue;
    }
    check_expiry(findings, std::string(name) + ".pem", *certificate, now);
    const bool fits = std::any_of(held.begin(), held.end(), [&](const auto& key) {
      return key.first == std::string(name) + ".key" && key.second == certificate->spki_sha256();
    });
    if (!fits) findings.add("keys/" + std::string(name) + ".key is not the key of " + name + ".pem");
  }
}

void check_registration(Findings& findings, Site& site) {
  const core::AdmissionRules& rules = site.config().admission;
  const Instant now = site.clock().now();
  const auto credentials = site.tokens().tokens();
  const bool any = credentials && std::any_of(credentials->begin(), credentials->end(), [&](const core::TokenRecord& known) {
                     const bool good = !known.revoked_at && (!known.expires_at || now < *known.expires_at);
                     return good && known.scopes.hold(core::Scope::devices_create);
                   });
  if (rules.trust == core::RegistrationTrust::token && !any)
    findings.add("nobody can register: there is no valid token, see `birthmark token create`");
  if (credentials) {
    for (const core::TokenRecord& known : *credentials) {
      if (!known.revoked_at && known.expires_at && now < *known.expires_at && now + kSoon >= *known.expires_at)
        findings.add("token " + known.id() + " (" + (known.station.empty() ? "no station" : known.station) + ") expires at " +
                     format_rfc3339(*known.expires_at));
    }
  }
  if (site.config().rules.orders != core::OrderRule::required) return;
  const auto orders = site.orders().orders();
  const bool open =
      orders && std::any_of(orders->begin(), orders->end(), [&](const auto& order) { return !core::why_not_open(order, now); });
  if (!open) findings.add("nobody can register: orders are required and none takes devices now, see `birthmark order create`");
}

void check_pep(Findings& findings, Site& site) {
  if (site.config().pep.listen.empty()) return;
  const Instant now = site.clock().now();
  for (const std::string& problem : read_pep_files(site.config().pep, site.directory(), now).problems) findings.add(problem);
  const auto trust = site.gateway_trust().current();
  if (const Status good = check_gateway_ca(*trust, site.config().pep, now); !good) return findings.add(good.error().public_message);
  for (const core::DeviceAuthority& authority : trust->device_authorities) {
    if (authority.record.state != core::AuthorityState::active || authority.facts.not_after - now >= kSoonTooShort) continue;
    findings.add("the gateway CA ends at " + format_rfc3339(authority.facts.not_after) +
                 ": soon it cannot issue for ten years any more, prepare its successor");
  }
}

class CheckCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("check", "What is wrong, or soon will be, with configuration, keys and certificates");
    declare_directory(*command);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    auto& site = dynamic_cast<Site&>(workbench);
    Findings findings;
    check_tokens(findings, site);
    // A server that runs has read it at its start; what is there now must be good for the next one.
    if (const auto config = load_config(site.directory()); !config) findings.add(config.error().describe());
    check_trust(findings, site);
    check_tls(findings, site);
    check_token_certificates(findings, site);
    check_files(findings, site.directory());
    check_registration(findings, site);
    check_pep(findings, site);
    check_own_authority(findings, site);
    check_eve(findings, site);
    if (const auto head = site.check_audit_head(); !head) findings.add(head.error().describe());
    for (const std::string& text : findings.texts()) console.out << "problem: " << text << '\n';
    if (!findings.texts().empty()) return fail(ErrorCode::misconfigured, std::to_string(findings.texts().size()) + " problems");
    console.out << "no problems found\n";
    return {};
  }
};

}  // namespace

std::unique_ptr<cli::Command> make_check_command() {
  return std::make_unique<CheckCommand>();
}

}  // namespace birthmark::app
