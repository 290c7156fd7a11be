// SPDX-License-Identifier: Apache-2.0
// birthmark order create | import | list | show | close: which devices are to be made, and how many of them are.
#include <map>
#include <ostream>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/order_list_file.h"
#include "core/order_policy.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "Production orders: which devices may be registered, and how many";

class OrderCreateCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "order", kGroupHelp)
            ->add_subcommand("create", "Make an order; with registration.orders = \"required\" only devices of open orders register");
    declare_directory(*command);
    command->add_option("name", order_.name, "Its name")->required()->type_name("NAME");
    list_.declare(*command);
    command->add_option("--pattern", order_.pattern, "Device ids that match this glob (* and ?)")->type_name("GLOB");
    command->add_option("--count", order_.places, "At most so many devices")->type_name("N")->check(CLI::PositiveNumber);
    command->add_option("--hardware-id", order_.hardware_ids, "Only devices that say this hardware id; may be repeated")->type_name("ID");
    command->add_option("--from", from_, "Not before (a day or a moment, UTC)")->type_name("WHEN");
    command->add_option("--until", until_, "Not from then on")->type_name("WHEN");
    command->add_option("--production", production_, "Whether they are production devices, where registration.production = \"order\"")
        ->check(CLI::IsMember({"yes", "no"}));
    command->add_option("--group", order_.group, "The group they belong to")->type_name("GROUP");
    command->add_flag("--test", order_.test, "Throw-away identities for a test team");
    command->add_option("--valid-for", valid_for_, "With --test: how long their certificates are valid")->type_name("SPAN");
    command->add_option("--reason", reason_, "What it is for; kept in the audit")->type_name("TEXT");
    return command;
  }
  std::vector<std::filesystem::path> input_streams() const override { return list_.streams(); }

  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    BIRTHMARK_TRY(core::OrderRecord order, read_options(workbench));
    core::OrderKeeper keeper(workbench.orders(), workbench.clock());
    const core::OperatorAct act{reason_, workbench.actor()};
    if (list_.given()) {
      BIRTHMARK_TRY(const auto staged, workbench.wait(keeper.stage(std::move(order))));
      return list_.import(console, workbench, staged, inputs.front(), act);
    }
    if (list_.dry_run) return fail(ErrorCode::invalid, "--dry-run is for --ids and --csv");
    BIRTHMARK_TRY(const auto made, workbench.wait(keeper.create(std::move(order), act)));
    console.out << "order " << made.name << " is open\n";
    return {};
  }

 private:
  [[nodiscard]] Result<core::OrderRecord> read_options(Workbench& workbench) const {
    if (!list_.given() && order_.pattern.empty() && !order_.places)
      return fail(ErrorCode::invalid, "an order needs --ids, --csv, --pattern or --count");
    if (list_.given() && !order_.pattern.empty()) return fail(ErrorCode::invalid, "--pattern does not go with a list");
    core::OrderRecord order = order_;
    order.factory = workbench.factory();
    const Instant now = workbench.clock().now();
    BIRTHMARK_TRY(order.from, parse_moment("--from", from_, now));
    BIRTHMARK_TRY(order.until, parse_moment("--until", until_, now));
    if (!production_.empty()) order.production = production_ == "yes";
    if (!valid_for_.empty()) {
      BIRTHMARK_TRY(const Duration span, parse_duration(valid_for_));
      order.valid_for = span;
    }
    return order;
  }

  core::OrderRecord order_;
  OrderListFile list_;
  std::string from_, until_, production_, valid_for_, reason_;
};

class OrderImportCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "order", kGroupHelp)->add_subcommand("import", "Add a list to an order that has one: all of it or nothing");
    declare_directory(*command);
    command->add_option("name", name_, "The order")->required()->type_name("NAME");
    list_.declare(*command);
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  std::vector<std::filesystem::path> input_streams() const override { return list_.streams(); }

  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    if (!list_.given()) return fail(ErrorCode::invalid, "say which list: --ids FILE or --csv FILE");
    core::OrderKeeper keeper(workbench.orders(), workbench.clock());
    BIRTHMARK_TRY(const auto staged, workbench.wait(keeper.stage_more(workbench.factory(), name_)));
    return list_.import(console, workbench, staged, inputs.front(), {reason_, workbench.actor()});
  }

 private:
  std::string name_;
  OrderListFile list_;
  std::string reason_;
};

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined.append(joined.empty() ? "" : " ").append(text);
  return joined;
}

Cell moment_cell(const std::optional<Instant>& at) {
  return at ? Cell{format_rfc3339(*at)} : Cell{};
}

