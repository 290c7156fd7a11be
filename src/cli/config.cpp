// SPDX-License-Identifier: Apache-2.0
// birthmark config set, get, delete, history: configuration files for devices, at the levels factory, group and device; and device rotate,
// which sends the file that makes devices renew their certificates.
#include <ostream>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/named_device.h"
#include "core/device_config.h"
#include "core/key_announcement.h"
#include "crypto/ecies.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "Configuration files that the gateway delivers to devices";
constexpr const char* kTomlFile = "z-50-fioctl.toml";
constexpr const char* kRotationFile = "fio-rotate-certs";
constexpr const char* kRotationHandler = "/usr/share/fioconfig/handlers/renew-client-cert";

core::DeviceRecord* known_device(std::optional<core::DeviceRecord>& device) {
  return device && device->status == core::DeviceStatus::active ? &*device : nullptr;
}

// Whose configuration: one device's, a group's, or everybody's.
struct Level {
  std::string device, group;
  bool factory = false;

  void declare(CLI::App& command) {
    CLI::Option* of_device = command.add_option("--device", device, "Of one device")->type_name("ID");
    CLI::Option* of_group = command.add_option("--group", group, "Of the devices of a group")->type_name("GROUP")->excludes(of_device);
    command.add_flag("--factory", factory, "Of every device of the factory")->excludes(of_device)->excludes(of_group);
  }
  [[nodiscard]] Result<core::FieldKey> owner(Workbench& workbench) const {
    if (!group.empty()) return core::group_config(workbench.factory(), group);
    if (factory) return core::factory_config(workbench.factory());
    if (device.empty()) return fail(ErrorCode::invalid, "say whose configuration: --device ID, --group GROUP or --factory");
    BIRTHMARK_TRY(const auto identity, core::identify(workbench.factory(), core::Ecosystem::foundries, device, core::DeviceIdRule::safe));
    BIRTHMARK_TRY(auto known, workbench.registry().find(identity));
    if (known_device(known) == nullptr) return fail(ErrorCode::not_found, "no active device '" + device + "' is known here");
    return core::device_config(identity);
  }
};

// What a device's key is now, when it is not about to change: a value encrypted to a key that goes is lost.
Result<Bytes> key_of(Workbench& workbench, const std::string& id) {
  BIRTHMARK_TRY(const auto identity, core::identify(workbench.factory(), core::Ecosystem::foundries, id, core::DeviceIdRule::safe));
  BIRTHMARK_TRY(const auto device, workbench.registry().find(identity));
  if (!device || !device->certificate) return fail(ErrorCode::not_found, "device '" + id + "' has no certificate to encrypt for");
  BIRTHMARK_TRY(const auto announced, core::announced_key(workbench.field(), identity, device->current_key));
  if (announced) return fail(ErrorCode::conflict, "device '" + id + "' is changing its key; encrypt when it has come with the new one");
  BIRTHMARK_TRY(const auto facts, workbench.codec().read_certificate(device->certificate->der));
  return facts.spki_der;
}

class ConfigCommand : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "config", kGroupHelp)->add_subcommand(name_, help_);
    declare_directory(*command);
    level_.declare(*command);
    declare_more(*command);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    BIRTHMARK_TRY(const auto owner, level_.owner(workbench));
    core::DeviceConfigs configs(workbench.field());
    return act(console, workbench, configs, owner, inputs);
  }

 protected:
  ConfigCommand(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}
  virtual void declare_more(CLI::App& command) = 0;
  [[nodiscard]] virtual Status act(Console& console, Workbench& workbench, core::DeviceConfigs& configs, const core::FieldKey& owner,
                                   const std::vector<InputFile>& inputs) = 0;
  Level level_;

 private:
  const std::string name_;
  const std::string help_;
};

class ConfigSetCommand final : public ConfigCommand {
 public:
  ConfigSetCommand() : ConfigCommand("set", "Add or replace files; the others of this level stay") {}

  // Each NAME=PATH; "-" is standard input.
  std::vector<std::filesystem::path> input_files() const override {
    std::vector<std::filesystem::path> paths;
    for (const std::string& file : files_) {
      const std::string path = file.substr(std::min(file.find('='), file.size() - 1) + 1);
      paths.emplace_back(path == "-" ? "/dev/stdin" : path);
    }
    return paths;
  }

