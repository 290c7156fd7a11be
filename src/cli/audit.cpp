// SPDX-License-Identifier: Apache-2.0
// birthmark audit verify | head | tail: proves the record, prints where it stands, reads its end.
#include <ostream>

#include "cli/commands.h"
#include "cli/workbench.h"
#include "core/audit_verifier.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "The record of everything that was issued, refused and changed";
constexpr std::size_t kPageRecords = 1000;

class AuditVerifyCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "audit", kGroupHelp)
            ->add_subcommand("verify",
                             "Recompute the chain, compare it with the signed head and with every device's row; the first fault is named");
    declare_directory(*command);
    command->add_option("--expect", expected_, "A head that was written down earlier (from `birthmark audit head`)")->type_name("HEAD");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    std::optional<core::AuditHead> expected;
    if (!expected_.empty()) {
      BIRTHMARK_TRY(expected, core::parse_audit_head(expected_));
    }
    BIRTHMARK_TRY(const auto signed_head, workbench.signed_audit_head());
    if (!signed_head) console.err << "there is no signed head beside the database: a cut tail would not be noticed\n";
    const auto progress = [&](std::uint64_t records) { console.err << records << " records read\n"; };
    BIRTHMARK_TRY(const auto verdict, core::verify_audit(workbench.registry(), workbench.codec(), expected, signed_head, progress));
    if (!verdict.good()) return fail(ErrorCode::conflict, std::string(core::to_string(verdict.fault)) + ": " + verdict.text);
    console.out << "the audit is whole: " << verdict.head.count << " records, " << verdict.devices << " devices agree\n"
                << core::format_audit_head(verdict.head) << '\n';
    return {};
  }

 private:
  std::string expected_;
};

class AuditHeadCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "audit", kGroupHelp)
            ->add_subcommand("head", "Print where the audit stands; write it down elsewhere, and give it to `audit verify --expect` later");
    declare_directory(*command);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto head, workbench.registry().audit_head());
    console.out << core::format_audit_head(head) << '\n';
    return {};
  }
};

class AuditTailCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "audit", kGroupHelp)->add_subcommand("tail", "The last records, one JSON object a line, oldest first");
    declare_directory(*command);
    command->add_option("-n,--lines", lines_, "How many")->type_name("N")->capture_default_str();
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto head, workbench.registry().audit_head());
    std::uint64_t after = head.count > lines_ ? head.count - lines_ : 0;
    while (after < head.count && console.out) {
      BIRTHMARK_TRY(const auto records, workbench.registry().audit_records(after, kPageRecords));
      if (records.empty()) break;
      for (const core::AuditRecord& record : records)
        console.out << R"({"sequence":)" << record.sequence << ',' << record.body.substr(1) << '\n';
      after = records.back().sequence;
    }
    return {};
  }

 private:
  std::uint64_t lines_ = 20;
};

}  // namespace

void append_audit_commands(CommandList& commands) {
  commands.push_back(std::make_unique<AuditVerifyCommand>());
  commands.push_back(std::make_unique<AuditHeadCommand>());
  commands.push_back(std::make_unique<AuditTailCommand>());
}

}  // namespace birthmark::cli
