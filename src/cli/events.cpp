// SPDX-License-Identifier: Apache-2.0
// birthmark events: what happened to devices, from the audit, one JSON object a line; with --follow as it happens.
#include <ostream>

#include "cli/commands.h"
#include "cli/workbench.h"

namespace birthmark::cli {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::chrono::milliseconds kLookEvery{100};
constexpr std::string_view kDeviceEvent = R"({"event":"device_)";

class EventsCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand(
        "events", "Print what happened to devices (registered, refused, denied, ...) as the audit has it, one JSON object a line");
    declare_directory(*command);
    command->add_flag("--follow", follow_, "Stay, and print what happens from now on; needs a running server");
    command->add_option("--after", after_, "Begin behind this `sequence`: go on where an earlier run ended")->type_name("N");
    command->add_flag("--all", all_, "The rest of the audit too: orders, tokens, trust, configuration");
    return command;
  }

  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    if (follow_ && !console.reader_leaves)
      return fail(ErrorCode::unavailable,
                  "nothing happens without a server: start `birthmark serve --dir " + directory().string() + "` first");
    BIRTHMARK_TRY(const core::AuditHead head, workbench.registry().audit_head());
    std::uint64_t after = after_.value_or(follow_ ? head.count : 0);
    for (;;) {
      BIRTHMARK_TRY(const bool more, print_page(console, workbench, after));
      if (!console.out) return {};
      if (more) continue;
      console.out.flush();
      if (!follow_ || console.reader_leaves(kLookEvery)) return {};
    }
  }

 private:
  // Whether there may be more at once.
  Result<bool> print_page(Console& console, Workbench& workbench, std::uint64_t& after) const {
    BIRTHMARK_TRY(const core::AuditHead head, workbench.registry().audit_head());
    if (head.count <= after) return false;
    BIRTHMARK_TRY(const auto page, workbench.registry().audit_records(after, kPage));
    for (const core::AuditRecord& record : page) {
      after = record.sequence;
      if (!all_ && !record.body.starts_with(kDeviceEvent)) continue;
      console.out << R"({"sequence":)" << record.sequence << ',' << std::string_view(record.body).substr(1) << '\n';
    }
    return page.size() == kPage;
  }

  bool follow_ = false;
  bool all_ = false;
  std::optional<std::uint64_t> after_;
};

}  // namespace

void append_event_commands(CommandList& commands) {
  commands.push_back(std::make_unique<EventsCommand>());
}

}  // namespace birthmark::cli
