// SPDX-License-Identifier: Apache-2.0
// birthmark clock show | accept: what the server thinks of its clock, and an operator's word that it is right.
#include <ostream>

#include "cli/commands.h"
#include "cli/workbench.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "The server's clock, which goes into every certificate";

class ClockShowCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "clock", kGroupHelp)->add_subcommand("show", "The time, the latest time recorded, and whether it is trusted");
    declare_directory(*command);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto mark, workbench.registry().clock_mark());
    const auto doubt = workbench.clock_guard().suspicion();
    console.out << "now       " << format_rfc3339(workbench.clock().now()) << '\n'
                << "recorded  " << (mark ? format_rfc3339(*mark) : "-") << '\n'
                << "trusted   " << (doubt ? "no: " + *doubt : "yes") << '\n';
    return {};
  }
};

class ClockAcceptCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "clock", kGroupHelp)
                            ->add_subcommand("accept", "Confirm that the clock is right now, after a jump stopped issuance");
    declare_directory(*command);
    command->add_option("--reason", reason_, "Why it jumped; kept in the audit")->required()->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    if (reason_.empty()) return fail(ErrorCode::invalid, "a reason is required");
    const Instant now = workbench.clock().now();
    BIRTHMARK_TRY(const auto mark, workbench.registry().clock_mark());
    std::string body =
        core::audit_body(core::AuditEvent::clock_accepted, now,
                         {{"reason", reason_}, {"recorded", mark ? format_rfc3339(*mark) : std::string()}, {"actor", workbench.actor()}});
    BIRTHMARK_CHECK(workbench.wait(workbench.registry().accept_clock(now, std::move(body))));
    workbench.clock_guard().accept(now);
    console.out << "the clock is trusted from " << format_rfc3339(now) << '\n';
    return {};
  }

 private:
  std::string reason_;
};

}  // namespace

void append_clock_commands(CommandList& commands) {
  commands.push_back(std::make_unique<ClockShowCommand>());
  commands.push_back(std::make_unique<ClockAcceptCommand>());
}

}  // namespace birthmark::cli
