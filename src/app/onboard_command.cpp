// SPDX-License-Identifier: Apache-2.0
// birthmark onboard add | list | show | revoke | pending | accept | dismiss | nodes: which EVE nodes may come in.
#include <algorithm>
#include <ostream>

#include "app/onboard_commands.h"
#include "app/site.h"
#include "base/pem.h"
#include "base/text.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "core/onboarding_keeper.h"

namespace birthmark::app {
namespace {

using core::OnboardingCertificate;

constexpr std::size_t kPage = 200;
constexpr std::size_t kMostKnocks = 1000;

Site& site_of(cli::Workbench& workbench) {
  return dynamic_cast<Site&>(workbench);
}

core::OnboardingKeeper keeper_of(Site& site) {
  return {site.nodes(), site.codec(), site.clock()};
}

std::string status_of(const OnboardingCertificate& certificate, Instant now) {
  if (certificate.revoked_at) return "revoked";
  if (certificate.expires_at && *certificate.expires_at <= now) return "expired";
  return certificate.places && certificate.used >= *certificate.places ? "full" : "active";
}

std::string admits(const OnboardingCertificate& certificate) {
  std::string text = certificate.any_serial ? "*" : "";
  for (const std::string& glob : certificate.globs) text += (text.empty() ? "" : " ") + glob;
  if (certificate.listed > 0) text += (text.empty() ? "" : " ") + std::string("list:") + std::to_string(certificate.listed);
  return text;
}

cli::Cell number_cell(std::uint64_t number) {
  return {std::to_string(number), true};
}

cli::Cell instant_cell(const std::optional<Instant>& at) {
  return at ? cli::Cell{format_rfc3339(*at)} : cli::Cell{};
}

// One serial a line; of a CSV its first column. Empty lines and comments are passed over.
std::vector<std::string> read_serial_lines(std::string_view text) {
  std::vector<std::string> serials;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = line.substr(0, line.find(','));
    if (line.size() >= 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
    if (line.empty() || line.front() == '#' || (serials.empty() && line == "serial")) continue;
    serials.emplace_back(line);
  }
  return serials;
}

class AddCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "add", "Let nodes in by an onboarding certificate, or change whom a known one lets in; the certificate counts by its exact bytes");
    declare_directory(*command);
    command->add_option("CERT", certificate_, "Its PEM file")->required()->type_name("FILE");
    command->add_option("--name", name_, "What operators call it (default: its common name)")->type_name("NAME");
    command->add_option("--serial", serials_, "A serial it lets in, hardware or soft; may be repeated, separated by commas; * is any")
        ->delimiter(',')
        ->type_name("SERIAL");
    command->add_option("--serials", serials_file_, "A manifest of serials: one a line, or the first column of a CSV")->type_name("FILE");
    command->add_flag("--replace", replace_, "The serials given replace the list instead of extending it");
    command->add_option("--pattern", globs_, "Let serials like this in, * for any run of characters; replaces earlier patterns")
        ->type_name("GLOB");
    command->add_flag("--any,!--no-any", any_, "Let every serial in, but those that many machines share");
    command->add_option("--places", places_, "At most so many nodes")->type_name("N");
    command->add_option("--expires", expires_, "No new nodes after this span (30d) or moment")->type_name("WHEN");
    command->add_option("--reason", reason_, "Kept in the audit")->type_name("TEXT");
    any_flag_ = command->get_option("--any");
    return command;
  }
  std::vector<std::filesystem::path> input_files() const override {
    std::vector<std::filesystem::path> files{certificate_};
    if (!serials_file_.empty()) files.push_back(serials_file_);
    return files;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>& inputs) override {
    Site& site = site_of(workbench);
    auto block = decode_first_pem(inputs.at(0).contents);
    if (!block || block->label != "CERTIFICATE") return fail(ErrorCode::invalid, inputs.at(0).path + " holds no PEM certificate");
    core::OnboardingOrder order;
    order.factory = site.factory();
    order.der = std::move(block->contents);
    order.name = name_;
    order.serials = serials_;
    if (inputs.size() > 1)
      for (std::string& serial : read_serial_lines(inputs[1].contents)) order.serials.push_back(std::move(serial));
    if (any_flag_->count() > 0) order.any_serial = any_;
    if (!globs_.empty()) order.globs = globs_;
    order.places = places_;
    BIRTHMARK_TRY(order.expires_at, cli::parse_moment("--expires", expires_, site.clock().now()));
    order.list = replace_ ? core::SerialList::replace : core::SerialList::extend;
    auto keeper = keeper_of(site);
    BIRTHMARK_TRY(const auto added, site.wait(keeper.put(std::move(order), {reason_, site.actor()})));
    console.out << "onboarding certificate " << added.name << " lets in: " << (admits(added).empty() ? "nobody" : admits(added)) << '\n';
    if (admits(added).empty()) console.err << "name serials with --serial, --serials, --pattern or --any\n";
    return {};
  }

 private:
  std::filesystem::path certificate_, serials_file_;
  std::string name_, expires_, reason_;
  std::vector<std::string> serials_, globs_;
  std::optional<std::uint64_t> places_;
  bool replace_ = false, any_ = false;
  CLI::Option* any_flag_ = nullptr;
};

class ListCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand("list", "List the onboarding certificates");
    declare_directory(*command);
    cli::declare_format(*command, format_);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    BIRTHMARK_TRY(const auto certificates, site.nodes().certificates(site.factory()));
    cli::Listing listing(
        console.out, format_,
        {{"name", 24}, {"status", 7}, {"admits", 20}, {"used", 6}, {"places", 6}, {"expires_at", 20}, {"fingerprint", 64}});
    for (const OnboardingCertificate& one : certificates) {
      listing.row({{one.name},
                   {status_of(one, site.clock().now())},
                   {admits(one)},
                   number_cell(one.used),
                   one.places ? number_cell(*one.places) : cli::Cell{},
                   instant_cell(one.expires_at),
                   {to_hex(one.fingerprint.view())}});
    }
    return {};
  }

 private:
  cli::ListFormat format_ = cli::ListFormat::table;
};

class ShowCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand("show", "Print an onboarding certificate and the serials on its list");
    declare_directory(*command);
    command->add_option("NAME", name_, "Its name, or the first 8 digits of its fingerprint and more")->required();
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    BIRTHMARK_TRY(const auto known, keeper_of(site).named(site.factory(), name_));
    console.out << "name: " << known.name << "\nstatus: " << status_of(known, site.clock().now()) << "\nadmits: " << admits(known)
                << "\nused: " << known.used << "\nfingerprint: " << to_hex(known.fingerprint.view()) << '\n'
                << encode_pem("CERTIFICATE", known.der);
    std::string after;
    for (;;) {
      BIRTHMARK_TRY(const auto page, site.nodes().serials(known.row, after, kPage));
      for (const std::string& serial : page) console.out << "serial: " << serial << '\n';
      if (page.size() < kPage) return {};
      after = page.back();
    }
  }

 private:
  std::string name_;
};

class RevokeCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand(
        "revoke", "Let no new nodes in by this certificate; those it brought stay, and come back as they are");
    declare_directory(*command);
    command->add_option("NAME", name_, "Its name, or the first 8 digits of its fingerprint and more")->required();
    command->add_option("--reason", reason_, "Kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    auto keeper = keeper_of(site);
    BIRTHMARK_TRY(const auto revoked, site.wait(keeper.revoke(site.factory(), name_, {reason_, site.actor()})));
    console.out << "onboarding certificate " << revoked.name << " is revoked\n";
    return {};
  }

 private:
  std::string name_, reason_;
};

class PendingCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand("pending", "List nodes that knocked and were not let in, newest first");
    declare_directory(*command);
    cli::declare_format(*command, format_);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    BIRTHMARK_TRY(const auto knocks, site.nodes().knocks(site.factory(), kMostKnocks));
    cli::Listing listing(console.out, format_,
                         {{"number", 6},
                          {"serial", 24},
                          {"soft_serial", 36},
                          {"last_at", 20},
                          {"count", 5},
                          {"peer", 15},
                          {"reason", 40},
                          {"onboarding", 16},
                          {"certificate", 16}});
    for (const core::Knock& knock : knocks) {
      listing.row({number_cell(static_cast<std::uint64_t>(knock.row)),
                   {knock.serial},
                   {knock.soft_serial},
                   {format_rfc3339(knock.last_at)},
                   number_cell(knock.count),
                   {knock.peer_address},
                   {knock.reason},
                   {to_hex(knock.onboarding.view()).substr(0, 16)},
                   {to_hex(knock.certificate.view()).substr(0, 16)}});
    }
    return {};
  }

 private:
  cli::ListFormat format_ = cli::ListFormat::table;
};

