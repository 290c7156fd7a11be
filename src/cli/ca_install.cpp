// SPDX-License-Identifier: Apache-2.0
// birthmark ca install: hands the PKI owner's artefacts to a server. The set is judged as a whole and applied as one durable change, live
// when the server runs. Keys are stored before the change, so that a run that was stopped can simply be repeated.
#include <mutex>
#include <ostream>

#include "base/file.h"
#include "cli/ca_commands.h"
#include "cli/ca_support.h"
#include "cli/workbench.h"
#include "crypto/pki/trust_change.h"

namespace birthmark::cli {
namespace {

constexpr mode_t kKeyMode = 0400;

// Judging and applying are two steps: another installation in the same server must not come between them.
std::mutex installation;

constexpr const char* kHelp =
    "Install certificates, CRLs and device CA keys on a server. All of them are checked first; one that does not fit refuses them all. "
    "Installing the same files again changes nothing.";

std::vector<crypto::Artefact> artefacts_of(const std::vector<InputFile>& inputs) {
  std::vector<crypto::Artefact> artefacts;
  artefacts.reserve(inputs.size());
  for (const InputFile& input : inputs) artefacts.push_back({input.path, input.contents});
  return artefacts;
}

// A key that an interrupted run already stored is the same file.
Status store_key(const std::filesystem::path& path, const std::string& pem) {
  const Status made = create_file(path, pem, kKeyMode);
  if (made || made.error().code != ErrorCode::conflict) return made;
  const auto present = read_file(path);
  return present && *present == pem ? Status() : made;
}

Status store_keys(const std::filesystem::path& directory, const std::vector<crypto::KeyToKeep>& keys) {
  for (const crypto::KeyToKeep& key : keys) BIRTHMARK_CHECK(store_key(directory / "keys" / key.file_name, key.pem));
  return {};
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
    const std::lock_guard alone(installation);
    BIRTHMARK_TRY(auto authorities, workbench.registry().authorities());
    const crypto::TrustSituation situation{workbench.factory(), std::move(authorities), workbench.held_keys(), workbench.clock().now(),
                                           workbench.actor()};
    BIRTHMARK_TRY(auto judgement, crypto::judge_trust_change(situation, workbench.codec(), artefacts_of(inputs)));
    for (const std::string& warning : judgement.warnings) console.err << "warning: " << warning << '\n';
    if (!quiet_) {
      for (const std::string& note : judgement.notes) console.err << note << '\n';
    }
    const bool changes = judgement.changes_anything();
    BIRTHMARK_CHECK(store_keys(workbench.directory(), judgement.keys));
    if (!judgement.change.upserts.empty()) BIRTHMARK_CHECK(workbench.wait(workbench.registry().apply(std::move(judgement.change))));
    if (changes) BIRTHMARK_CHECK(workbench.reload());
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
