// SPDX-License-Identifier: Apache-2.0
#include "cli/driver.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
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
  [[nodiscard]] Console console_for(Console& console) {
    return quiet_ ? Console{console.out, nowhere_, false, console.reader_leaves} : console;
  }

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

Result<InputFile> make_output(const std::filesystem::path& path) {
  auto stream = std::make_shared<FileDescriptor>(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (stream->valid()) return InputFile{path.string(), {}, std::move(stream)};
  return fail(errno == EEXIST ? ErrorCode::conflict : ErrorCode::invalid, "cannot make " + path.string() + ": " + describe_errno(errno));
}

// Takes back the files that were made for a command, unless it was done.
class MadeOutputs {
 public:
  MadeOutputs() = default;
  MadeOutputs(const MadeOutputs&) = delete;
  MadeOutputs& operator=(const MadeOutputs&) = delete;
  ~MadeOutputs() {
    std::error_code ignored;
    for (const auto& path : paths_) std::filesystem::remove(path, ignored);
  }
  void add(std::filesystem::path path) { paths_.push_back(std::move(path)); }
  void keep() { paths_.clear(); }

 private:
  std::vector<std::filesystem::path> paths_;
};

Result<std::vector<InputFile>> read_inputs(DirectoryCommand& command, MadeOutputs& outputs) {
  BIRTHMARK_TRY(auto prepared, command.prepare());
  std::vector<InputFile> inputs;
  for (const auto& path : command.input_files()) {
    BIRTHMARK_TRY(auto contents, read_file(path));
    inputs.push_back({path.string(), std::move(contents)});
  }
  for (const auto& path : command.input_streams()) {
    BIRTHMARK_TRY(auto input, open_stream(path));
    inputs.push_back(std::move(input));
  }
  for (const auto& path : command.output_files()) {
    BIRTHMARK_TRY(auto output, make_output(path));
    outputs.add(path);
    inputs.push_back(std::move(output));
  }
  std::move(prepared.begin(), prepared.end(), std::back_inserter(inputs));
  return inputs;
}

int run_on_directory(DirectoryCommand& command, const std::vector<std::string>& arguments, Console& console, Console& its_console,
                     Host& host) {
  MadeOutputs outputs;
  auto inputs = read_inputs(command, outputs);
  if (!inputs) return report(console, inputs.error());
  int exit_code = kFailed;
  if (auto workbench = host.open(command.directory())) {
    exit_code = finish(console, command.run(its_console, **workbench, *inputs));
  } else if (workbench.error().code != ErrorCode::unavailable) {
    exit_code = report(console, workbench.error());
  } else {
    auto forwarded = host.forward(command.directory(), arguments, *inputs, console);
    exit_code = forwarded ? *forwarded : report(console, forwarded.error());
  }
  if (exit_code == kDone) outputs.keep();
  return exit_code;
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
