// SPDX-License-Identifier: Apache-2.0
#include "app/reference_import.h"

#include <algorithm>
#include <ostream>
#include <span>

#include "app/server_directory.h"
#include "base/file.h"
#include "base/text.h"

namespace birthmark::app {
namespace {

constexpr std::size_t kBatch = 500;  // one transaction each

// The default configuration with what the reference's environment said.
std::string config_text(const ReferencePki& pki, const ReferenceImport& import, core::DeviceIdRule rule, bool has_token) {
  std::string text = default_config(pki.factory, pki.gateway_dns, pki.ostree_dns);
  const auto put = [&](std::string_view section, const std::string& setting) {
    const std::string heading = "\n[" + std::string(section) + "]\n";
    text.insert(text.find(heading) + heading.size(), setting + '\n');
  };
  if (rule == core::DeviceIdRule::hex) put("registration", "device_id = \"hex\"");
  if (!has_token || import.upstream_url.empty()) return text;
  std::string upstream = "url = " + json_string(import.upstream_url) + "\ntoken_file = \"upstream.token\"";
  if (!import.group.empty()) upstream += "\ngroup = " + json_string(import.group);
  put("upstream", upstream);
  return text;
}

bool is_made(const std::filesystem::path& directory) {
  return std::filesystem::exists(directory / "birthmark.toml");
}

// The trust that is there must be the reference's.
Status check_same_pki(Site& site, const ReferencePki& pki) {
  BIRTHMARK_TRY(const auto mine, site.registry().authorities());
  for (const Bytes* der : {&pki.root_der, &pki.local_ca_der}) {
    const bool there = std::any_of(mine.begin(), mine.end(), [&](const core::AuthorityRecord& known) { return known.der == *der; });
    if (!there)
      return fail(ErrorCode::conflict,
                  site.directory().string() + " trusts another PKI than the one to be imported: choose another directory");
  }
  return {};
}

Status store_token(const std::filesystem::path& directory, const std::string& token) {
  const auto path = directory / "upstream.token";
  if (token.empty() || std::filesystem::exists(path)) return {};
  return create_file(path, token + '\n', 0600);
}

class Importer {
 public:
  Importer(Site& site, cli::Console& console) : site_(site), console_(console) {}

  Status import(const std::vector<ReferenceDevice>& devices) {
    for (std::size_t first = 0; first < devices.size(); first += kBatch) {
      const std::size_t last = std::min(first + kBatch, devices.size());
      BIRTHMARK_CHECK(import_batch(std::span(devices).subspan(first, last - first)));
    }
    return {};
  }
  [[nodiscard]] std::size_t imported() const { return imported_; }
  [[nodiscard]] std::size_t known() const { return known_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  Status import_batch(std::span<const ReferenceDevice> devices) {
    std::vector<core::ImportedDevice> batch;
    for (const ReferenceDevice& device : devices) {
      BIRTHMARK_TRY(auto made, to_import(device));
      batch.push_back(std::move(made));
    }
    BIRTHMARK_TRY(const auto outcomes, site_.wait(site_.intake().import_devices(std::move(batch))));
    for (std::size_t i = 0; i < devices.size(); ++i) tell(devices[i], outcomes[i]);
    return {};
  }

  Result<core::ImportedDevice> to_import(const ReferenceDevice& device) {
    core::ImportedDevice made;
    made.identity = device.identity;
    made.key = device.key;
    made.source = "registration-ref";
    made.at = site_.clock().now();
    BIRTHMARK_CHECK(site_.random().fill(made.device_id.octets));
    made.audit_body = core::audit_body(core::AuditEvent::device_imported, made.at,
                                       {{"factory", made.identity.factory},
                                        {"ecosystem", std::string(to_string(made.identity.ecosystem))},
                                        {"id", made.identity.external_id},
                                        {"device_id", to_hex(made.device_id.view())},
                                        {"key", to_hex(made.key.view())},
                                        {"source", made.source},
                                        {"actor", site_.actor()}});
    return made;
  }

  void tell(const ReferenceDevice& device, core::ImportOutcome outcome) {
    switch (outcome) {
      case core::ImportOutcome::imported: ++imported_; return;
      case core::ImportOutcome::known: ++known_; return;
      case core::ImportOutcome::another_key: console_.err << device.file << ": it is registered here with another key\n"; break;
      case core::ImportOutcome::denied: console_.err << device.file << ": it is on the deny list here\n"; break;
    }
    ++refused_;
  }

  Site& site_;
  cli::Console& console_;
  std::size_t imported_ = 0, known_ = 0, refused_ = 0;
};

Status refuse(const std::vector<std::string>& problems, cli::Console& console) {
  for (const std::string& problem : problems) console.err << problem << '\n';
  return fail(ErrorCode::conflict,
              std::to_string(problems.size()) +
                  " files are no device that can be imported, so nothing was; mend or remove them, or import the rest with --skip-refused");
}

}  // namespace

Status import_reference(const ReferenceImport& import, cli::Console& console) {
  BIRTHMARK_TRY(const ReferencePki pki, read_reference_pki(import.from.certificates));
  const bool exists = is_made(import.directory);
  core::DeviceIdRule rule = all_are_uuids(import.from.devices) ? core::DeviceIdRule::uuid : core::DeviceIdRule::hex;
  bool allow_rsa = false;
  if (exists) {
    BIRTHMARK_TRY(const Config config, load_config(import.directory));
    rule = config.rules.device_id;
    allow_rsa = config.allow_rsa;
  }
  BIRTHMARK_TRY(const ReferenceDevices found, read_reference_devices(import.from.devices, pki.factory, rule, allow_rsa));
  if (!found.problems.empty() && !import.skip_refused) return refuse(found.problems, console);
  for (const std::string& problem : found.problems) console.err << "refused: " << problem << '\n';
  const std::string token = read_reference_token(import.from.token);
  if (import.dry_run) {
    console.out << "would import " << found.devices.size() << " devices of factory '" << pki.factory << "' into "
                << import.directory.string() << (exists ? "" : ", which would be made")
                << (token.empty() ? "; there is no token" : "; with its token") << '\n';
    return {};
  }
  const ServerNames names{import.directory, pki.factory, pki.gateway_dns, pki.ostree_dns};
  BIRTHMARK_CHECK(check_names(names));
  BIRTHMARK_CHECK(make_server_keys(names));
  BIRTHMARK_CHECK(make_server_config(names, config_text(pki, import, rule, !token.empty())));
  BIRTHMARK_CHECK(store_token(import.directory, token));
  BIRTHMARK_TRY(const auto site, Site::open(import.directory));
  cli::Console quiet{console.err, console.err};
  if (!has_pki(*site)) {
    BIRTHMARK_CHECK(install_artefacts(
        *site, {{"factory_ca.pem", pki.root_pem}, {"local-ca.pem", pki.local_ca_pem}, {"local-ca.key", pki.local_ca_key_pem}}, quiet));
  }
  BIRTHMARK_CHECK(check_same_pki(*site, pki));
  Importer importer(*site, console);
  BIRTHMARK_CHECK(importer.import(found.devices));
  console.out << importer.imported() << " devices imported, " << importer.known() << " known already, "
              << importer.refused() + found.problems.size() << " refused\n";
  if (importer.refused() > 0) return fail(ErrorCode::conflict, "some devices are not as they are here; see above");
  return {};
}

}  // namespace birthmark::app