 private:
  void declare_more(CLI::App& command) override {
    command.add_option("FILE", files_, "The name on the device, and the file (or -) with its contents")
        ->required()
        ->type_name("NAME=PATH")
        ->check([](const std::string& text) {
          const std::size_t equals = text.find('=');
          return equals == std::string::npos || equals == 0 || equals + 1 == text.size() ? "expected NAME=PATH" : "";
        });
    command.add_flag("--encrypt", encrypt_, "For the key of this one device, which alone can read it (with --device)");
    command.add_option("--on-changed", on_changed_, "What the device runs when the file changed, word by word")->type_name("WORD");
    command.add_option("--reason", reason_, "Why; kept in the history and the audit")->required()->type_name("TEXT");
  }
  Status act(Console& console, Workbench& workbench, core::DeviceConfigs& configs, const core::FieldKey& owner,
             const std::vector<InputFile>& inputs) override {
    if (encrypt_ && level_.device.empty()) return fail(ErrorCode::invalid, "--encrypt needs --device: a value is encrypted for one key");
    Bytes key;
    if (encrypt_) {
      BIRTHMARK_TRY(key, key_of(workbench, level_.device));
    }
    core::ConfigFiles files;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string name = files_[i].substr(0, files_[i].find('='));
      BIRTHMARK_CHECK(core::check_config_name(name));
      if (name == kTomlFile && level_.factory)
        return fail(ErrorCode::invalid, std::string(kTomlFile) + " is set for groups and devices, not for the factory");
      core::ConfigFile file{inputs[i].contents, !encrypt_, on_changed_};
      if (!encrypt_ && !is_utf8(file.value)) return fail(ErrorCode::invalid, inputs[i].path + " is not text: a value travels as JSON");
      if (encrypt_) {
        BIRTHMARK_TRY(file.value, crypto::encrypt_for_device(key, inputs[i].contents));
      }
      files.insert_or_assign(name, std::move(file));
    }
    auto task = configs.patch(owner, std::move(files), reason_, workbench.actor(), workbench.clock().now());
    BIRTHMARK_TRY(const auto version, workbench.wait(std::move(task)));
    console.out << owner.owner << ": " << version.files.size() << " files since " << format_rfc3339(version.at) << '\n';
    return {};
  }

  std::vector<std::string> files_;
  std::vector<std::string> on_changed_;
  std::string reason_;
  bool encrypt_ = false;
};

class ConfigDeleteCommand final : public ConfigCommand {
 public:
  ConfigDeleteCommand() : ConfigCommand("delete", "Take files away; devices remove them") {}

 private:
  void declare_more(CLI::App& command) override {
    command.add_option("NAME", names_, "The files")->required();
    command.add_option("--reason", reason_, "Why; kept in the history and the audit")->required()->type_name("TEXT");
  }
  Status act(Console& console, Workbench& workbench, core::DeviceConfigs& configs, const core::FieldKey& owner,
             const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(auto current, configs.current(owner));
    core::ConfigFiles files = current.files;
    for (const std::string& name : names_) {
      if (files.erase(name) == 0) return fail(ErrorCode::not_found, owner.owner + " has no file '" + name + "'");
    }
    auto task = configs.replace(owner, std::move(current), std::move(files), reason_, workbench.actor(), workbench.clock().now());
    BIRTHMARK_TRY(const auto version, workbench.wait(std::move(task)));
    console.out << owner.owner << ": " << version.files.size() << " files since " << format_rfc3339(version.at) << '\n';
    return {};
  }

  std::vector<std::string> names_;
  std::string reason_;
};

class ConfigGetCommand final : public ConfigCommand {
 public:
  ConfigGetCommand() : ConfigCommand("get", "The files of a level as they are now; with NAME, that file's contents alone") {}