// accept and dismiss: a knock by its number.
class KnockCommand final : public cli::DirectoryCommand {
 public:
  enum class Answer : std::uint8_t { accept, dismiss };
  explicit KnockCommand(Answer answer) : answer_(answer) {}

  CLI::App* declare(CLI::App& root) override {
    CLI::App* group = onboard_group(root);
    CLI::App* command = answer_ == Answer::accept
                            ? group->add_subcommand("accept", "Let a node in that knocked: it registers the next time it tries")
                            : group->add_subcommand("dismiss", "Take a node off the list of those that knocked");
    declare_directory(*command);
    command->add_option("NUMBER", number_, "As `onboard pending` prints it")->required();
    command->add_option("--reason", reason_, "Kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    BIRTHMARK_TRY(auto knocks, site.nodes().knocks(site.factory(), kMostKnocks));
    const auto found = std::find_if(knocks.begin(), knocks.end(), [&](const core::Knock& knock) { return knock.row == number_; });
    if (found == knocks.end()) return fail(ErrorCode::not_found, "nobody with that number knocked; see birthmark onboard pending");
    if (answer_ == Answer::dismiss) {
      BIRTHMARK_CHECK(site.wait(site.nodes().forget_knock(number_)));
      console.out << "dismissed " << found->serial << '\n';
      return {};
    }
    auto keeper = keeper_of(site);
    const std::string serial = found->serial;
    BIRTHMARK_TRY(const auto door, site.wait(keeper.accept(std::move(*found), site.config().eve.rules, {reason_, site.actor()})));
    console.out << "node " << serial << " may register with onboarding certificate " << door.name << '\n';
    return {};
  }

 private:
  const Answer answer_;
  core::RowId number_ = 0;
  std::string reason_;
};

class NodesCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = onboard_group(root)->add_subcommand("nodes", "List the nodes that registered");
    declare_directory(*command);
    cli::declare_format(*command, format_);
    return command;
  }
  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>&) override {
    Site& site = site_of(workbench);
    BIRTHMARK_TRY(const auto doors, site.nodes().certificates(site.factory()));
    cli::Listing listing(
        console.out, format_,
        {{"id", 36}, {"status", 8}, {"serial", 24}, {"soft_serial", 36}, {"onboarding", 16}, {"registered_at", 20}, {"certificate", 64}});
    core::RowId after = 0;
    for (;;) {
      BIRTHMARK_TRY(const auto page, site.nodes().list_nodes(site.factory(), after, kPage));
      for (const core::NodeRecord& node : page) {
        const auto door = std::find_if(doors.begin(), doors.end(), [&](const auto& one) { return one.row == node.onboarding; });
        listing.row({{node.identity.external_id},
                     {node.deleted ? std::string("deleted") : std::string(to_string(node.status))},
                     {node.serial},
                     {node.soft_serial},
                     {door == doors.end() ? std::string() : door->name},
                     {format_rfc3339(node.registered_at)},
                     {to_hex(node.certificate.view())}});
      }
      if (page.size() < kPage) return {};
      after = page.back().row;
    }
  }

 private:
  cli::ListFormat format_ = cli::ListFormat::table;
};

}  // namespace

CLI::App* onboard_group(CLI::App& root) {
  return cli::command_group(root, "onboard", "LF Edge EVE: the controller's certificates, and which nodes may come in");
}

void append_onboard_commands(cli::CommandList& commands) {
  commands.push_back(std::make_unique<AddCommand>());
  commands.push_back(std::make_unique<ListCommand>());
  commands.push_back(std::make_unique<ShowCommand>());
  commands.push_back(std::make_unique<RevokeCommand>());
  commands.push_back(std::make_unique<PendingCommand>());
  commands.push_back(std::make_unique<KnockCommand>(KnockCommand::Answer::accept));
  commands.push_back(std::make_unique<KnockCommand>(KnockCommand::Answer::dismiss));
  commands.push_back(std::make_unique<NodesCommand>());
}

}  // namespace birthmark::app
