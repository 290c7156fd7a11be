// SPDX-License-Identifier: Apache-2.0
#include "cli/driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ostream>

#include "base/file.h"

namespace birthmark::cli {
namespace {

constexpr std::string_view kVersion = "birthmark 0.1.0";

// The program's grammar with one instance of every command.
class Grammar {
 public:
  explicit Grammar(std::vector<std::unique_ptr<Command>> commands) : commands_(std::move(commands)) {
    root_.require_subcommand(1);
    root_.set_version_flag("--version", std::string(kVersion));
    root_.set_help_all_flag("--help-all", "Help of every command");
    for (const auto& command : commands_) {
      CLI::App* declared = command->declare(root_);
      // Commands that have more to say about it declare it themselves.
      if (declared->get_option_no_throw("--quiet") == nullptr)
        declared->add_flag("--quiet", quiet_, "Print only the result, no advice or progress");
      declared_.push_back(declared);
    }
  }

  // Where the command that was called may write: --quiet leaves it the results only.
  [[nodiscard]] Console console_for(Console& console) { return quiet_ ? Console{console.out, nowhere_, false} : console; }

  // The command that was called; nothing, with the exit code, when the program is done (help, version, usage error).
  [[nodiscard]] Command* parse(std::vector<std::string> arguments, Console& console, int& exit_code) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      root_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      exit_code = root_.exit(error, console.out, console.err) == 0 ? kDone : kUsage;
      return nullptr;
    }
    for (std::size_t i = 0; i < commands_.size(); ++i) {
      if (declared_[i]->parsed()) return commands_[i].get();
    }
    exit_code = kUsage;
    return nullptr;
  }

 private:
  CLI::App root_{"Birthmark gives every device its identity in the factory, and stays the place that knows it.", "birthmark"};
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<CLI::App*> declared_;
  bool quiet_ = false;
  std::ostream nowhere_{nullptr};
};

int report(Console& console, const Error& error) {
  console.err << "birthmark: " << error.describe() << '\n';
  return kFailed;
}

int finish(Console& console, const Status& status) {
  return status ? kDone : report(console, status.error());
}

Result<InputFile> open_stream(const std::filesystem::path& path) {
  // A descriptor of our own, also for stdin: whoever gets it closes it.
  auto stream = std::make_shared<FileDescriptor>(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!stream->valid()) return fail(ErrorCode::not_found, "cannot read " + path.string() + ": " + describe_errno(errno));
  return InputFile{path.string(), {}, std::move(stream)};
}

Result<std::vector<InputFile>> read_inputs(const DirectoryCommand& command) {
  std::vector<InputFile> inputs;
  for (const auto& path : command.input_files()) {
    BIRTHMARK_TRY(auto contents, read_file(path));
    inputs.push_back({path.string(), std::move(contents)});
  }
  for (const auto& path : command.input_streams()) {
    BIRTHMARK_TRY(auto input, open_stream(path));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

int run_on_directory(DirectoryCommand& command, const std::vector<std::string>& arguments, Console& console, Console& its_console,
                     Host& host) {
  auto inputs = read_inputs(command);
  if (!inputs) return report(console, inputs.error());
  auto workbench = host.open(command.directory());
  if (workbench) return finish(console, command.run(its_console, **workbench, *inputs));
  if (workbench.error().code != ErrorCode::unavailable) return report(console, workbench.error());
  auto exit_code = host.forward(command.directory(), arguments, *inputs, console);
  return exit_code ? *exit_code : report(console, exit_code.error());
}

}  // namespace

int run(std::vector<std::unique_ptr<Command>> commands, const std::vector<std::string>& arguments, Console& console, Host& host) {
  int exit_code = kDone;
  Grammar grammar(std::move(commands));
  Command* command = grammar.parse(arguments, console, exit_code);
  if (command == nullptr) return exit_code;
  Console its_console = grammar.console_for(console);
  if (auto* local = dynamic_cast<LocalCommand*>(command)) return finish(console, local->run(its_console));
  return run_on_directory(dynamic_cast<DirectoryCommand&>(*command), arguments, console, its_console, host);
}

int run_forwarded(std::vector<std::unique_ptr<Command>> commands, const std::vector<std::string>& arguments,
                  const std::vector<InputFile>& inputs, Console& console, Workbench& workbench) {
  int exit_code = kDone;
  Grammar grammar(std::move(commands));
  Command* command = grammar.parse(arguments, console, exit_code);
  if (command == nullptr) return exit_code;
  auto* directory_command = dynamic_cast<DirectoryCommand*>(command);
  if (directory_command == nullptr) return report(console, {ErrorCode::invalid, "this command does not run inside a server", {}});
  Console its_console = grammar.console_for(console);
  return finish(console, directory_command->run(its_console, workbench, inputs));
}

}  // namespace birthmark::cli
