// SPDX-License-Identifier: Apache-2.0
// birthmark ca create: makes the factory's PKI where the root's key is to live.
#include "base/file.h"
#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "crypto/pki/pki_directory.h"

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
    declare_api(*command, api_);
    command->add_flag("--online-ca,!--no-online-ca", request_.online_ca, "Sign the server's online device CA (default: yes)");
    command->add_flag("--local-ca,!--no-local-ca", request_.local_ca, "Create a local device CA (default: yes)");
    command->add_flag("--local-ca-in-hsm", local_ca_in_hsm_, "Keep the local CA's key in the token too, by the name of its file");
    hsm_.declare(*command, "that holds the root's key (label root-ca)");
    return command;
  }

  Status run(Console& console) override {
    if (api_.given()) return run_with_api(console);
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_, contents()));
    BIRTHMARK_TRY(const auto outcome, crypto::create_pki(bench.tools(), request_));
    tell_outcome(console, outcome, quiet_);
    return {};
  }

 private:
  // A run whose upload failed is simply repeated: the server offers the same requests again, and what is made stays.
  Status run_with_api(Console& console) {
    api_.factory = request_.factory;
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    core::CertificateOrder order{true, true, request_.online_ca, false};
    BIRTHMARK_TRY(const auto requests, api.request(order));
    BIRTHMARK_TRY(const auto folder, RequestFolder::make(requests));
    request_.csr_directory = folder.path();
    if (request_.local_ca && request_.owner.empty()) {
      BIRTHMARK_TRY(request_.owner, api.own_user_id());
    }
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_, contents()));
    auto outcome = crypto::create_pki(bench.tools(), request_);
    const bool complete = !outcome && outcome.error().public_message.find("is already complete") != std::string::npos;
    if (!outcome && !complete) return forward_error(outcome);
    bench.tools().say("Uploading the certificates");
    core::PkiSubmission submission;
    BIRTHMARK_TRY(submission.root, read_file(request_.directory / crypto::kRootFile));
    BIRTHMARK_TRY(submission.tls, read_file(request_.directory / crypto::kTlsFile));
    std::vector<std::string> device_cas;
    if (request_.online_ca) {
      BIRTHMARK_TRY(device_cas.emplace_back(), read_file(request_.directory / crypto::kOnlineCaFile));
    }
    if (request_.local_ca) {
      BIRTHMARK_TRY(device_cas.emplace_back(), read_file(request_.directory / crypto::kLocalCaFile));
    }
    submission.device_cas = joined_bundle(device_cas);
    return api.submit(submission);
  }

  crypto::CreateRequest request_;
  ApiOptions api_;
  [[nodiscard]] crypto::pkcs11::VaultContents contents() const {
    using crypto::pkcs11::VaultContents;
    return local_ca_in_hsm_ ? VaultContents::root_and_device_cas : VaultContents::root_only;
  }
  HsmOptions hsm_;
  bool local_ca_in_hsm_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_create_command() {
  return std::make_unique<CaCreateCommand>();
}

}  // namespace birthmark::cli
