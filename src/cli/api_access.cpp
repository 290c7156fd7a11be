// SPDX-License-Identifier: Apache-2.0
// birthmark user, client and approve: who may call the factory API, and which device may register that asks for approval.
#include <ostream>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/workbench.h"
#include "core/access_keeper.h"
#include "core/oauth_desk.h"

namespace birthmark::cli {
namespace {

constexpr const char* kUserHelp = "Users of the factory API: whose devices are whose, and for whom tokens act";
constexpr const char* kClientHelp = "Credentials with which fioctl logs in and gets tokens that expire";

Cell optional_cell(const std::optional<Instant>& at) {
  return at ? Cell{format_rfc3339(*at)} : Cell{};
}

core::AccessKeeper keeper_of(Workbench& workbench) {
  return {workbench.api_access(), workbench.codec(), workbench.clock(), workbench.random()};
}

class UserAddCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "user", kUserHelp)->add_subcommand("add", "Add a user and print his id");
    declare_directory(*command);
    command->add_option("name", name_, "As lists show him")->required()->type_name("NAME");
    command->add_option("--role", role_, "owner, admin or member (default)")->type_name("ROLE");
    command->add_option("--id", id_, "His id, for one who has one elsewhere: local device CAs are called fio-ID")->type_name("ID");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    const auto role = core::parse_user_role(role_);
    if (!role) return fail(ErrorCode::invalid, "--role " + role_ + ": there are owner, admin and member");
    core::UserRecord wanted;
    wanted.factory = workbench.factory();
    wanted.id = id_;
    wanted.name = name_;
    wanted.role = *role;
    core::AccessKeeper keeper = keeper_of(workbench);
    BIRTHMARK_TRY(const auto user, workbench.wait(keeper.add_user(std::move(wanted), {reason_, workbench.actor()})));
    console.out << user.id << '\n';
    return {};
  }

 private:
  std::string name_;
  std::string role_ = "member";
  std::string id_;
  std::string reason_;
};

class UserListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "user", kUserHelp)->add_subcommand("list", "List users, removed ones too");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto users, workbench.api_access().users());
    Listing listing(console.out, format_, {{"id", 24}, {"name", 24}, {"role", 6}, {"created_at", 20}, {"removed_at", 20}});
    for (const core::UserRecord& user : users) {
      if (user.factory != workbench.factory()) continue;
      listing.row(
          {{user.id}, {user.name}, {std::string(to_string(user.role))}, {format_rfc3339(user.created_at)}, optional_cell(user.removed_at)});
    }
    return {};
  }

 private:
  ListFormat format_ = ListFormat::table;
};

class UserRemoveCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "user", kUserHelp)
                            ->add_subcommand("remove", "Remove a user: his tokens, clients and logins are refused from now on");
    declare_directory(*command);
    command->add_option("id", id_, "As `user list` prints it")->required()->type_name("ID");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::AccessKeeper keeper = keeper_of(workbench);
    BIRTHMARK_CHECK(workbench.wait(keeper.remove_user(workbench.factory(), id_, {reason_, workbench.actor()})));
    console.out << "user " << id_ << " is removed\n";
    return {};
  }

 private:
  std::string id_;
  std::string reason_;
};

class ClientCreateCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "client", kClientHelp)
                            ->add_subcommand("create", "Make credentials and print id and secret, one a line; the secret is not kept");
    declare_directory(*command);
    command->add_option("--scope", scopes_, "What its tokens allow, as for `token create`")->required()->type_name("SCOPE[,SCOPE]");
    command->add_option("--user", user_, "The user for whom they act (default: the factory's owner)")->type_name("ID");
    command->add_option("--expires", expires_, "After this span (30d) or at this moment (default: never)")->type_name("WHEN");
    command->add_option("--reason", reason_, "What they are for; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::ClientOrder order;
    order.factory = workbench.factory();
    order.user_id = user_.empty() ? workbench.default_owner() : user_;
    BIRTHMARK_TRY(order.scopes, core::Scopes::parse(scopes_));
    BIRTHMARK_TRY(order.expires_at, parse_moment("--expires", expires_, workbench.clock().now()));
    BIRTHMARK_CHECK(check_user(workbench, order.user_id));
    core::AccessKeeper keeper = keeper_of(workbench);
    BIRTHMARK_TRY(const auto made, workbench.wait(keeper.add_client(std::move(order), {reason_, workbench.actor()})));
    console.out << made.record.id << '\n' << made.secret << '\n';
    console.err << "client " << made.record.id << " with " << made.record.scopes.to_string()
                << " was made; this is the only time its secret is shown\n";
    return {};
  }

 private:
  std::string scopes_;
  std::string user_;
  std::string expires_;
  std::string reason_;
};

class ClientListCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "client", kClientHelp)->add_subcommand("list", "List clients: never their secrets");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto clients, workbench.api_access().clients());
    Listing listing(
        console.out, format_,
        {{"id", 24}, {"user", 24}, {"scopes", 28}, {"created_at", 20}, {"expires_at", 20}, {"revoked_at", 20}, {"last_used_at", 20}});
    for (const core::ClientRecord& client : clients) {
      if (client.factory != workbench.factory()) continue;
      listing.row({{client.id},
                   {client.user_id},
                   {client.scopes.to_string()},
                   {format_rfc3339(client.created_at)},
                   optional_cell(client.expires_at),
                   optional_cell(client.revoked_at),
                   optional_cell(client.last_used_at)});
    }
    return {};
  }

 private:
  ListFormat format_ = ListFormat::table;
};

class ClientRevokeCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "client", kClientHelp)->add_subcommand("revoke", "Refuse a client, and every token that it got, from now on");
    declare_directory(*command);
    command->add_option("id", id_, "As `client list` prints it")->required()->type_name("ID");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::AccessKeeper keeper = keeper_of(workbench);
    BIRTHMARK_TRY(const auto client, workbench.wait(keeper.revoke_client(id_, {reason_, workbench.actor()})));
    console.out << "client " << client.id << " is revoked\n";
    return {};
  }

 private:
  std::string id_;
  std::string reason_;
};

class ApproveCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("approve", "Let a device register that shows this code, or refuse it");
    declare_directory(*command);
    command->add_option("code", code_, "What the device shows: BCDF-GHJK")->required()->type_name("CODE");
    command->add_flag("--refuse", refuse_, "Refuse it: the device is told so");
    command->add_option("--user", user_, "The user for whom it is approved (default: the factory's owner)")->type_name("ID");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    const std::string user = user_.empty() ? workbench.default_owner() : user_;
    BIRTHMARK_CHECK(check_user(workbench, user));
    core::OauthDesk desk(workbench.factory(), workbench.api_access(), workbench.codec(), workbench.clock(), workbench.random(), {});
    const auto decision = refuse_ ? core::AuthorizationState::refused : core::AuthorizationState::approved;
    BIRTHMARK_TRY(const auto decided, workbench.wait(desk.decide(code_, decision, {user, workbench.actor(), {}})));
    console.out << (refuse_ ? "refused: " : "approved: ") << "device " << decided.device << ", which asked from " << decided.address
                << " for factory " << decided.factory << '\n';
    return {};
  }

 private:
  std::string code_;
  bool refuse_ = false;
  std::string user_;
};

}  // namespace

Status check_user(Workbench& workbench, const std::string& id) {
  BIRTHMARK_TRY(const auto users, workbench.api_access().users());
  bool known = id == workbench.default_owner();
  for (const core::UserRecord& user : users) {
    if (user.factory == workbench.factory() && user.id == id) known = !user.removed_at;
  }
  if (known) return {};
  return fail(ErrorCode::not_found, "there is no user '" + id + "'; `birthmark user list` shows who there is");
}

void append_api_access_commands(CommandList& commands) {
  commands.push_back(std::make_unique<UserAddCommand>());
  commands.push_back(std::make_unique<UserListCommand>());
  commands.push_back(std::make_unique<UserRemoveCommand>());
  commands.push_back(std::make_unique<ClientCreateCommand>());
  commands.push_back(std::make_unique<ClientListCommand>());
  commands.push_back(std::make_unique<ClientRevokeCommand>());
  commands.push_back(std::make_unique<ApproveCommand>());
}

}  // namespace birthmark::cli
