// SPDX-License-Identifier: Apache-2.0
// birthmark import registration-ref: leaves factory-registration-ref in one step.
#include "app/commands.h"
#include "app/reference_import.h"

namespace birthmark::app {
namespace {

class ImportReferenceCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        cli::command_group(root, "import", "Take over what another system registered")
            ->add_subcommand(
                "registration-ref",
                "Take over a factory-registration-ref: its certificates, its devices with their ids and keys, its token. No server "
                "may run on DIR meanwhile. Running it again imports what is new");
    command->add_option("DATA_DIR", data_directory_, "Its data directory: certs/, devices/ and fio-api-token")->required();
    command->add_option("--dir", import_.directory, "The server's directory; made when it is not there")
        ->envname("BIRTHMARK_DIR")
        ->required()
        ->type_name("DIR");
    command->add_option("--upstream-url", import_.upstream_url, "Its DEVICE_REGISTRATION_API, when it had a token")
        ->default_val("https://api.foundries.io/ota/devices/")
        ->type_name("URL");
    command->add_option("--group", import_.group, "Its DEVICE_GROUP")->type_name("NAME");
    command->add_flag("--dry-run", import_.dry_run, "Judge everything, change nothing");
    command->add_flag("--skip-refused", import_.skip_refused, "Import the rest when some files are no device that can be imported");
    return command;
  }

  Status run(cli::Console& console) override {
    import_.from = ReferencePaths::below(data_directory_);
    return import_reference(import_, console);
  }

 private:
  std::filesystem::path data_directory_;
  ReferenceImport import_;
};

}  // namespace

std::unique_ptr<cli::Command> make_import_reference_command() {
  return std::make_unique<ImportReferenceCommand>();
}

}  // namespace birthmark::app
