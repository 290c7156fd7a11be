// SPDX-License-Identifier: Apache-2.0
// birthmark upstream status | list | retry | drop: what the upstream has not been told yet, and what to do about it.
#include <ostream>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/workbench.h"
#include "core/outbox_keeper.h"

namespace birthmark::cli {
namespace {

using core::OutboxState;

constexpr const char* kGroupHelp = "The upstream that learns of every registered device";

// --hooks: the same for the line's own system.
void declare_hooks(CLI::App& command, core::OutboxChannel& channel) {
  command.add_flag_callback("--hooks", [&channel] { channel = core::OutboxChannel::events; }, "Of [hooks] instead of [upstream]");
}

std::string hold_of(const UpstreamView& view) {
  switch (view.figures.hold) {
    case core::ChannelHold::none: break;
    case core::ChannelHold::unreachable: return "unreachable: " + view.figures.hold_reason;
    case core::ChannelHold::throttled: return "asked to wait: " + view.figures.hold_reason;
    case core::ChannelHold::unauthorized: return "paused until the token file changes: " + view.figures.hold_reason;
  }
  return view.delivers ? "delivering" : "not delivering: no server runs";
}

std::string age(const core::OutboxTotals& totals, Instant now) {
  if (!totals.oldest) return "-";
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - *totals.oldest).count()) + "s";
}

class UpstreamStatusCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "upstream", kGroupHelp)
                            ->add_subcommand("status", "Whether messages are delivered, how many wait and for how long");
    declare_directory(*command);
    declare_format(*command, format_);
    declare_hooks(*command, channel_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const core::OutboxTotals totals, workbench.outbox().outbox_totals(channel_));
    const UpstreamView view = channel_ == core::OutboxChannel::upstream ? workbench.upstream() : workbench.hooks();
    Listing listing(
        console.out, format_,
        {{"url", 40}, {"mode", 5}, {"waiting", 8}, {"sending", 8}, {"oldest", 8}, {"unverified", 10}, {"stopped", 8}, {"state", 0}});
    listing.row({view.url.empty() ? Cell{} : Cell{view.url},
                 view.url.empty() ? Cell{} : Cell{view.mode},
                 {std::to_string(totals.waiting), true},
                 {std::to_string(totals.sending), true},
                 {age(totals, workbench.clock().now())},
                 {std::to_string(totals.unverified), true},
                 {std::to_string(totals.stopped), true},
                 {view.url.empty() ? "none is configured" : hold_of(view)}});
    return {};
  }

 private:
  ListFormat format_ = ListFormat::table;
  core::OutboxChannel channel_ = core::OutboxChannel::upstream;
};

OutboxState parse_state(std::string_view name) {
  return core::parse_open_state(name).value_or(OutboxState::stopped);
}

CLI::Option* declare_state(CLI::App& command, std::string& state, const std::string& help) {
  return command.add_option("--state", state, help)
      ->check(CLI::IsMember({"waiting", "sending", "unverified", "stopped"}))
      ->type_name("STATE");
}

class UpstreamListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "upstream", kGroupHelp)->add_subcommand("list", "List messages that are not delivered");
    declare_directory(*command);
    declare_format(*command, format_);
    declare_state(*command, state_, "Those in this state (default: stopped)");
    declare_hooks(*command, channel_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    constexpr std::size_t kPage = 500;
    Listing listing(console.out, format_,
                    {{"message", 8}, {"state", 10}, {"id", 36}, {"attempts", 8}, {"created_at", 20}, {"due_at", 20}, {"reason", 0}});
    core::RowId after = 0;
    for (;;) {
      BIRTHMARK_TRY(const auto page, workbench.outbox().messages(channel_, parse_state(state_), after, kPage));
      for (const core::OutboxEntry& entry : page) {
        listing.row({{std::to_string(entry.row), true},
                     {std::string(to_string(entry.state))},
                     {entry.external_id},
                     {std::to_string(entry.attempts), true},
                     {format_rfc3339(entry.created_at)},
                     {format_rfc3339(entry.due_at)},
                     entry.note.empty() ? Cell{} : Cell{entry.note}});
        after = entry.row;
      }
      if (page.size() < kPage) return {};
    }
  }

 private:
  ListFormat format_ = ListFormat::table;
  core::OutboxChannel channel_ = core::OutboxChannel::upstream;
  std::string state_ = "stopped";
};

// `retry` and `drop`: the same selection, another act.
class UpstreamActCommand final : public DirectoryCommand {
 public:
  explicit UpstreamActCommand(core::OutboxOrder::Act act) : act_(act) {}
  CLI::App* declare(CLI::App& root) override {
    CLI::App* group = command_group(root, "upstream", kGroupHelp);
    CLI::App* command = act_ == core::OutboxOrder::Act::retry
                            ? group->add_subcommand("retry", "Send messages again, at once: one, or all in a state")
                            : group->add_subcommand("drop", "Give messages up: the upstream will not be told of these devices");
    declare_directory(*command);
    auto* message = command->add_option("--message", message_, "This one, by the number that `upstream list` prints")->type_name("N");
    declare_state(*command, state_, "All in this state (default: stopped)")->excludes(message);
    declare_hooks(*command, channel_);
    auto* reason = command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    if (act_ == core::OutboxOrder::Act::drop) reason->required();
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    const bool retry = act_ == core::OutboxOrder::Act::retry;
    core::MessageSelection which{channel_, {}, parse_state(state_)};
    if (message_ > 0) which.message = message_;
    core::OutboxKeeper keeper(workbench.outbox(), workbench.clock(), workbench.factory());
    core::OperatorAct act{reason_, workbench.actor()};
    auto task = retry ? keeper.retry(which, std::move(act)) : keeper.drop(which, std::move(act));
    BIRTHMARK_TRY(const std::uint64_t moved, workbench.wait(std::move(task)));
    console.out << moved << (moved == 1 ? " message " : " messages ") << (retry ? "will be sent again" : "dropped") << '\n';
    return {};
  }

 private:
  const core::OutboxOrder::Act act_;
  core::OutboxChannel channel_ = core::OutboxChannel::upstream;
  core::RowId message_ = 0;
  std::string state_ = "stopped";
  std::string reason_;
};

}  // namespace

void append_upstream_commands(CommandList& commands) {
  commands.push_back(std::make_unique<UpstreamStatusCommand>());
  commands.push_back(std::make_unique<UpstreamListCommand>());
  commands.push_back(std::make_unique<UpstreamActCommand>(core::OutboxOrder::Act::retry));
  commands.push_back(std::make_unique<UpstreamActCommand>(core::OutboxOrder::Act::drop));
  append_upstream_test_server_command(commands);
}

}  // namespace birthmark::cli
