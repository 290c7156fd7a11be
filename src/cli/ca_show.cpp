// SPDX-License-Identifier: Apache-2.0
// birthmark ca show: prints the certificates of a PKI directory (made here or by fioctl), or of files.
#include <ostream>

#include "cli/ca_api.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "crypto/pki/show.h"

namespace birthmark::cli {
namespace {

constexpr const char* kHelp =
    "Show the certificates of a PKI directory, or of certificate and CRL files. The output of --just-device-cas can be used as a PEM "
    "bundle.";

class CaShowCommand final : public LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "show", kHelp, quiet_);
    command->add_option("PATH", paths_, "A PKI directory, or files; default: the current directory")->type_name("PKI_DIR | FILE...");
    command->add_flag("--pretty", pretty_, "Print each certificate as text for people");
    auto* root_only = command->add_flag("--just-root", just_root_, "Only the factory's root CA");
    auto* tls_only = command->add_flag("--just-tls", just_tls_, "Only the server's TLS certificate");
    auto* cas_only = command->add_flag("--just-device-cas", just_device_cas_, "Only the device CAs");
    declare_api(*command, api_);
    root_only->excludes(tls_only)->excludes(cas_only);
    tls_only->excludes(cas_only);
    return command;
  }

  Status run(Console& console) override {
    BIRTHMARK_TRY(const crypto::PkiView view, look());
    const auto section = just_root_         ? crypto::ShowSection::root
                         : just_tls_        ? crypto::ShowSection::tls
                         : just_device_cas_ ? crypto::ShowSection::device_cas
                                            : crypto::ShowSection::all;
    console.out << crypto::render(view, {pretty_, section});
    return {};
  }

 private:
  [[nodiscard]] Result<crypto::PkiView> look() const {
    if (api_.given()) {
      BIRTHMARK_TRY(FactoryApi api, FactoryApi::open(api_));
      BIRTHMARK_TRY(const auto standing, api.standing());
      return view_standing(standing);
    }
    if (paths_.empty()) return crypto::view_directory(".");
    std::error_code problem;
    if (paths_.size() == 1 && std::filesystem::is_directory(paths_.front(), problem)) return crypto::view_directory(paths_.front());
    return crypto::view_files(paths_);
  }

  std::vector<std::filesystem::path> paths_;
  ApiOptions api_;
  bool pretty_ = false;
  bool just_root_ = false;
  bool just_tls_ = false;
  bool just_device_cas_ = false;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_show_command() {
  return std::make_unique<CaShowCommand>();
}

}  // namespace birthmark::cli