 private:
  void declare_more(CLI::App& command) override {
    command.add_option("NAME", name_, "One file");
    declare_format(command, format_);
  }
  Status act(Console& console, Workbench&, core::DeviceConfigs& configs, const core::FieldKey& owner,
             const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto current, configs.current(owner));
    if (!name_.empty()) {
      const auto file = current.files.find(name_);
      if (file == current.files.end()) return fail(ErrorCode::not_found, owner.owner + " has no file '" + name_ + "'");
      console.out << file->second.value;
      return {};
    }
    Listing listing(console.out, format_, {{"name", 32}, {"encrypted", 10}, {"bytes", 8}, {"on_changed", 0}});
    for (const auto& [name, file] : current.files) {
      std::string words;
      for (const std::string& word : file.on_changed) words += (words.empty() ? "" : " ") + word;
      listing.row({{name}, {file.unencrypted ? "false" : "true", true}, {std::to_string(file.value.size()), true}, {words}});
    }
    return {};
  }

  std::string name_;
  ListFormat format_ = ListFormat::table;
};

class ConfigHistoryCommand final : public ConfigCommand {
 public:
  ConfigHistoryCommand() : ConfigCommand("history", "The last ten versions of a level, newest first") {}

 private:
  void declare_more(CLI::App& command) override { declare_format(command, format_); }
  Status act(Console& console, Workbench&, core::DeviceConfigs& configs, const core::FieldKey& owner,
             const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto versions, configs.history(owner));
    Listing listing(console.out, format_, {{"at", 22}, {"actor", 20}, {"files", 40}, {"reason", 0}});
    for (const core::ConfigVersion& version : versions) {
      std::string names;
      for (const auto& [name, file] : version.files) names += (names.empty() ? "" : " ") + name;
      listing.row({{format_rfc3339(version.at)}, {version.actor}, {names}, {version.reason}});
    }
    return {};
  }

  ListFormat format_ = ListFormat::table;
};

// Protocol facts, gateway 3.2 and 3.6: the lines that fioconfig's handler reads.
class DeviceRotateCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "device", kDeviceGroupHelp)
            ->add_subcommand("rotate", "Have a device, or a group, renew its certificate with a new key at its next check-in");
    declare_directory(*command);
    CLI::Option* device = command->add_option("id", level_.device, "The device's id")->type_name("ID");
    command->add_option("--group", level_.group, "The devices of a group")->type_name("GROUP")->excludes(device);
    command->add_option("--est", est_, "The EST server (default: this factory's gateway)")->type_name("URL");
    command->add_option("--reason", reason_, "Why; kept in the history and the audit")->required()->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    if (level_.device.empty() && level_.group.empty()) return fail(ErrorCode::invalid, "say which device, or --group GROUP");
    BIRTHMARK_TRY(const auto owner, level_.owner(workbench));
    const std::string server = est_.empty() ? workbench.gateway_server() + "/.well-known/est" : est_;
    if (!server.starts_with("https://") || server.find_first_of("\r\n ") != std::string::npos)
      return fail(ErrorCode::invalid, "--est " + server + ": expected an https:// URL");
    const Instant now = workbench.clock().now();
    core::ConfigFile file;
    file.value =
        "ESTSERVER=" + server + "\nPKEYIDS=01,07\nCERTIDS=03,09\nROTATIONID=certs-" + std::to_string(to_unix_ms(now) / 1000) + "\n";
    file.unencrypted = true;
    file.on_changed = {kRotationHandler};
    core::DeviceConfigs configs(workbench.field());
    auto task = configs.patch(owner, {{kRotationFile, std::move(file)}}, reason_, workbench.actor(), now);
    BIRTHMARK_CHECK(workbench.wait(std::move(task)));
    console.out << owner.owner << ": renews its certificate at the next check-in\n";
    return {};
  }

 private:
  Level level_;
  std::string est_;
  std::string reason_;
};

}  // namespace

void append_config_commands(CommandList& commands) {
  commands.push_back(std::make_unique<ConfigSetCommand>());
  commands.push_back(std::make_unique<ConfigGetCommand>());
  commands.push_back(std::make_unique<ConfigDeleteCommand>());
  commands.push_back(std::make_unique<ConfigHistoryCommand>());
  commands.push_back(std::make_unique<DeviceRotateCommand>());
}

}  // namespace birthmark::cli
