// SPDX-License-Identifier: Apache-2.0
#include "app/own_certificate.h"

#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/pem.h"
#include "crypto/pki/site_authority.h"

namespace birthmark::app {
namespace {

std::vector<std::string> server_names(const std::vector<std::string>& further) {
  std::vector<std::string> names{"localhost"};
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && check_dns_name(host.data())) names.emplace_back(host.data());
  names.insert(names.end(), further.begin(), further.end());
  return names;
}

Result<crypto::PrivateKey> load_or_make_key(const std::filesystem::path& path) {
  auto key = crypto::PrivateKey::load(path);
  if (key || key.error().code != ErrorCode::not_found) return key;
  BIRTHMARK_TRY(auto made, crypto::PrivateKey::generate_p256());
  BIRTHMARK_TRY(const std::string pem, made.to_pem());
  BIRTHMARK_CHECK(create_file(path, pem, 0600));
  return made;
}

Result<std::vector<Bytes>> read_chain(const std::filesystem::path& path) {
  BIRTHMARK_TRY(const std::string text, read_file(path));
  auto blocks = decode_pem(text);
  if (!blocks) return fail(ErrorCode::misconfigured, path.string() + ": " + blocks.error().public_message);
  std::vector<Bytes> chain;
  for (PemBlock& block : *blocks) {
    if (block.label == "CERTIFICATE") chain.push_back(std::move(block.contents));
  }
  if (chain.empty()) return fail(ErrorCode::misconfigured, path.string() + " holds no certificate");
  return chain;
}

}  // namespace

Result<net::TlsServerSettings> own_tls_settings(Site& site, const std::string& name, const std::vector<std::string>& names) {
  const auto& directory = site.directory();
  const auto certificate_file = directory / (name + ".pem");
  BIRTHMARK_TRY(const auto key, load_or_make_key(directory / "keys" / (name + ".key")));
  if (std::error_code failure; !std::filesystem::exists(certificate_file, failure)) {
    const Instant now = site.clock().now();
    BIRTHMARK_TRY(const auto authority, crypto::SiteAuthority::load_or_make(directory, site.factory(), site.random(), now));
    BIRTHMARK_TRY(const auto made, authority.certify_server(key, server_names(names), site.random(), now));
    BIRTHMARK_CHECK(create_file(certificate_file, made.pem(), 0644));
  }
  net::TlsServerSettings settings;
  settings.name = name;
  BIRTHMARK_TRY(auto chain, read_chain(certificate_file));
  BIRTHMARK_TRY(std::string key_pem, key.to_pem());
  settings.identities.push_back({std::move(chain), std::move(key_pem)});
  return settings;
}

}  // namespace birthmark::app
