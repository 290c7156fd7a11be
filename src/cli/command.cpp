// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <unistd.h>

#include <cerrno>

namespace birthmark::cli {

Status write_output(const InputFile& output, std::string_view text) {
  BIRTHMARK_ASSERT(output.stream != nullptr);
  while (!text.empty()) {
    const ssize_t written = ::write(output.stream->get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(ErrorCode::unavailable, "cannot write " + output.path + ": " + describe_errno(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  // Where the file is a pipe or a terminal there is nothing to sync.
  if (::fsync(output.stream->get()) != 0 && errno != EINVAL && errno != EROFS)
    return fail(ErrorCode::unavailable, "cannot write " + output.path + ": " + describe_errno(errno));
  return {};
}

void DirectoryCommand::declare_directory(CLI::App& command) {
  command.add_option("--dir", directory_, "The server's data directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
}

CLI::App* command_group(CLI::App& root, const std::string& name, const std::string& help) {
  for (CLI::App* existing : root.get_subcommands([&](const CLI::App* group) { return group->get_name() == name; })) return existing;
  return root.add_subcommand(name, help)->require_subcommand(1);
}

}  // namespace birthmark::cli