std::vector<Column> order_columns() {
  return {{"name", 16},       {"state", 9},  {"used", 8}, {"places", 8}, {"listed", 8}, {"pattern", 12},   {"hardware_ids", 16},
          {"production", 10}, {"group", 12}, {"test", 5}, {"from", 20},  {"until", 20}, {"created_at", 20}};
}

std::vector<Cell> order_cells(const core::OrderRecord& order) {
  return {{order.name},
          {std::string(core::to_string(order.state))},
          {std::to_string(order.used), true},
          order.places ? Cell{std::to_string(*order.places), true} : Cell{},
          order.lists_devices ? Cell{std::to_string(order.listed), true} : Cell{},
          order.pattern.empty() ? Cell{} : Cell{order.pattern},
          order.hardware_ids.empty() ? Cell{} : Cell{join(order.hardware_ids)},
          order.production ? Cell{*order.production ? "true" : "false", true} : Cell{},
          order.group.empty() ? Cell{} : Cell{order.group},
          {order.test ? "true" : "false", true},
          moment_cell(order.from),
          moment_cell(order.until),
          {format_rfc3339(order.created_at)}};
}

class OrderListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "order", kGroupHelp)->add_subcommand("list", "List orders with how many of their places are taken");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto orders, workbench.orders().orders());
    Listing listing(console.out, format_, order_columns());
    for (const core::OrderRecord& order : orders) listing.row(order_cells(order));
    return {};
  }

 private:
  ListFormat format_ = ListFormat::table;
};

class OrderShowCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "order", kGroupHelp)->add_subcommand("show", "One order, and whether it takes devices now");
    declare_directory(*command);
    command->add_option("name", name_, "The order")->required()->type_name("NAME");
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::OrderKeeper keeper(workbench.orders(), workbench.clock());
    BIRTHMARK_TRY(const auto order, keeper.find(workbench.factory(), name_));
    if (format_ != ListFormat::table) {
      Listing(console.out, format_, order_columns()).row(order_cells(order));
      return {};
    }
    const auto columns = order_columns();
    const auto cells = order_cells(order);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::string title(columns[i].name);
      title.resize(14, ' ');
      console.out << title << cells[i].text.value_or("-") << '\n';
    }
    const auto obstacle = core::why_not_open(order, workbench.clock().now());
    console.out << "takes devices " << (obstacle ? "no: " + *obstacle : "yes") << '\n';
    return {};
  }

 private:
  std::string name_;
  ListFormat format_ = ListFormat::table;
};

class OrderCloseCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "order", kGroupHelp)->add_subcommand("close", "No new device registers on it from now on");
    declare_directory(*command);
    command->add_option("name", name_, "The order")->required()->type_name("NAME");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::OrderKeeper keeper(workbench.orders(), workbench.clock());
    BIRTHMARK_TRY(const auto order, workbench.wait(keeper.close(workbench.factory(), name_, {reason_, workbench.actor()})));
    console.out << "order " << order.name << " is closed with " << order.used << " devices\n";
    return {};
  }

 private:
  std::string name_;
  std::string reason_;
};

class ReleaseUnseenCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "device", "The devices that this factory knows")
            ->add_subcommand("release-unseen", "Free identities, and their places in orders, whose answer no station ever acknowledged");
    declare_directory(*command);
    command->add_option("--older-than", older_than_, "Registered at least so long ago")->type_name("SPAN")->capture_default_str();
    command->add_option("--station", station_, "Only those that this station registered")->type_name("NAME");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const Duration age, parse_duration(older_than_));
    core::OrderKeeper keeper(workbench.orders(), workbench.clock());
    auto task = keeper.release_unseen(workbench.clock().now() - age, station_, {reason_, workbench.actor()});
    BIRTHMARK_TRY(const std::uint64_t released, workbench.wait(std::move(task)));
    console.out << released << " devices were released\n";
    return {};
  }

 private:
  std::string older_than_ = "1h";
  std::string station_;
  std::string reason_;
};

}  // namespace

void append_order_commands(CommandList& commands) {
  commands.push_back(std::make_unique<OrderCreateCommand>());
  commands.push_back(std::make_unique<OrderImportCommand>());
  commands.push_back(std::make_unique<OrderListCommand>());
  commands.push_back(std::make_unique<OrderShowCommand>());
  commands.push_back(std::make_unique<OrderCloseCommand>());
  commands.push_back(std::make_unique<ReleaseUnseenCommand>());
}

}  // namespace birthmark::cli
