// SPDX-License-Identifier: Apache-2.0
// birthmark device list | export: every device, or those that a filter leaves, as a stream of short pages.
#include <map>
#include <ostream>

#include "cli/commands.h"
#include "cli/device_row.h"
#include "cli/workbench.h"

namespace birthmark::cli {
namespace {

constexpr std::size_t kPageRows = 1000;

// Streams pages until the filter has no more rows, `limit` rows are out, or nobody reads any more.
Status stream_devices(Console& console, Workbench& workbench, const core::DeviceFilter& filter, ListFormat format, std::uint64_t limit) {
  Listing listing(console.out, format, device_columns());
  core::RowId after = 0;
  for (std::uint64_t left = limit; left > 0 && console.out;) {
    BIRTHMARK_TRY(const auto page, workbench.registry().list(filter, after, std::min<std::uint64_t>(left, kPageRows)));
    if (page.empty()) break;
    for (const core::DeviceSummary& device : page) listing.row(device_cells(device));
    after = page.back().row;
    left -= page.size();
  }
  console.out.flush();
  return {};
}

void declare_filter(CLI::App& command, core::DeviceFilter& filter) {
  static const std::map<std::string, core::DeviceStatus> kStatuses{
      {"active", core::DeviceStatus::active}, {"denied", core::DeviceStatus::denied}, {"released", core::DeviceStatus::released}};
  command.add_option("--status", filter.status, "Only devices that are active, denied or released")
      ->transform(CLI::CheckedTransformer(kStatuses).description(""))
      ->type_name("STATUS");
  command.add_option("--id-prefix", filter.id_prefix, "Only devices whose id begins with this")->type_name("TEXT");
}

class DeviceListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", "The devices that this factory knows")
                            ->add_subcommand("list", "List devices in the order they were registered");
    declare_directory(*command);
    declare_filter(*command, filter_);
    declare_format(*command, format_);
    command->add_option("--limit", limit_, "At most this many rows")->type_name("N");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    return stream_devices(console, workbench, filter_, format_, limit_);
  }

 private:
  core::DeviceFilter filter_;
  ListFormat format_ = ListFormat::table;
  std::uint64_t limit_ = UINT64_MAX;
};

class DeviceExportCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", "The devices that this factory knows")
                            ->add_subcommand("export", "Write every device to stdout for other programs (CSV unless told otherwise)");
    declare_directory(*command);
    declare_filter(*command, filter_);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    return stream_devices(console, workbench, filter_, format_, UINT64_MAX);
  }

 private:
  core::DeviceFilter filter_;
  ListFormat format_ = ListFormat::csv;
};

}  // namespace

void append_device_list_commands(CommandList& commands) {
  commands.push_back(std::make_unique<DeviceListCommand>());
  commands.push_back(std::make_unique<DeviceExportCommand>());
}

}  // namespace birthmark::cli
