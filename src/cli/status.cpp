// SPDX-License-Identifier: Apache-2.0
// birthmark status: whether this server would issue right now, and its figures.
#include <ostream>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/workbench.h"

namespace birthmark::cli {
namespace {

class StatusCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("status", "Whether the server would issue right now, what it knows, and its figures");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto totals, workbench.registry().totals());
    const auto obstacles = workbench.obstacles();
    std::vector<Figure> figures = workbench.figures();
    figures.insert(figures.begin(), {{"devices", totals.devices}, {"denied", totals.denied}, {"certificates", totals.certificates}});
    format_ == ListFormat::table ? print_text(console.out, workbench, obstacles, figures)
                                 : print_json(console.out, workbench, obstacles, figures);
    return {};
  }

 private:
  static void print_text(std::ostream& out, Workbench& workbench, const std::vector<std::string>& obstacles,
                         const std::vector<Figure>& figures) {
    out << "factory       " << workbench.factory() << '\n' << "ready         " << (obstacles.empty() ? "yes" : "no") << '\n';
    for (const std::string& obstacle : obstacles) out << "              " << obstacle << '\n';
    for (const Figure& figure : figures) {
      std::string name = figure.name;
      name.resize(14, ' ');
      out << name << figure.value << '\n';
    }
  }
  static void print_json(std::ostream& out, Workbench& workbench, const std::vector<std::string>& obstacles,
                         const std::vector<Figure>& figures) {
    out << R"({"factory":)" << json_string(workbench.factory()) << R"(,"ready":)" << (obstacles.empty() ? "true" : "false")
        << R"(,"obstacles":[)";
    for (std::size_t i = 0; i < obstacles.size(); ++i) out << (i > 0 ? "," : "") << json_string(obstacles[i]);
    out << ']';
    for (const Figure& figure : figures) out << ',' << json_string(figure.name) << ':' << figure.value;
    out << "}\n";
  }

  ListFormat format_ = ListFormat::table;
};

}  // namespace

void append_status_commands(CommandList& commands) {
  commands.push_back(std::make_unique<StatusCommand>());
}

}  // namespace birthmark::cli
