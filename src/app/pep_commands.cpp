// SPDX-License-Identifier: Apache-2.0
// birthmark pep ...: the gateway CA, the factory's configuration directory, and the inventory of Izuma Edge gateways.
#include <sys/stat.h>

#include <algorithm>
#include <ostream>

#include "app/commands.h"
#include "app/pep_export.h"
#include "app/pep_settings.h"
#include "app/site.h"
#include "crypto/gateway_tools.h"
#include "crypto/pki/profiles.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

constexpr const char* kGroupHelp = "Izuma Edge gateways: their CA, their configuration, their inventory";
constexpr mode_t kKeyMode = 0400;
constexpr mode_t kPublicMode = 0444;
constexpr std::size_t kLongestNote = 512;

CLI::App* declare_pep(CLI::App& root, const std::string& name, const std::string& help) {
  return cli::command_group(root, "pep", kGroupHelp)->add_subcommand(name, help);
}

// --- the CA ------------------------------------------------------------------------------------------------------------------------

class PepInstallCaCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        declare_pep(root, "install-ca",
                    "Install the CA that issues for gateways: pep-ca.key and pep-ca.pem of `ca add-device-ca --profile pep`, "
                    "or CA_private.pem and CA_cert.pem as they are. The one before is replaced");
    declare_directory(*command);
    command->add_option("KEY", key_, "Its private key, PEM")->required();
    command->add_option("CERTIFICATE", certificate_, "Its certificate, PEM")->required();
    return command;
  }
  [[nodiscard]] std::vector<std::filesystem::path> input_files() const override { return {key_, certificate_}; }

  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>& inputs) override {
    auto& site = dynamic_cast<Site&>(workbench);
    BIRTHMARK_TRY(const auto key, crypto::PrivateKey::from_pem(inputs[0].contents));
    BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_pem(inputs[1].contents));
    BIRTHMARK_CHECK(judge(site, key, certificate));
    BIRTHMARK_CHECK(keep_key(site.directory() / "keys", key));
    BIRTHMARK_TRY(auto change, change_to(site, certificate));
    if (change.upserts.empty()) {
      console.out << "nothing to do: it is installed already\n";
      return {};
    }
    BIRTHMARK_CHECK(site.wait(site.registry().apply(std::move(change))));
    BIRTHMARK_CHECK(site.reload());
    console.out << "installed " << certificate.subject_text() << '\n';
    return {};
  }

 private:
  static Status judge(Site& site, const crypto::PrivateKey& key, const crypto::Certificate& certificate) {
    const std::string what = "the certificate " + certificate.subject_text();
    if (key.spki_sha256() != certificate.spki_sha256()) return fail(ErrorCode::invalid, "the key is not that of " + what);
    if (!certificate.is_ca()) return fail(ErrorCode::invalid, what + " is no CA (basicConstraints)");
    BIRTHMARK_CHECK(crypto::check_fcc_certificate(certificate, what));
    const Instant now = site.clock().now();
    if (now >= certificate.not_after()) return fail(ErrorCode::invalid, what + " expired at " + format_rfc3339(certificate.not_after()));
    if (certificate.not_after() - now < kLeastCaValidity && !site.config().pep.allow_short)
      return fail(ErrorCode::forbidden, what + " ends at " + format_rfc3339(certificate.not_after()) +
                                            ": gateways need certificates for ten years and a margin; or set pep.allow_short");
    const auto trust = site.trust();
    const bool of_a_device_ca = std::any_of(trust->device_authorities.begin(), trust->device_authorities.end(),
                                            [&](const auto& ca) { return ca.facts.spki_sha256 == certificate.spki_sha256(); });
    if (of_a_device_ca) return fail(ErrorCode::invalid, "the key is that of a device CA: gateways have a CA of their own");
    BIRTHMARK_CHECK(site.codec().read_certificate(certificate.der()));
    return {};
  }

  // By its key's name, so that a predecessor's stays.
  static Status keep_key(const std::filesystem::path& directory, const crypto::PrivateKey& key) {
    const std::string name = "pep-ca-" + to_hex(key.spki_sha256().view().first(8)) + ".key";
    BIRTHMARK_TRY(const std::string pem, key.to_pem());
    const Status made = create_file(directory / name, pem, kKeyMode);
    if (made || made.error().code == ErrorCode::conflict) return {};
    return made;
  }

  static Result<core::TrustChange> change_to(Site& site, const crypto::Certificate& certificate) {
    core::TrustChange change;
    const Instant now = site.clock().now();
    const auto add = [&](core::AuthorityRecord record, const std::string& state) {
      change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, now,
                                                     {{"factory", site.factory()},
                                                      {"what", "gateway-ca"},
                                                      {"subject", certificate.subject_text()},
                                                      {"serial", certificate.serial_decimal()},
                                                      {"fingerprint", to_hex(certificate.fingerprint().view())},
                                                      {"state", state},
                                                      {"actor", site.actor()}}));
      record.changed_at = now;
      change.upserts.push_back(std::move(record));
    };
    BIRTHMARK_TRY(auto known, site.registry().authorities());
    bool present = false;
    for (core::AuthorityRecord& record : known) {
      if (record.factory != site.factory() || record.role != core::AuthorityRole::gateway_ca) continue;
      const bool same = record.der == certificate.der();
      present = present || same;
      const auto wanted = same ? core::AuthorityState::active : core::AuthorityState::replaced;
      if (record.state == wanted) continue;
      record.state = wanted;
      add(std::move(record), std::string(core::to_string(wanted)));
    }
    if (!present) add({0, site.factory(), core::AuthorityRole::gateway_ca, core::AuthorityState::active, certificate.der(), now}, "active");
    return change;
  }

  std::filesystem::path key_, certificate_;
};

class PepExportCaCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_pep(root, "export-ca", "Print the gateway CA's certificate, to be uploaded to the portal for enrollment");
    declare_directory(*command);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    const auto trust = dynamic_cast<Site&>(workbench).gateway_trust().current();
    for (const core::DeviceAuthority& authority : trust->device_authorities) {
      if (authority.record.state != core::AuthorityState::active) continue;
      BIRTHMARK_TRY(const auto certificate, crypto::Certificate::from_der(authority.record.der));
      console.out << certificate.pem();
      return {};
    }
    return fail(ErrorCode::not_found, "no gateway CA is installed; see `birthmark pep install-ca`");
  }
};

// --- the configuration directory -----------------------------------------------------------------------------------------------------

void judge_keystore(const std::filesystem::path& directory, Instant now, PepFiles& files) {
  const std::filesystem::path keystore = directory / "keystore";
  std::error_code failure;
  if (!std::filesystem::exists(keystore / "CA_cert.pem", failure)) {
    files.warnings.emplace_back("there is no keystore/CA_cert.pem: install a gateway CA with `birthmark pep install-ca`");
    return;
  }
  const auto text = read_file(keystore / "CA_cert.pem");
  const auto certificate = text ? crypto::Certificate::from_pem(*text) : Result<crypto::Certificate>(tl::make_unexpected(text.error()));
  if (!certificate) return files.problems.push_back("keystore/CA_cert.pem: " + certificate.error().public_message);
  if (const Status good = crypto::check_fcc_certificate(*certificate, "keystore/CA_cert.pem"); !good)
    files.problems.push_back(good.error().public_message);
  if (!certificate->is_ca()) files.problems.emplace_back("keystore/CA_cert.pem: it is no CA (basicConstraints)");
  if (certificate->not_after() - now < kLeastCaValidity)
    files.problems.push_back("keystore/CA_cert.pem: it ends at " + format_rfc3339(certificate->not_after()) +
                             "; gateways need certificates for ten years and a margin");
  const auto key = crypto::PrivateKey::load(keystore / "CA_private.pem");
  if (!key) return files.problems.push_back(key.error().describe());
  if (key->spki_sha256() != certificate->spki_sha256())
    files.problems.emplace_back("keystore: CA_private.pem is not the key of CA_cert.pem");
}

class PepCheckConfigCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        declare_pep(root, "check-config",
                    "Say everything that is wrong with an fcu_config_dir: fcu.yml, keystore/CA_private.pem and CA_cert.pem, "
                    "the update certificate (optional). The utility's archive is not needed");
    command->add_option("DIR", directory_, "The directory")->required();
    command->add_option("--bootstrap-server-ca", server_ca_, "The certificate that is to be pep.bootstrap_server_ca")->type_name("FILE");
    return command;
  }
  Status run(cli::Console& console) override {
    PepConfig config;
    config.fcu_config_dir = std::filesystem::absolute(directory_);
    config.bootstrap_server_ca = server_ca_.empty() ? server_ca_ : std::filesystem::absolute(server_ca_);
    config.external_keys = ".";  // the server's setting, not this directory's
    const Instant now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    PepFiles files = read_pep_files(config, {}, now);
    if (server_ca_.empty()) {
      std::erase_if(files.problems, [](const std::string& text) { return text.find("pep.bootstrap_server_ca") != std::string::npos; });
      files.warnings.emplace_back(
          "the bootstrap server's CA is the server's setting (pep.bootstrap_server_ca); give it with --bootstrap-server-ca to check it");
    }
    judge_keystore(directory_, now, files);
    for (const std::string& text : files.warnings) console.out << "warning: " << text << '\n';
    for (const std::string& text : files.problems) console.out << "problem: " << text << '\n';
    if (!files.problems.empty()) return fail(ErrorCode::misconfigured, std::to_string(files.problems.size()) + " problems");
    console.out << "no problems found\n";
    return {};
  }

 private:
  std::filesystem::path directory_, server_ca_;
};

class PepTestUpdateCertificateCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        declare_pep(root, "test-update-certificate",
                    "Make update-auth-certificate.der with update-auth-key.pem in DIR, for tests only: its subject says so");
    command->add_option("DIR", directory_, "Where to")->required();
    return command;
  }
  Status run(cli::Console& console) override {
    const auto random = crypto::make_system_random();
    const Instant now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    BIRTHMARK_TRY(const auto key, crypto::PrivateKey::generate_p256());
    BIRTHMARK_TRY(const auto certificate, crypto::make_test_update_certificate(key, *random, now));
    BIRTHMARK_TRY(const std::string pem, key.to_pem());
    BIRTHMARK_CHECK(create_file(directory_ / "update-auth-key.pem", pem, kKeyMode));
    BIRTHMARK_CHECK(create_file(directory_ / "update-auth-certificate.der", as_text(certificate.der()), kPublicMode));
    console.out << (directory_ / "update-auth-certificate.der").string() << '\n';
    return {};
  }

 private:
  std::filesystem::path directory_;
};

// --- the inventory -------------------------------------------------------------------------------------------------------------------

class PepExportCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        declare_pep(root, "export", "Print the enrollment ids of all gateways: the portal's CSV, in parts of at most 10 MB, or JSON");
    declare_directory(*command);
    command->add_option("--part", part_, "Which part, from 1; what there are more is said on stderr")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    command->add_option("--part-bytes", part_bytes_, "The most that the portal takes at once")
        ->check(CLI::Range(1024, 1 << 30))
        ->capture_default_str();
    command->add_flag("--json", json_, "One object a line, with tenant and notes, in one part");
    command->add_option("--tenant", tenant_, "Only those dispatched to this tenant")->type_name("TENANT");
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    auto& site = dynamic_cast<Site&>(workbench);
    PortalCsv csv(console.out, part_, part_bytes_);
    core::RowId last = 0;
    for (;;) {
      BIRTHMARK_TRY(const auto page, site.gateways().list(site.factory(), core::ListOrder::ascending, last, 500));
      for (const core::GatewayRecord& gateway : page) {
        last = gateway.row;
        if (!tenant_.empty() && gateway.tenant != tenant_) continue;
        if (json_)
          console.out << gateway_json(gateway) << '\n';
        else
          csv.add(gateway);
      }
      if (page.size() < 500) break;
    }
    if (!json_ && csv.parts() > 1) console.err << "part " << part_ << " of " << csv.parts() << "; get the others with --part\n";
    if (!json_ && part_ > std::max<std::size_t>(csv.parts(), 1))
      return fail(ErrorCode::not_found, "there are " + std::to_string(csv.parts()) + " parts");
    return {};
  }

 private:
  std::size_t part_ = 1;
  std::size_t part_bytes_ = 10'000'000;
  bool json_ = false;
  std::string tenant_;
};

class PepNoteCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_pep(root, "note", "Note to whom a gateway was dispatched");
    declare_directory(*command);
    command->add_option("SERIAL", serial_, "Its serial number")->required();
    command->add_option("--tenant", note_.tenant, "To whom it went")->type_name("TEXT");
    command->add_option("--notes", note_.notes, "Whatever else is to be known")->type_name("TEXT");
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    auto& site = dynamic_cast<Site&>(workbench);
    if (!note_.tenant && !note_.notes) return fail(ErrorCode::invalid, "say --tenant or --notes");
    for (const auto& text : {note_.tenant, note_.notes}) {
      if (text && (text->size() > kLongestNote || !is_utf8(*text))) return fail(ErrorCode::invalid, "a note has up to 512 bytes of UTF-8");
    }
    BIRTHMARK_TRY(auto identity, core::identify(site.factory(), core::Ecosystem::izuma, serial_, core::DeviceIdRule::line));
    const Instant now = site.clock().now();
    std::string body = core::audit_body(core::AuditEvent::gateway_changed, now,
                                        {{"factory", site.factory()},
                                         {"ecosystem", "izuma"},
                                         {"id", identity.external_id},
                                         {"tenant", note_.tenant.value_or("")},
                                         {"notes", note_.notes.value_or("")},
                                         {"actor", site.actor()}});
    BIRTHMARK_CHECK(site.wait(site.gateways().annotate(std::move(identity), note_, now, std::move(body))));
    console.out << "noted\n";
    return {};
  }

 private:
  std::string serial_;
  core::GatewayNote note_;
};

}  // namespace

void append_pep_commands(cli::CommandList& commands) {
  commands.push_back(std::make_unique<PepInstallCaCommand>());
  commands.push_back(std::make_unique<PepExportCaCommand>());
  commands.push_back(std::make_unique<PepCheckConfigCommand>());
  commands.push_back(std::make_unique<PepTestUpdateCertificateCommand>());
  commands.push_back(std::make_unique<PepExportCommand>());
  commands.push_back(std::make_unique<PepNoteCommand>());
}

}  // namespace birthmark::app
