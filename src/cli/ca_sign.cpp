// SPDX-License-Identifier: Apache-2.0
// birthmark ca rotate-tls | sign | update: what the root signs or checks after the PKI stands.
#include <ostream>

#include "base/file.h"
#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "crypto/pki/pki_directory.h"

namespace birthmark::cli {
namespace {

class CaRotateTlsCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(
        root, "rotate-tls", "Sign a new TLS certificate for the server's request; the old one is kept as tls-crt.bak.", quiet_);
    command->add_option("PKI_DIR", request_.directory, "The PKI directory, with the root's key")->required();
    auto* source = command->add_option_group("request", "Where the server's request is");
    source->add_option("--csr-dir", csr_directory_, "Directory with the server's tls.csr")->type_name("DIR");
    source->add_option("--csr", request_.csr, "The request itself")->type_name("FILE");
    source->require_option(0, 1);
    declare_api(*command, api_);
    hsm_.declare(*command, "that holds the root's key (label root-ca)");
    return command;
  }

  Status run(Console& console) override {
    const bool from_file = !csr_directory_.empty() || !request_.csr.empty();
    if (api_.given() && !from_file) return run_with_api(console);
    if (api_.given() || !from_file) return fail(ErrorCode::invalid, "say where the request is: --csr-dir DIR, --csr FILE or --api URL");
    if (!csr_directory_.empty()) request_.csr = csr_directory_ / crypto::kTlsRequestFile;
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_));
    BIRTHMARK_TRY(const auto outcome, crypto::rotate_tls(bench.tools(), request_));
    tell_outcome(console, outcome, quiet_);
    return {};
  }

 private:
  Status run_with_api(Console& console) {
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    core::CertificateOrder order;
    order.tls = true;
    BIRTHMARK_TRY(const auto requests, api.request(order));
    BIRTHMARK_TRY(const auto folder, RequestFolder::make(requests));
    request_.csr = folder.path() / crypto::kTlsRequestFile;
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_));
    BIRTHMARK_TRY(const auto outcome, crypto::rotate_tls(bench.tools(), request_));
    bench.tools().say("Uploading the TLS certificate");
    core::PkiSubmission submission;
    BIRTHMARK_TRY(submission.tls, read_file(request_.directory / crypto::kTlsFile));
    return api.submit(submission);
  }

  crypto::RotateTlsRequest request_;
  ApiOptions api_;
  std::filesystem::path csr_directory_;
  HsmOptions hsm_;
  bool quiet_ = false;
};

class CaSignCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "sign",
                                           "Sign a request with the root and print the certificate: a device CA when the request asks for "
                                           "CA:TRUE, otherwise a TLS server certificate with the request's DNS, IP, URI and email names.",
                                           quiet_);
    command->add_option("CSR", csr_, "The request, one PEM block")->required()->type_name("FILE");
    command->add_option("--pki-dir", directory_, "The PKI directory, with the root's key")->required()->type_name("PKI_DIR");
    hsm_.declare(*command, "that holds the root's key (label root-ca)");
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(const std::string request, read_file(csr_));
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_));
    BIRTHMARK_TRY(const std::string pem, crypto::sign_request(bench.tools(), directory_, request));
    console.out << pem;
    return {};
  }

 private:
  std::filesystem::path csr_;
  std::filesystem::path directory_;
  HsmOptions hsm_;
  bool quiet_ = false;
};

class CaUpdateCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "update",
                                           "Check a bundle of device CAs against the root and write it as an artefact for `ca install`. "
                                           "Adds to what a server trusts; only a revocation takes away.",
                                           quiet_);
    command->add_option("FILE", bundle_, "PEM bundle of device CAs")->required();
    command->add_option("--pki-dir", directory_, "The PKI directory; the root's key is not needed; default: the current directory")
        ->type_name("PKI_DIR");
    declare_api(*command, api_);
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(const std::string bundle, read_file(bundle_));
    if (api_.given()) {
      BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
      core::PkiSubmission submission;
      submission.device_cas = bundle;  // as it is
      return api.submit(submission);
    }
    const CeremonyBench bench(console, quiet_);
    BIRTHMARK_TRY(const auto outcome, crypto::update_device_cas(bench.tools(), directory_, bundle));
    tell_outcome(console, outcome, quiet_);
    return {};
  }

 private:
  std::filesystem::path bundle_;
  ApiOptions api_;
  std::filesystem::path directory_ = ".";
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_rotate_tls_command() {
  return std::make_unique<CaRotateTlsCommand>();
}
std::unique_ptr<Command> make_ca_sign_command() {
  return std::make_unique<CaSignCommand>();
}
std::unique_ptr<Command> make_ca_update_command() {
  return std::make_unique<CaUpdateCommand>();
}

}  // namespace birthmark::cli
