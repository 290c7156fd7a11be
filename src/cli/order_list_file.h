// SPDX-License-Identifier: Apache-2.0
// --ids FILE | --csv FILE of the order commands: the file, streamed into an order with its progress and its bad lines on stderr.
#pragma once

#include <filesystem>

#include "cli/command.h"
#include "cli/workbench.h"
#include "core/order_file.h"
#include "core/order_keeper.h"

namespace birthmark::cli {

struct OrderListFile {
  std::filesystem::path ids;
  std::filesystem::path csv;
  bool dry_run = false;

  void declare(CLI::App& command);
  [[nodiscard]] bool given() const { return !ids.empty() || !csv.empty(); }
  [[nodiscard]] std::vector<std::filesystem::path> streams() const;

  // Everything in the file, or nothing of it: with one bad line, an error, or a dry run, what was staged is taken back.
  [[nodiscard]] Status import(Console& console, Workbench& workbench, const core::StagedOrder& staged, const InputFile& input,
                              const core::OperatorAct& act) const;
};

}  // namespace birthmark::cli
