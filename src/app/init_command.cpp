// SPDX-License-Identifier: Apache-2.0
// birthmark init: makes a server directory - configuration, keys, requests for its certificates, database - and, unless told not to, a PKI
// beside it. Interrupted at any step it is simply run again; what is there is kept, never overwritten.
#include <algorithm>
#include <array>
#include <ostream>

#include "app/commands.h"
#include "app/onboard_commands.h"
#include "app/server_directory.h"
#include "cli/hsm_options.h"
#include "crypto/csr_builder.h"
#include "crypto/pkcs11/token_vault.h"
#include "crypto/pki/ceremony.h"
#include "crypto/pki/eve_controller.h"
#include "crypto/pki/pki_directory.h"
#include "crypto/tuf_repository.h"
#include "crypto/x509_codec.h"

namespace birthmark::app {
namespace {

struct InitOptions {
  std::filesystem::path directory;
  std::string factory, gateway_dns, ostree_dns, owner;
  std::filesystem::path pki;  // empty: DIR/pki
  bool no_pki = false;
  cli::HsmOptions hsm;
};

std::string toml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return quoted + "\"";
}

// The defaults, and where the token is with the keys that `init` made in it.
Result<std::string> with_token(std::string text, const cli::HsmOptions& hsm) {
  if (!hsm.given()) return text;
  constexpr std::string_view kFile = "file:";
  std::string section = "[hsm]\nmodule = " + toml_text(hsm.module) + "\ntoken = " + toml_text(hsm.token_label) + "\n";
  if (hsm.pin.starts_with(kFile)) {
    std::error_code failure;
    section += "pin_file = " + toml_text(std::filesystem::absolute(hsm.pin.substr(kFile.size()), failure).string()) + "\n";
  }
  for (const auto& [heading, settings] : {std::pair<std::string, std::string>{"[hsm]\n", section},
                                          {"[server]\n", "[server]\ntls_key = \"pkcs11:object=tls\"\n"},
                                          {"[registration]\n", "[registration]\nissuer_keys = [\"pkcs11:object=online-ca\"]\n"}}) {
    const std::size_t at = text.find(heading);
    if (at == std::string::npos) return fail(ErrorCode::internal, "the default configuration has no " + heading);
    text.replace(at, heading.size(), settings);
  }
  return text;
}

// Keys in the token, made before the server's own connection to it begins.
Status make_keys(ServerNames names, const cli::HsmOptions& hsm) {
  if (!hsm.given()) return make_server_keys(names);
  BIRTHMARK_TRY(auto token, hsm.open());
  const auto vault = crypto::pkcs11::make_token_vault(std::move(token), crypto::pkcs11::VaultContents::root_and_device_cas);
  names.vault = vault.get();
  return make_server_keys(names);
}

// What a server needs of a PKI that has everything; the root's key is not among it.
const std::array<std::string, 5>& files_to_install() {
  static const std::array<std::string, 5> kFiles{std::string(crypto::kRootFile), std::string(crypto::kTlsFile),
                                                 std::string(crypto::kOnlineCaFile), std::string(crypto::kLocalCaFile), "local-ca.key"};
  return kFiles;
}

bool has_every_file(const std::filesystem::path& pki) {
  const auto& files = files_to_install();
  return std::all_of(files.begin(), files.end(), [&](const std::string& name) { return std::filesystem::exists(pki / name); });
}

// The TLS certificate carries DNS names only, as fioctl makes it: an address in their place would be in no certificate, and no device
// would believe the gateway.
Status check_is_no_address(std::string_view option, const std::string& name) {
  const bool digits = std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!digits) return {};
  return fail(ErrorCode::invalid,
              std::string(option) + " " + name +
                  ": a name is needed, not an address; certificates carry DNS names only (a line in /etc/hosts is enough)");
}

// Makes the PKI, or finishes one that was begun. One that is complete stays as it is.
Status make_pki(const InitOptions& options, const std::filesystem::path& pki, const cli::Console& console) {
  const auto random = crypto::make_system_random();
  const crypto::CeremonyTools tools{*random, SystemClock().now(), [&](const std::string& line) { console.err << line << '\n'; }};
  crypto::CreateRequest request;
  request.directory = pki;
  request.factory = options.factory;
  request.owner = options.owner;
  request.csr_directory = options.directory / "csr";
  auto created = crypto::create_pki(tools, request);
  if (created || (created.error().code == ErrorCode::conflict && has_every_file(pki))) return {};
  return forward_error(created);
}

