// SPDX-License-Identifier: Apache-2.0
// birthmark ca install: hands the PKI owner's artefacts to a server. The set is judged as a whole and applied as one durable change, live
// when the server runs. Keys are stored before the change, so that a run that was stopped can simply be repeated.
#include <ostream>

#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "cli/workbench.h"
#include "crypto/pki/pki_keeper.h"

namespace birthmark::cli {
namespace {

constexpr const char* kHelp =
    "Install certificates, CRLs and device CA keys on a server. All of them are checked first; one that does not fit refuses them all. "
    "Installing the same files again changes nothing.";

std::vector<crypto::Artefact> artefacts_of(const std::vector<InputFile>& inputs) {
  std::vector<crypto::Artefact> artefacts;
  artefacts.reserve(inputs.size());
  for (const InputFile& input : inputs) artefacts.push_back({input.path, input.contents});
  return artefacts;
}

class CaInstallCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = declare_ca_command(root, "install", kHelp, quiet_);
    declare_directory(*command);
    command->add_option("FILE", files_, "What a `birthmark ca` command named as artefacts, in any order")->required();
    return command;
  }

  [[nodiscard]] std::vector<std::filesystem::path> input_files() const override { return files_; }

  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    crypto::KeyShelf keys(workbench.directory() / "keys");
    crypto::PkiKeeper keeper({workbench.registry(), workbench.codec(), workbench.clock(), keys, [&] { return workbench.held_keys(); },
                              [&] { return workbench.reload(); }, workbench.factory()});
    BIRTHMARK_TRY(const auto judgement, keeper.install(artefacts_of(inputs), workbench.actor()));
    for (const std::string& warning : judgement.warnings) console.err << "warning: " << warning << '\n';
    if (!quiet_) {
      for (const std::string& note : judgement.notes) console.err << note << '\n';
    }
    const bool changes = judgement.changes_anything();
    console.out << (changes ? "installed" : "nothing to do: everything is installed already") << '\n';
    return {};
  }

 private:
  std::vector<std::filesystem::path> files_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Command> make_ca_install_command() {
  return std::make_unique<CaInstallCommand>();
}

}  // namespace birthmark::cli
