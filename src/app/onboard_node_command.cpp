// SPDX-License-Identifier: Apache-2.0
// birthmark onboard config-set | config-get | pcrs | reports: what nodes are given, what a quote must agree with, what they reported.
#include <algorithm>
#include <chrono>
#include <ostream>
#include <sstream>
#include <thread>

#include "app/onboard_commands.h"
#include "app/run_in_directory.h"
#include "app/site.h"
#include "base/text.h"
#include "faces/eve/eve_config.h"
#include "faces/eve/eve_face.h"
#include "faces/eve/node_admin.h"
#include "faces/eve/quote.h"

namespace birthmark::app {
namespace {

namespace eve = faces::eve;

constexpr std::size_t kMostReports = 100'000, kFollowPage = 200;
constexpr auto kFollowInterval = std::chrono::milliseconds(500);

Result<core::NodeRecord> find_node(Site& site, const std::string& uuid) {
  BIRTHMARK_TRY(const auto identity, core::identify(site.factory(), core::Ecosystem::eve, uuid, core::DeviceIdRule::uuid));
  BIRTHMARK_TRY(auto node, site.nodes().by_uuid(identity));
  if (!node) return fail(ErrorCode::not_found, "there is no node " + uuid + "; see birthmark onboard nodes");
  return std::move(*node);
}

class ConfigSetCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "config-set", "Give a node, or all that have none of their own, an EdgeDevConfig; id, version and time are filled in");
    declare_directory(*command);
    command->add_option("UUID", uuid_, "The node, or `all`")->required();
    command->add_option("FILE", file_, "The configuration: JSON, or with --protobuf serialized")->required()->type_name("FILE");
    command->add_flag("--protobuf", protobuf_,
                      "FILE is a serialized EdgeDevConfig, which may have fields that this controller does not know");
    return command;
  }
  std::vector<std::filesystem::path> input_files() const override { return {file_}; }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>& inputs) override {
    Site& site = dynamic_cast<Site&>(workbench);
    const std::string& text = inputs.at(0).contents;
    BIRTHMARK_TRY(std::string config, protobuf_ ? eve::config_from_protobuf(text) : eve::config_from_json(text));
    core::NodeRecord node;
    if (uuid_ != "all") {
      BIRTHMARK_TRY(node, find_node(site, uuid_));
      BIRTHMARK_TRY(const auto before, site.field().newest(core::node_field(node.identity, eve::kConfigLog), 1));
      BIRTHMARK_TRY(config, eve::next_config(config, before.empty() ? std::string() : before.front().body, node.identity.external_id));
    }
    auto append = eve::config_append(site.factory(), uuid_ == "all" ? nullptr : &node, std::move(config), site.clock().now(), site.actor());
    BIRTHMARK_CHECK(site.wait(site.field().append(std::move(append))));
    console.out << "configuration of " << (uuid_ == "all" ? "all nodes without one of their own" : uuid_) << " is set\n";
    return {};
  }

 private:
  std::string uuid_;
  std::filesystem::path file_;
  bool protobuf_ = false;
};

class ConfigGetCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand("config-get", "Print what a node is given, as JSON");
    declare_directory(*command);
    command->add_option("UUID", uuid_, "The node")->required();
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = dynamic_cast<Site&>(workbench);
    BIRTHMARK_TRY(const auto node, find_node(site, uuid_));
    const auto controller = site.eve().current();
    if (!controller) return fail(ErrorCode::misconfigured, "there is no EVE controller yet: birthmark onboard controller-pki");
    BIRTHMARK_TRY(const auto set, eve::config_in_force(site.field(), node));
    BIRTHMARK_TRY(const auto config, eve::complete_config(set, node.identity.external_id, *controller));
    BIRTHMARK_TRY(const auto json, eve::config_to_json(config));
    console.out << json << '\n';
    return {};
  }

 private:
  std::string uuid_;
};

class PcrsCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "pcrs", "Set the register values that quotes of a node, or of all, must agree with; an empty file takes them away");
    declare_directory(*command);
    command->add_option("UUID", uuid_, "The node, or `all`")->required();
    command->add_option("FILE", file_, "Lines INDEX HEX, of the SHA-256 bank")->required()->type_name("FILE");
    return command;
  }
  std::vector<std::filesystem::path> input_files() const override { return {file_}; }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>& inputs) override {
    Site& site = dynamic_cast<Site&>(workbench);
    const std::string& text = inputs.at(0).contents;
    if (!text.empty()) BIRTHMARK_CHECK(eve::read_pcr_template(text));
    core::FieldAppend append;
    append.key = {site.factory(), "eve-nodes", eve::kTemplateLog};
    if (uuid_ != "all") {
      BIRTHMARK_TRY(const auto node, find_node(site, uuid_));
      append.key = core::node_field(node.identity, eve::kTemplateLog);
    }
    append.at = site.clock().now();
    append.keep = 10;
    append.bodies = {text};
    append.audit_body = core::audit_body(core::AuditEvent::config_changed, append.at,
                                         {{"factory", site.factory()}, {"what", "eve-pcrs"}, {"device", uuid_}, {"actor", site.actor()}});
    BIRTHMARK_CHECK(site.wait(site.field().append(std::move(append))));
    console.out << "the register values of " << uuid_ << " are set\n";
    return {};
  }

 private:
  std::string uuid_;
  std::filesystem::path file_;
};

// The field log of each kind of report.
const char* log_of(const std::string& kind) {
  if (kind == "info") return eve::kInfoLog;
  if (kind == "metrics") return eve::kMetricsLog;
  if (kind == "logs") return eve::kNewLogsLog;
  if (kind == "attestation") return eve::kAttestedLog;
  return eve::kAppLogsLog;
}

// One answer of `reports`: its first line says where to go on.
class ReportPageCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        onboard_group(root)->add_subcommand("report-page", "For `reports`: what came after a row, and the row to go on from");
    declare_directory(*command);
    command->add_option("UUID", uuid_, "The node")->required();
    command->add_option("KIND", kind_, "As for reports")->required();
    command->add_option("--after", after_, "The row");
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = dynamic_cast<Site&>(workbench);
    BIRTHMARK_TRY(const auto node, find_node(site, uuid_));
    BIRTHMARK_TRY(auto entries,
                  site.field().newest(core::node_field(node.identity, log_of(kind_)), after_ == 0 ? kMostReports : kFollowPage));
    std::reverse(entries.begin(), entries.end());
    console.out << (entries.empty() ? after_ : entries.back().row) << '\n';
    for (const core::FieldEntry& entry : entries)
      if (entry.row > after_) print(console.out, entry);
    return {};
  }

 private:
  void print(std::ostream& out, const core::FieldEntry& entry) const {
    if (kind_ == "logs") {
      if (const auto lines = eve::log_lines(entry.body)) out << *lines;
      return;
    }
    const std::string body = kind_ == "attestation" ? json_string(entry.body) : json_string(to_base64(as_bytes(entry.body)));
    out << "{\"at\":" << json_string(format_rfc3339_ms(entry.at)) << ",\"body\":" << body << "}\n";
  }

  std::string uuid_, kind_;
  core::RowId after_ = 0;
};

// Asks again and again from outside: a server that is to stop waits for nobody who follows.
class ReportsCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "reports", "Print what a node reported, oldest first: log lines as JSON, messages in base64 with their time");
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_option("UUID", uuid_, "The node")->required();
    command->add_option("KIND", kind_, "logs, info, metrics, applogs or attestation")
        ->required()
        ->check(CLI::IsMember({"logs", "info", "metrics", "applogs", "attestation"}));
    command->add_flag("-f,--follow", follow_, "Go on with what comes");
    return command;
  }
  Status run(cli::Console& console) override {
    std::string after = "0";
    for (;;) {
      std::ostringstream page;
      cli::Console captured{page, console.err, false};
      const std::vector<std::string> words{"onboard", "report-page", "--dir", directory_.string(), uuid_, kind_, "--after", after};
      BIRTHMARK_CHECK(run_in_directory(directory_, words, {}, captured));
      const std::string text = page.str();
      const std::size_t line = std::min(text.find('\n'), text.size());
      after = text.substr(0, line);
      console.out << std::string_view(text).substr(std::min(line + 1, text.size())) << std::flush;
      if (!follow_ || !console.out) return {};
      std::this_thread::sleep_for(kFollowInterval);
    }
  }

 private:
  std::filesystem::path directory_;
  std::string uuid_, kind_;
  bool follow_ = false;
};

}  // namespace

void append_onboard_node_commands(cli::CommandList& commands) {
  commands.push_back(std::make_unique<ConfigSetCommand>());
  commands.push_back(std::make_unique<ConfigGetCommand>());
  commands.push_back(std::make_unique<PcrsCommand>());
  commands.push_back(std::make_unique<ReportPageCommand>());
  commands.push_back(std::make_unique<ReportsCommand>());
}

}  // namespace birthmark::app