Status install(Site& site, const std::filesystem::path& pki, cli::Console& console) {
  std::vector<cli::InputFile> inputs;
  for (const std::string& name : files_to_install()) {
    BIRTHMARK_TRY(auto contents, read_file(pki / name));
    inputs.push_back({(pki / name).string(), std::move(contents)});
  }
  return install_artefacts(site, inputs, console);
}

// What is there stays; a root that is already elsewhere is not asked for again.
Status make_controller(Site& site, const std::filesystem::path& pki) {
  if (site.eve().current()) return {};
  const crypto::EveCeremony ceremony{site.random(), site.clock().now(), site.factory(), pki, site.directory()};
  BIRTHMARK_CHECK(crypto::make_eve_controller(ceremony, {site.config().gateway_dns}));
  BIRTHMARK_CHECK(install_eve_controller(site));
  return {};
}

void explain(const InitOptions& options, const std::filesystem::path& pki, const cli::Console& console) {
  const std::string dir = options.directory.string();
  console.out << dir << " is the server directory of factory '" << options.factory << "'\n";
  if (options.no_pki) {
    console.err << "next: take " << dir << "/csr to the machine that holds the root, there: birthmark ca create PKI_DIR --csr-dir csr,\n"
                << "      bring the certificates it names back, here:              birthmark ca install --dir " << dir << " FILE...\n";
    return;
  }
  console.err << "its PKI is in " << pki.string() << ": move that directory to a safe place offline; the server runs without it\n"
              << "next: birthmark serve --dir " << dir << '\n';
}

class InitCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        root.add_subcommand("init", "Make a server directory, and a PKI beside it; running it again finishes or changes nothing");
    command->add_option("DIR", options_.directory, "The server directory to make")->required();
    command->add_option("--factory", options_.factory, "The factory's name: the OU of all its certificates")->required()->type_name("NAME");
    command->add_option("--gateway-dns", options_.gateway_dns, "The name under which devices reach the gateway")
        ->required()
        ->type_name("NAME");
    command->add_option("--ostree-dns", options_.ostree_dns, "The name under which devices reach the OSTree server")
        ->required()
        ->type_name("NAME");
    command->add_option("--owner", options_.owner, "The local CA becomes CN=fio-ID (default: the factory's name)")->type_name("ID");
    CLI::Option* pki = command->add_option("--pki", options_.pki, "Where the PKI goes (default: DIR/pki)")->type_name("PKI_DIR");
    command->add_flag("--no-pki", options_.no_pki, "Make keys and requests only; the PKI is made elsewhere with `birthmark ca create`")
        ->excludes(pki);
    options_.hsm.declare(*command, "in which the server's TLS key and online CA key are made");
    return command;
  }

  Status run(cli::Console& console) override {
    const GatewayListener gateway = options_.no_pki ? GatewayListener::off : GatewayListener::on;
    const ServerNames names{options_.directory, options_.factory, options_.gateway_dns, options_.ostree_dns};
    BIRTHMARK_CHECK(check_names(names));
    BIRTHMARK_CHECK(check_is_no_address("--gateway-dns", options_.gateway_dns));
    BIRTHMARK_CHECK(check_is_no_address("--ostree-dns", options_.ostree_dns));
    BIRTHMARK_CHECK(make_keys(names, options_.hsm));
    BIRTHMARK_TRY(const std::string config,
                  with_token(default_config(names.factory, names.gateway_dns, names.ostree_dns, gateway), options_.hsm));
    BIRTHMARK_CHECK(make_server_config(names, config));
    BIRTHMARK_CHECK(crypto::create_tuf_repository(options_.directory / "tuf", SystemClock().now()));
    BIRTHMARK_TRY(const auto site, Site::open(options_.directory));
    const auto pki = options_.pki.empty() ? options_.directory / "pki" : options_.pki;
    if (!options_.no_pki && !has_pki(*site)) {
      BIRTHMARK_CHECK(make_pki(options_, pki, console));
      BIRTHMARK_CHECK(install(*site, pki, console));
    }
    if (!options_.no_pki) BIRTHMARK_CHECK(make_controller(*site, pki));
    explain(options_, pki, console);
    return {};
  }

 private:
  InitOptions options_;
};

}  // namespace

std::unique_ptr<cli::Command> make_init_command() {
  return std::make_unique<InitCommand>();
}

}  // namespace birthmark::app
