// SPDX-License-Identifier: Apache-2.0
#include "cli/order_list_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <ostream>

#include "core/order_import.h"

namespace birthmark::cli {
namespace {

constexpr std::size_t kPieceBytes = 64U << 10U;

// A bar that draws over itself on a terminal, a line every so often elsewhere.
class Progress {
 public:
  Progress(Console& console, std::uint64_t total_bytes) : console_(console), total_(total_bytes) {}
  ~Progress() {
    if (drawn_) console_.err << std::endl;
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t bytes, std::uint64_t entries) {
    constexpr std::uint64_t kStepPercent = 1, kStepPercentOfLines = 10;
    if (total_ < kWorthShowing) return;
    const std::uint64_t percent = std::min<std::uint64_t>(100, bytes * 100 / total_);
    if (percent < shown_ + (console_.terminal ? kStepPercent : kStepPercentOfLines)) return;
    shown_ = percent;
    const std::string text = std::to_string(percent) + " % (" + std::to_string(entries) + " devices)";
    if (!console_.terminal) {
      console_.err << "read " << text << std::endl;
      return;
    }
    const auto full = static_cast<std::size_t>(percent * kWidth / 100);
    console_.err << "\r[" << std::string(full, '#') << std::string(kWidth - full, ' ') << "] " << text << std::flush;
    drawn_ = true;
  }

 private:
  static constexpr std::size_t kWidth = 40;
  static constexpr std::uint64_t kWorthShowing = 1U << 20U;

  Console& console_;
  const std::uint64_t total_;
  std::uint64_t shown_ = 0;
  bool drawn_ = false;
};

std::uint64_t size_of(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> read_piece(const InputFile& input, std::span<char> to) {
  for (;;) {
    const ssize_t got = ::read(input.stream->get(), to.data(), to.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(ErrorCode::unavailable, "cannot read " + input.path + ": " + describe_errno(errno));
  }
}

Status read_all(Console& console, Workbench& workbench, const InputFile& input, core::OrderImport& import) {
  std::vector<char> piece(kPieceBytes);
  Progress progress(console, size_of(input.stream->get()));
  for (std::uint64_t bytes = 0;;) {
    BIRTHMARK_TRY(const std::size_t got, read_piece(input, piece));
    if (got == 0) break;
    bytes += got;
    BIRTHMARK_CHECK(workbench.wait(import.feed({piece.data(), got})));
    progress.show(bytes, import.taken());
  }
  return workbench.wait(import.finish());
}

}  // namespace

void OrderListFile::declare(CLI::App& command) {
  CLI::Option* const list = command.add_option("--ids", ids, "A file with one device id a line ('-': stdin)")->type_name("FILE");
  command.add_option("--csv", csv, "A CSV file whose first line names the columns id, and perhaps name and hardware-id ('-': stdin)")
      ->type_name("FILE")
      ->excludes(list);
  command.add_flag("--dry-run", dry_run, "Check everything, change nothing");
}

std::vector<std::filesystem::path> OrderListFile::streams() const {
  if (!ids.empty()) return {ids};
  return csv.empty() ? std::vector<std::filesystem::path>{} : std::vector<std::filesystem::path>{csv};
}

Status OrderListFile::import(Console& console, Workbench& workbench, const core::StagedOrder& staged, const InputFile& input,
                             const core::OperatorAct& act) const {
  core::OrderKeeper keeper(workbench.orders(), workbench.clock());
  const auto format = ids.empty() ? core::OrderFileFormat::csv : core::OrderFileFormat::ids;
  const auto report = [&](std::uint64_t line, const std::string& problem) {
    console.err << input.path << ", line " << line << ": " << problem << '\n';
  };
  core::OrderImport import(workbench.orders(), staged.import, {format, workbench.factory(), workbench.device_id_rule()}, report);
  Status judged = read_all(console, workbench, input, import);
  if (judged && import.refused() > 0) {
    judged = fail(ErrorCode::invalid, std::to_string(import.refused()) + " of " + std::to_string(import.refused() + import.taken()) +
                                          " lines of " + input.path + " cannot be taken; nothing was changed");
  }
  if (judged && import.taken() == 0) judged = fail(ErrorCode::invalid, input.path + " lists no device");
  if (!judged || dry_run) {
    BIRTHMARK_CHECK(workbench.wait(keeper.give_up(staged.import)));
    if (judged) console.out << import.taken() << " devices would be listed; nothing was changed\n";
    return judged;
  }
  BIRTHMARK_TRY(const core::OrderRecord order, workbench.wait(keeper.finish(staged, import.taken(), act)));
  console.out << "order " << order.name << " lists " << order.listed << " devices\n";
  return {};
}

}  // namespace birthmark::cli
