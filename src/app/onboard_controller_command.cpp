// SPDX-License-Identifier: Apache-2.0
// birthmark onboard controller-pki | rotate | install-controller: the certificates by which EVE nodes know their controller. The root's key
// is the caller's to hold: the files are made here, with his rights; then whoever holds the directory takes them into use.
#include <ostream>

#include "app/onboard_commands.h"
#include "app/run_in_directory.h"
#include "app/site.h"
#include "base/text.h"
#include "crypto/pki/eve_controller.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

// Records the root in the registry, unless it is there, and reads keys and certificates anew.
class InstallCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "install-controller", "Take the controller's certificates in DIR into use; controller-pki and rotate do this by themselves");
    declare_directory(*command);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    BIRTHMARK_TRY(const bool changed, install_eve_controller(dynamic_cast<Site&>(workbench)));
    console.err << (changed ? "the EVE controller's root is recorded\n" : "the EVE controller's certificates were read again\n");
    return {};
  }
};

class ControllerPkiCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "controller-pki",
        "Make the EVE controller's root, and TLS, signing and ECDH certificates below it; what is there stays, run it again to finish");
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_option("--pki", pki_, "Where the root and its key are, or go (default: DIR/pki)")->type_name("PKI_DIR");
    command->add_option("--name", names_, "A DNS name or address under which nodes reach the controller (default: factory.gateway_dns)")
        ->delimiter(',')
        ->type_name("HOST");
    return command;
  }
  Status run(cli::Console& console) override {
    BIRTHMARK_TRY(const Config config, load_config(directory_));
    const auto random = crypto::make_system_random();
    const auto pki = pki_.empty() ? directory_ / "pki" : pki_;
    const crypto::EveCeremony ceremony{*random, SystemClock().now(), config.factory, pki, directory_};
    BIRTHMARK_CHECK(crypto::make_eve_controller(ceremony, names_.empty() ? std::vector{config.gateway_dns} : names_));
    BIRTHMARK_CHECK(run_in_directory(directory_, {"onboard", "install-controller", "--dir", directory_.string()}, {}, console));
    console.out << "EVE controller of factory '" << config.factory << "'; its root is in " << (pki / crypto::kEveRootFile).string() << '\n';
    console.err << "keep " << (pki / crypto::kEveRootKeyFile).string() << " offline; the server runs without it\n"
                << "next: [eve] listen = [\":8082\"] in birthmark.toml, then: birthmark onboard eve-config CONFIG_DIR --server HOST:8082\n";
    return {};
  }

 private:
  std::filesystem::path directory_, pki_;
  std::vector<std::string> names_;
};

class RotateCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "rotate",
        "Change one of the controller's certificates without losing a node: `publish` shows nodes the next signing certificate, and when "
        "all have come by (a day, for nodes that are on) `sign` signs with it; `ecdh` and `tls` change at once");
    command->add_option("WHAT", what_, "publish, sign, ecdh or tls")->required()->check(CLI::IsMember({"publish", "sign", "ecdh", "tls"}));
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_option("--pki", pki_, "Where the root and its key are (default: DIR/pki); not needed for `sign`")->type_name("PKI_DIR");
    command->add_option("--name", names_, "With tls: as for controller-pki")->delimiter(',')->type_name("HOST");
    return command;
  }
  Status run(cli::Console& console) override {
    BIRTHMARK_TRY(const Config config, load_config(directory_));
    const auto random = crypto::make_system_random();
    const crypto::EveCeremony ceremony{*random, SystemClock().now(), config.factory, pki_.empty() ? directory_ / "pki" : pki_, directory_};
    BIRTHMARK_CHECK(change(ceremony, config));
    BIRTHMARK_CHECK(run_in_directory(directory_, {"onboard", "install-controller", "--dir", directory_.string()}, {}, console));
    console.out << "done: " << what_ << '\n';
    return {};
  }

 private:
  [[nodiscard]] Status change(const crypto::EveCeremony& ceremony, const Config& config) const {
    if (what_ == "publish") return crypto::publish_next_eve_signing(ceremony);
    if (what_ == "sign") return crypto::sign_with_next_eve_signing(directory_);
    if (what_ == "ecdh") return crypto::renew_eve_ecdh(ceremony);
    return crypto::renew_eve_tls(ceremony, names_.empty() ? std::vector{config.gateway_dns} : names_);
  }

  std::string what_;
  std::filesystem::path directory_, pki_;
  std::vector<std::string> names_;
};

}  // namespace

Result<bool> install_eve_controller(Site& site) {
  BIRTHMARK_TRY(const std::string pem, read_file(site.directory() / crypto::kEveRootCopy));
  BIRTHMARK_TRY(const auto root, crypto::Certificate::from_pem(pem));
  BIRTHMARK_TRY(const auto authorities, site.registry().authorities());
  const bool known = std::any_of(authorities.begin(), authorities.end(), [&](const core::AuthorityRecord& authority) {
    return authority.factory == site.factory() && authority.role == core::kControllerRole && authority.der == root.der();
  });
  if (!known) {
    const Instant now = site.clock().now();
    core::TrustChange change;
    change.upserts.push_back({0, site.factory(), core::kControllerRole, core::AuthorityState::active, root.der(), now});
    change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, now,
                                                   {{"factory", site.factory()},
                                                    {"what", "installed"},
                                                    {"role", "eve-controller"},
                                                    {"certificate", to_hex(root.fingerprint().view())},
                                                    {"subject", root.subject_text()},
                                                    {"actor", site.actor()}}));
    BIRTHMARK_CHECK(site.wait(site.registry().apply(std::move(change))));
  }
  BIRTHMARK_CHECK(site.reload());
  return !known;
}

void append_onboard_controller_commands(cli::CommandList& commands) {
  commands.push_back(std::make_unique<ControllerPkiCommand>());
  commands.push_back(std::make_unique<RotateCommand>());
  commands.push_back(std::make_unique<InstallCommand>());
}

}  // namespace birthmark::app
