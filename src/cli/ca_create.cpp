// SPDX-License-Identifier: Apache-2.0
// birthmark ca create: makes the factory's PKI where the root's key is to live.
#include "cli/ca_commands.h"
#include "cli/ca_support.h"

namespace birthmark::cli {
namespace {

constexpr const char* kHelp =
    "Make the factory's PKI: root CA, local device CA and, from a server's requests, TLS certificate and online device CA. "
    "A run that was interrupted is finished by the next one; a finished PKI is never changed.";

class CaCreateCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "create", kHelp, quiet_);
    command->add_option("PKI_DIR", request_.directory, "Directory for the PKI; made (0700) when it is missing")->required();
    command->add_option("--factory", request_.factory, "The factory's name (OU of every certificate); must agree with the requests")
        ->type_name("NAME");
    command->add_option("--owner", request_.owner, "The local device CA is called fio-<ID>; default: the factory's name")->type_name("ID");
    command
        ->add_option("--csr-dir", request_.csr_directory, "Directory with the server's tls.csr and online-ca.csr, made by `birthmark init`")
        ->type_name("DIR");
    command->add_flag("--online-ca,!--no-online-ca", request_.online_ca, "Sign the server's online device CA (default: yes)");
    command->add_flag("--local-ca,!--no-local-ca", request_.local_ca, "Create a local device CA (default: yes)");
    return command;
  }

  Status run(Console& console) override {
    const CeremonyBench bench(console, quiet_);
    BIRTHMARK_TRY(const auto outcome, crypto::create_pki(bench.tools(), request_));
    tell_outcome(console, outcome, quiet_);
    return {};
  }

 private:
  crypto::CreateRequest request_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_create_command() {
  return std::make_unique<CaCreateCommand>();
}

}  // namespace birthmark::cli
