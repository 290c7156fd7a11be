// SPDX-License-Identifier: Apache-2.0
#include "app/own_certificate.h"

#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/pem.h"
#include "crypto/pki/site_authority.h"

namespace birthmark::app {
namespace {

// No IPv6 address unless one is asked for: socat 1.7 gives up at the first that is not of its peer's kind.
std::vector<std::string> names_of(const std::vector<std::string>& configured) {
  std::vector<std::string> names = configured;
  names.insert(names.end(), {"localhost", "127.0.0.1"});
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && check_dns_name(host.data())) names.emplace_back(host.data());
  return names;
}

// A key in a token is only looked for.
Result<crypto::PrivateKey> load_or_make_key(Site& site, const std::filesystem::path& path) {
  if (const std::string& uri = site.config().own_tls_key; !uri.empty()) return site.keys().private_key(uri);
  auto key = crypto::PrivateKey::load(path);
  if (key || key.error().code != ErrorCode::not_found) return key;
  BIRTHMARK_TRY(auto made, crypto::PrivateKey::generate_p256());
  BIRTHMARK_TRY(const std::string pem, made.to_pem());
  BIRTHMARK_CHECK(create_file(path, pem, 0600));
  return made;
}

// The leaf first, then whatever leads from it towards its root.
Result<std::vector<Bytes>> read_chain(const std::filesystem::path& file) {
  BIRTHMARK_TRY(const std::string pem, read_file(file));
  BIRTHMARK_TRY(auto blocks, decode_pem(pem));
  std::vector<Bytes> chain;
  for (PemBlock& block : blocks)
    if (block.label == "CERTIFICATE") chain.push_back(std::move(block.contents));
  if (chain.empty()) return fail(ErrorCode::misconfigured, file.string() + " holds no certificate");
  return chain;
}

Result<crypto::SiteAuthority> site_authority(Site& site) {
  return crypto::SiteAuthority::load_or_make(site.directory(), site.factory(), site.random(), site.clock().now());
}

}  // namespace

Result<net::TlsServerSettings> own_tls_settings(Site& site, const std::string& name, const std::vector<std::string>& names) {
  const auto certificate_file = site.directory() / (name + ".pem"), key_file = site.directory() / "keys" / (name + ".key");
  std::error_code failure;
  if (!std::filesystem::exists(certificate_file, failure)) {
    BIRTHMARK_TRY(const auto key, load_or_make_key(site, key_file));
    BIRTHMARK_TRY(const auto authority, site_authority(site));
    BIRTHMARK_TRY(const auto made, authority.certify_server(key, "birthmark " + name, names_of(names), site.random(), site.clock().now()));
    BIRTHMARK_CHECK(create_file(certificate_file, made.pem(), 0644));
  }
  net::TlsServerSettings settings;
  settings.name = name;
  net::TlsIdentity identity;
  BIRTHMARK_TRY(identity.chain, read_chain(certificate_file));
  if (const std::string& uri = site.config().own_tls_key; !uri.empty()) {
    BIRTHMARK_TRY(auto held, site.keys().tls_key(uri));
    identity.private_key = std::move(held.in_token);
    identity.private_key_pem = std::move(held.pem);
  } else {
    BIRTHMARK_TRY(const auto key, crypto::PrivateKey::load(key_file));
    BIRTHMARK_TRY(identity.private_key_pem, key.to_pem());
  }
  settings.identities.push_back(std::move(identity));
  return settings;
}

Status ask_holders(Site& site, net::TlsServerSettings& settings) {
  BIRTHMARK_TRY(const auto authority, site_authority(site));
  settings.client_certificate = net::ClientCertificate::optional;
  settings.anchors.push_back({authority.certificate().der(), 0});
  return {};
}

}  // namespace birthmark::app
