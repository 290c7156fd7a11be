// SPDX-License-Identifier: Apache-2.0
// birthmark ca add-device-ca: a further local CA, or a successor of the online CA.
#include "base/file.h"
#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "crypto/pki/pki_directory.h"

namespace birthmark::cli {
namespace {

constexpr const char* kHelp =
    "Add a device CA: a further local CA with a key of its own, or a new online CA for the server's request. "
    "The previous online CA is kept as online-crt.bak and stays trusted.";

class CaAddDeviceCaCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "add-device-ca", kHelp, quiet_);
    command->add_option("PKI_DIR", request_.directory, "The PKI directory, with the root's key")->required();
    command->add_flag("--online-ca", request_.online_ca, "Sign the online CA request in --csr-dir");
    command->add_flag("--local-ca", request_.local_ca, "Create a local CA");
    command->add_option("--local-ca-filename", request_.local_ca_filename, "Its file; the key goes beside it as <name without .pem>.key")
        ->type_name("NAME")
        ->capture_default_str();
    command->add_option("--owner", request_.owner, "The local CA is called fio-<ID>; default: as local-ca.pem, else the factory's name")
        ->type_name("ID");
    command->add_option("--csr-dir", request_.csr_directory, "Directory with the server's online-ca.csr")->type_name("DIR");
    declare_api(*command, api_);
    command
        ->add_option("--profile", profile_,
                     "pep: the CA for Izuma Edge gateways, pep-ca.pem and pep-ca.key, for `birthmark pep install-ca`")
        ->check(CLI::IsMember({"device", "pep"}))
        ->capture_default_str();
    command->add_flag("--local-ca-in-hsm", local_ca_in_hsm_, "Keep the local CA's key in the token too, by the name of its file");
    hsm_.declare(*command, "that holds the root's key (label root-ca)");
    return command;
  }

  Status run(Console& console) override {
    if (api_.given()) return run_with_api(console);
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_, contents()));
    request_.gateway_ca = profile_ == "pep";
    BIRTHMARK_TRY(const auto outcome, crypto::add_device_ca(bench.tools(), request_));
    tell_outcome(console, outcome, quiet_);
    return {};
  }

 private:
  Status run_with_api(Console& console) {
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    BIRTHMARK_TRY(const core::PkiStanding standing, api.standing());
    if (request_.local_ca && request_.owner.empty()) {
      BIRTHMARK_TRY(request_.owner, api.own_user_id());
    }
    core::CertificateRequests requests;
    if (request_.online_ca) {
      core::CertificateOrder order;
      order.online_ca = true;
      BIRTHMARK_TRY(requests, api.request(order));
    }
    BIRTHMARK_TRY(const auto folder, RequestFolder::make(requests));
    request_.csr_directory = folder.path();
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_, contents()));
    BIRTHMARK_TRY(const auto outcome, crypto::add_device_ca(bench.tools(), request_));
    bench.tools().say("Uploading the device CAs");
    std::vector<std::string> bundle{standing.device_cas};
    if (request_.local_ca) {
      BIRTHMARK_TRY(bundle.emplace_back(), read_file(request_.directory / request_.local_ca_filename));
    }
    if (request_.online_ca) {
      BIRTHMARK_TRY(bundle.emplace_back(), read_file(request_.directory / crypto::kOnlineCaFile));
    }
    core::PkiSubmission submission;
    submission.device_cas = joined_bundle(bundle);
    return api.submit(submission);
  }

  crypto::AddDeviceCaRequest request_;
  ApiOptions api_;
  std::string profile_ = "device";
  [[nodiscard]] crypto::pkcs11::VaultContents contents() const {
    using crypto::pkcs11::VaultContents;
    return local_ca_in_hsm_ ? VaultContents::root_and_device_cas : VaultContents::root_only;
  }
  HsmOptions hsm_;
  bool local_ca_in_hsm_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_add_device_ca_command() {
  return std::make_unique<CaAddDeviceCaCommand>();
}

}  // namespace birthmark::cli
