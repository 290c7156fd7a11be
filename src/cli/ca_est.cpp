// SPDX-License-Identifier: Apache-2.0
// birthmark ca est authorize | show: the certificate of the EST server, signed by the root, at a server's factory API.
#include <ostream>

#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"

namespace birthmark::cli {
namespace {

CLI::App* declare_est_command(CLI::App& root, const std::string& name, const std::string& help, bool& quiet) {
  CLI::App* ca = command_group(root, "ca", "The factory's PKI: root, device CAs, TLS certificate");
  CLI::App* command = command_group(*ca, "est", "The EST server, where devices renew their certificates")->add_subcommand(name, help);
  command->add_flag("--quiet,-q", quiet, "Print the result only");
  return command;
}

class CaEstAuthorizeCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        declare_est_command(root, "authorize",
                            "Sign the server's request for its EST certificate with the root, print the certificate and put "
                            "it in force there",
                            quiet_);
    command->add_option("PKI_DIR", directory_, "The PKI directory, with the root's key")->required();
    declare_api(*command, api_);
    command->get_option("--api")->required();
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    core::CertificateOrder order;
    order.est_tls = true;
    BIRTHMARK_TRY(const auto requests, api.request(order));
    const CeremonyBench bench(console, quiet_);
    BIRTHMARK_TRY(const std::string pem, crypto::sign_request(bench.tools(), directory_, requests.est_tls));
    core::PkiSubmission submission;
    submission.est_tls = pem;
    BIRTHMARK_CHECK(api.submit(submission));
    console.out << pem;
    return {};
  }

 private:
  std::filesystem::path directory_;
  ApiOptions api_;
  bool quiet_ = false;
};

class CaEstShowCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_est_command(root, "show", "Show the EST server's certificate", quiet_);
    command->add_flag("--pretty", pretty_, "Print it as text for people");
    declare_api(*command, api_);
    command->get_option("--api")->required();
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    BIRTHMARK_TRY(core::PkiStanding standing, api.standing());
    if (standing.est_tls.empty()) return fail(ErrorCode::not_found, "the server has no EST certificate: see `birthmark ca est authorize`");
    core::PkiStanding est;
    est.tls = std::move(standing.est_tls);
    BIRTHMARK_TRY(const auto view, view_standing(est));
    console.out << crypto::render(view, {pretty_, crypto::ShowSection::tls});
    return {};
  }

 private:
  ApiOptions api_;
  bool pretty_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_est_authorize_command() {
  return std::make_unique<CaEstAuthorizeCommand>();
}
std::unique_ptr<Command> make_ca_est_show_command() {
  return std::make_unique<CaEstShowCommand>();
}

}  // namespace birthmark::cli
