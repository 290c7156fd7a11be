// SPDX-License-Identifier: Apache-2.0
// What a command of the `birthmark` program is. One file per command; all_commands.cpp is the list.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace birthmark::cli {

class Workbench;

// Where a command writes: results to `out`, everything else (progress, advice) to `err`.
struct Console {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  // somebody watches `err`: progress may draw over itself
  // Inside a server: waits at most so long; true once nobody is there to read any more, or the server ends. Empty elsewhere.
  std::function<bool(std::chrono::milliseconds)> reader_leaves{};
};

// A file that a command was told to read. With a server running, the command runs inside the server, but its files are read by the
// caller with the caller's rights.
struct InputFile {
  std::string path;
  std::string contents;
  std::shared_ptr<FileDescriptor> stream = nullptr;  // instead of contents, for files that are read, or written, piece by piece
};

// All of it into an output file (DirectoryCommand::output_files), and onto the disk.
[[nodiscard]] Status write_output(const InputFile& output, std::string_view text);

class Command {
 public:
  virtual ~Command() = default;
  // Adds the subcommand with its options and help to `root` and returns it, so that the driver can ask whether it was called.
  virtual CLI::App* declare(CLI::App& root) = 0;
};

// Runs where it is called and touches no data directory's database.
class LocalCommand : public Command {
 public:
  [[nodiscard]] virtual Status run(Console& console) = 0;
};

// Runs on a data directory: in-process under the directory's lock, or inside the server that holds it, through the control socket.
class DirectoryCommand : public Command {
 public:
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] virtual std::vector<std::filesystem::path> input_files() const { return {}; }
  // Files that may be larger than memory: opened by the caller, read by the command. "-" is the caller's stdin.
  [[nodiscard]] virtual std::vector<std::filesystem::path> input_streams() const { return {}; }
  // New files that the command writes into: made by the caller, gone again when it fails.
  [[nodiscard]] virtual std::vector<std::filesystem::path> output_files() const { return {}; }
  // What only the caller may make, such as a key that must not leave it: done where the command was called, before anything else. Further
  // inputs come of it.
  [[nodiscard]] virtual Result<std::vector<InputFile>> prepare() { return std::vector<InputFile>(); }
  // `inputs` in the order of input_files(), input_streams(), output_files(), and what prepare() made.
  [[nodiscard]] virtual Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) = 0;

 protected:
  // --dir DIR, or BIRTHMARK_DIR; required.
  void declare_directory(CLI::App& command);

 private:
  std::filesystem::path directory_;
};

// The group `name` ("ca", "device") below `root`, made on first use.
[[nodiscard]] CLI::App* command_group(CLI::App& root, const std::string& name, const std::string& help);

// Every command of the program.
[[nodiscard]] std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace birthmark::cli
