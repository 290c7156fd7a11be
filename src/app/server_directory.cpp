// SPDX-License-Identifier: Apache-2.0
#include "app/server_directory.h"

#include "base/file.h"
#include "cli/ca_commands.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/ceremony.h"
#include "crypto/pki/pki_directory.h"
#include "crypto/private_key.h"

namespace birthmark::app {
namespace {

constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kPublicDirectory = 0755;
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kRequestMode = 0644;
constexpr mode_t kConfigMode = 0644;

// The key in `path`, made when there is none.
Result<crypto::PrivateKey> key_at(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return crypto::PrivateKey::load(path);
  BIRTHMARK_TRY(auto key, crypto::PrivateKey::generate_p256());
  BIRTHMARK_TRY(const auto pem, key.to_pem());
  BIRTHMARK_CHECK(create_file(path, pem, kKeyMode));
  return key;
}

Status make_key_and_request(const ServerNames& names, const std::string& name, std::string_view request_file,
                            const crypto::CsrSubject& subject) {
  BIRTHMARK_TRY(const auto keys, crypto::PkiDirectory::open(names.directory / "keys", names.vault));
  BIRTHMARK_TRY(const auto key, names.vault != nullptr ? keys.find_or_make_key(name + ".key") : key_at(keys.file(name + ".key")));
  const auto path = names.directory / "csr" / request_file;
  if (std::filesystem::exists(path)) return {};
  BIRTHMARK_TRY(const auto request, crypto::make_csr_pem(key, subject));
  return create_file(path, request, kRequestMode);
}

}  // namespace

Status check_names(const ServerNames& names) {
  BIRTHMARK_CHECK(check_factory_name(names.factory));
  BIRTHMARK_CHECK(check_dns_name(names.gateway_dns));
  return check_dns_name(names.ostree_dns);
}

Status make_server_keys(const ServerNames& names) {
  BIRTHMARK_CHECK(make_directory(names.directory, kPrivateDirectory));
  BIRTHMARK_CHECK(make_directory(names.directory / "keys", kPrivateDirectory));
  BIRTHMARK_CHECK(make_directory(names.directory / "csr", kPublicDirectory));
  BIRTHMARK_TRY(const auto audit_key, key_at(names.directory / "keys" / "audit.key"));
  crypto::CsrSubject tls;
  tls.common_name = names.gateway_dns;
  tls.organizational_unit = names.factory;
  // The gateway's name first, then ostree's: clients of the registration reference tell them apart by their order.
  tls.dns_names = {names.gateway_dns, names.ostree_dns};
  BIRTHMARK_CHECK(make_key_and_request(names, "tls", crypto::kTlsRequestFile, tls));
  crypto::CsrSubject online_ca;
  online_ca.common_name = "fio-online-ca";
  online_ca.organizational_unit = names.factory;
  return make_key_and_request(names, "online-ca", crypto::kOnlineCaRequestFile, online_ca);
}

Status make_server_config(const ServerNames& names, const std::string& text) {
  auto existing = load_config(names.directory);
  if (!existing && existing.error().code == ErrorCode::not_found) return create_file(names.directory / "birthmark.toml", text, kConfigMode);
  if (!existing) return forward_error(existing);
  if (existing->factory != names.factory || existing->gateway_dns != names.gateway_dns || existing->ostree_dns != names.ostree_dns) {
    return fail(ErrorCode::conflict, names.directory.string() + " is already the directory of factory '" + existing->factory +
                                         "' with other names; change birthmark.toml by hand, or choose another directory");
  }
  return {};
}

Status install_artefacts(Site& site, const std::vector<cli::InputFile>& inputs, cli::Console& console) {
  const auto command = cli::make_ca_install_command();
  return dynamic_cast<cli::DirectoryCommand&>(*command).run(console, site, inputs);
}

bool has_pki(const Site& site) {
  return site.trust()->root.has_value() && !site.trust()->device_authorities.empty();
}

}  // namespace birthmark::app
