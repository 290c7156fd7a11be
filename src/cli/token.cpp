// SPDX-License-Identifier: Apache-2.0
// birthmark token create | list | revoke: who may use this server's interfaces.
#include <ostream>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/workbench.h"
#include "core/token_keeper.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "Tokens with which stations, scripts and operators identify themselves";

std::string status_of(const core::TokenRecord& token, Instant now) {
  if (token.revoked_at) return "revoked";
  return token.expires_at && *token.expires_at <= now ? "expired" : "active";
}

class TokenCreateCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "token", kGroupHelp)
                            ->add_subcommand("create", "Make a token and print it; it is not kept, so it cannot be printed again");
    declare_directory(*command);
    command
        ->add_option("--scope", scopes_,
                     "What it allows, separated by commas: devices:create, devices:read, devices:read-update, devices:delete, ca:manage, "
                     "admin (all)")
        ->required()
        ->type_name("SCOPE[,SCOPE]");
    command->add_option("--expires", expires_, "After this span (30d) or at this moment (default: never)")->type_name("WHEN");
    command->add_option("--station", station_, "The station that registers with it; recorded with every device")->type_name("NAME");
    command->add_option("--user", user_, "The user for whom it acts at the factory API (default: the factory's owner)")->type_name("ID");
    command->add_option("--reason", reason_, "What it is for; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const core::Scopes scopes, core::Scopes::parse(scopes_));
    if (!user_.empty()) BIRTHMARK_CHECK(check_user(workbench, user_));
    BIRTHMARK_TRY(const auto expires_at, parse_moment("--expires", expires_, workbench.clock().now()));
    core::TokenKeeper keeper(workbench.tokens(), workbench.codec(), workbench.clock(), workbench.random());
    auto task = keeper.create({workbench.factory(), scopes, station_, expires_at}, {reason_, workbench.actor()});
    BIRTHMARK_TRY(const core::NewToken made, workbench.wait(std::move(task)));
    if (!user_.empty()) BIRTHMARK_CHECK(workbench.wait(workbench.api_access().set_token_user(made.record.id(), user_)));
    console.out << made.text << '\n';
    console.err << "token " << made.record.id() << " with " << made.record.scopes.to_string()
                << " was made; this is the only time it is shown\n";
    return {};
  }

 private:
  std::string scopes_;
  std::string expires_;
  std::string station_;
  std::string user_;
  std::string reason_;
};

class TokenListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "token", kGroupHelp)->add_subcommand("list", "List tokens: never the tokens themselves");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto tokens, workbench.tokens().tokens());
    const Instant now = workbench.clock().now();
    Listing listing(console.out, format_,
                    {{"id", 10},
                     {"status", 7},
                     {"scopes", 28},
                     {"station", 16},
                     {"created_at", 20},
                     {"expires_at", 20},
                     {"revoked_at", 20},
                     {"user", 24},
                     {"last_used_at", 20}});
    for (const core::TokenRecord& token : tokens) {
      BIRTHMARK_TRY(const auto note, workbench.api_access().token_note(token.id()));
      listing.row({{token.id()},
                   {status_of(token, now)},
                   {token.scopes.to_string()},
                   token.station.empty() ? Cell{} : Cell{token.station},
                   {format_rfc3339(token.created_at)},
                   token.expires_at ? Cell{format_rfc3339(*token.expires_at)} : Cell{},
                   token.revoked_at ? Cell{format_rfc3339(*token.revoked_at)} : Cell{},
                   {note.user_id.empty() ? workbench.default_owner() : note.user_id},
                   note.last_used_at ? Cell{format_rfc3339(*note.last_used_at)} : Cell{}});
    }
    return {};
  }

 private:
  ListFormat format_ = ListFormat::table;
};

class TokenRevokeCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "token", kGroupHelp)->add_subcommand("revoke", "Refuse a token from now on; running servers know at once");
    declare_directory(*command);
    command->add_option("id", id_, "The token's id, as `token list` prints it")->required()->type_name("ID");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::TokenKeeper keeper(workbench.tokens(), workbench.codec(), workbench.clock(), workbench.random());
    BIRTHMARK_TRY(const auto token, workbench.wait(keeper.revoke(id_, {reason_, workbench.actor()})));
    console.out << "token " << token.id() << " is revoked\n";
    return {};
  }

 private:
  std::string id_;
  std::string reason_;
};

}  // namespace

void append_token_commands(CommandList& commands) {
  commands.push_back(std::make_unique<TokenCreateCommand>());
  commands.push_back(std::make_unique<TokenListCommand>());
  commands.push_back(std::make_unique<TokenRevokeCommand>());
}

}  // namespace birthmark::cli
