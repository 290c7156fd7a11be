// SPDX-License-Identifier: Apache-2.0
// birthmark ca revoke-device-ca | disable-device-ca | enable-device-ca: one short-lived CRL, signed by the root, for `ca install`.
#include <ostream>

#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"

namespace birthmark::cli {
namespace {

struct Verb {
  crypto::CaVerdict verdict;
  const char* name;
  const char* help;
};

constexpr Verb kRevoke{crypto::CaVerdict::revoke, "revoke-device-ca",
                       "Revoke device CAs for good: their devices are refused everywhere. Makes a CRL for `ca install`."};
constexpr Verb kDisable{crypto::CaVerdict::disable, "disable-device-ca",
                        "Disable device CAs: no new devices from them, known ones go on. Reversible. Makes a CRL for `ca install`."};
constexpr Verb kEnable{crypto::CaVerdict::enable, "enable-device-ca", "Take a disable back. Makes a CRL for `ca install`."};

class CaCrlCommand final : public LocalCommand {
 public:
  explicit CaCrlCommand(const Verb& verb) : verb_(verb) { request_.verdict = verb.verdict; }

  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, verb_.name, verb_.help, quiet_);
    command->add_option("PKI_DIR", request_.directory, "The PKI directory, with the root's key")->required();
    command->add_option("--ca-file", request_.ca_files, "A device CA by its file's name in PKI_DIR, such as local-ca.pem; repeatable")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--ca-serial", request_.ca_serials, "A device CA by its serial in base 10; repeatable")
        ->type_name("N")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--crl-valid-for", valid_for_, "How long the CRL can be installed, such as 15m or 2h")
        ->type_name("DURATION")
        ->capture_default_str();
    command->add_flag("--dry-run", dry_run_, "Print the CRL and write nothing");
    declare_api(*command, api_);
    command->add_flag("--pretty", pretty_, "Print the CRL as text for people too");
    hsm_.declare(*command, "that holds the root's key (label root-ca)");
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(request_.valid_for, parse_duration(valid_for_));
    if (api_.given()) return run_with_api(console);
    request_.dry_run = dry_run_;
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_));
    BIRTHMARK_TRY(const auto made, crypto::make_crl_command(bench.tools(), request_));
    tell_crl(console, made);
    tell_outcome(console, made.outcome, quiet_);
    return {};
  }

 private:
  void tell_crl(Console& console, const crypto::CrlCommandOutcome& made) const {
    if (dry_run_) console.out << made.pem;
    if (pretty_) console.out << (dry_run_ ? "\n" : "") << made.text;
  }

  // The CRL goes to the server at once; no file is left.
  Status run_with_api(Console& console) {
    BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
    BIRTHMARK_TRY(const core::PkiStanding standing, api.standing());
    request_.dry_run = true;
    CeremonyBench bench(console, quiet_);
    BIRTHMARK_CHECK(bench.use_token(hsm_));
    BIRTHMARK_TRY(const auto made, crypto::make_crl_command(bench.tools(), request_));
    tell_crl(console, made);
    if (dry_run_) return {};
    core::PkiSubmission submission;
    submission.crl = made.pem;
    return api.submit(submission);
  }

  const Verb& verb_;
  ApiOptions api_;
  bool dry_run_ = false;
  crypto::CrlCommandRequest request_;
  std::string valid_for_ = "15m";
  bool pretty_ = false;
  HsmOptions hsm_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_revoke_device_ca_command() {
  return std::make_unique<CaCrlCommand>(kRevoke);
}
std::unique_ptr<Command> make_ca_disable_device_ca_command() {
  return std::make_unique<CaCrlCommand>(kDisable);
}
std::unique_ptr<Command> make_ca_enable_device_ca_command() {
  return std::make_unique<CaCrlCommand>(kEnable);
}

}  // namespace birthmark::cli
