// SPDX-License-Identifier: Apache-2.0
// birthmark device show, and what operators do to one device by its id: deny, allow, delete, rename, group, allow-rekey, forget-key.
#include <ostream>

#include "base/pem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/named_device.h"
#include "core/lifecycle.h"
#include "core/test_purge.h"

namespace birthmark::cli {
namespace {

std::string_view status_text(const core::DeviceRecord& device) {
  return device.deleted ? "deleted" : core::to_string(device.status);
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

void print_text(std::ostream& out, const core::DeviceRecord& device, const core::TrustSnapshot& trust) {
  out << "id           " << device.identity.external_id << '\n'
      << "ecosystem    " << core::to_string(device.identity.ecosystem) << '\n'
      << "status       " << status_text(device) << '\n'
      << "name         " << or_dash(device.name) << '\n'
      << "hardware_id  " << or_dash(device.hardware_id) << '\n'
      << "production   " << (device.production ? "true" : "false") << '\n'
      << "station      " << or_dash(device.station) << '\n'
      << "group        " << or_dash(device.group) << '\n'
      << "created_at   " << format_rfc3339(device.created_at) << '\n'
      << "last_seen    " << (device.last_seen ? format_rfc3339(*device.last_seen) : "-") << '\n'
      << "spki_sha256  " << (device.current_key ? to_hex(device.current_key->view()) : "-") << '\n';
  if (device.rekey_until) out << "rekey_until  " << format_rfc3339(*device.rekey_until) << '\n';
  if (!device.certificate) return;
  const core::CertificateRecord& certificate = *device.certificate;
  const core::DeviceAuthority* issuer = trust.by_row(certificate.issuer);
  const auto names = issuer != nullptr ? issuer->facts.values(core::NameAttributeType::common_name) : std::vector<std::string_view>{};
  out << "serial       " << certificate.serial.hex() << '\n'
      << "issuer       " << (names.empty() ? "-" : names.front()) << '\n'
      << "issued_at    " << format_rfc3339(certificate.issued_at) << '\n'
      << "not_before   " << format_rfc3339(certificate.not_before) << '\n'
      << "not_after    " << format_rfc3339(certificate.not_after) << '\n';
  if (certificate.only_fingerprint)
    out << "sha256       " << to_hex(certificate.only_fingerprint->view()) << '\n';  // the certificate itself is not kept
  else
    out << encode_pem("CERTIFICATE", certificate.der);
}

void print_json(std::ostream& out, const core::DeviceRecord& device) {
  const auto& certificate = device.certificate;
  Listing listing(out, ListFormat::json,
                  {{"id"},
                   {"ecosystem"},
                   {"status"},
                   {"name"},
                   {"production"},
                   {"hardware_id"},
                   {"serial"},
                   {"spki_sha256"},
                   {"not_after"},
                   {"created_at"},
                   {"last_seen"},
                   {"station"},
                   {"group"},
                   {"certificate"}});
  listing.row({{device.identity.external_id},
               {std::string(core::to_string(device.identity.ecosystem))},
               {std::string(status_text(device))},
               {device.name},
               {device.production ? "true" : "false", true},
               {device.hardware_id},
               certificate ? Cell{certificate->serial.hex()} : Cell{},
               device.current_key ? Cell{to_hex(device.current_key->view())} : Cell{},
               certificate ? Cell{format_rfc3339(certificate->not_after)} : Cell{},
               {format_rfc3339(device.created_at)},
               device.last_seen ? Cell{format_rfc3339(*device.last_seen)} : Cell{},
               {device.station},
               {device.group},
               certificate && !certificate->der.empty() ? Cell{encode_pem("CERTIFICATE", certificate->der)} : Cell{}});
}

class DeviceShowCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "device", kDeviceGroupHelp)->add_subcommand("show", "Everything known of one device, with its certificate");
    declare_directory(*command);
    device_.declare(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto identity, device_.identity(workbench));
    BIRTHMARK_TRY(const auto device, workbench.registry().find(identity));
    if (!device) return fail(ErrorCode::not_found, "no device '" + identity.external_id + "' is known here");
    if (format_ == ListFormat::table) {
      print_text(console.out, *device, *workbench.trust());
    } else {
      print_json(console.out, *device);
    }
    return {};
  }

 private:
  NamedDevice device_;
  ListFormat format_ = ListFormat::table;
};

// What the commands below have in common: a device, a reason, one call and the state it left.
class DeviceActCommand : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", kDeviceGroupHelp)->add_subcommand(name_, help_);
    declare_directory(*command);
    device_.declare(*command);
    declare_more(*command);
    command->add_option("--reason", reason_, "Why; kept in the audit")->required()->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(auto identity, device_.identity(workbench));
    core::Lifecycle lifecycle(workbench.registry(), workbench.clock());
    BIRTHMARK_TRY(auto task, act(lifecycle, std::move(identity), {reason_, workbench.actor()}));
    BIRTHMARK_TRY(const auto device, workbench.wait(std::move(task)));
    console.out << device.identity.external_id << ' ' << outcome(device) << '\n';
    return {};
  }

 protected:
  using Act = Task<Result<core::DeviceRecord>>;
  DeviceActCommand(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}

  virtual void declare_more(CLI::App&) {}
  [[nodiscard]] virtual Result<Act> act(core::Lifecycle& lifecycle, core::DeviceIdentity identity, core::OperatorAct reason) = 0;
  [[nodiscard]] virtual std::string outcome(const core::DeviceRecord& device) const { return "is " + std::string(status_text(device)); }

 private:
  const std::string name_;
  const std::string help_;
  NamedDevice device_;
  std::string reason_;
};

using PlainAct = Task<Result<core::DeviceRecord>> (core::Lifecycle::*)(core::DeviceIdentity, core::OperatorAct);

// deny, allow, delete and forget-key: no other argument.
class PlainActCommand final : public DeviceActCommand {
 public:
  PlainActCommand(std::string name, PlainAct act, std::string help) : DeviceActCommand(std::move(name), std::move(help)), act_(act) {}

 private:
  Result<Act> act(core::Lifecycle& lifecycle, core::DeviceIdentity identity, core::OperatorAct reason) override {
    return (lifecycle.*act_)(std::move(identity), std::move(reason));
  }
  const PlainAct act_;
};

class DeviceRenameCommand final : public DeviceActCommand {
 public:
  DeviceRenameCommand() : DeviceActCommand("rename", "Give a device another name") {}

 private:
  void declare_more(CLI::App& command) override { command.add_option("name", wanted_, "The new name")->required()->type_name("NAME"); }
  Result<Act> act(core::Lifecycle& lifecycle, core::DeviceIdentity identity, core::OperatorAct reason) override {
    return lifecycle.rename(std::move(identity), wanted_, std::move(reason));
  }
  std::string outcome(const core::DeviceRecord& device) const override { return "is named " + device.name; }

  std::string wanted_;
};

class DeviceGroupCommand final : public DeviceActCommand {
 public:
  DeviceGroupCommand() : DeviceActCommand("group", "Put a device into a group, or out of its group with --none") {}

 private:
  void declare_more(CLI::App& command) override {
    CLI::Option* group = command.add_option("group", wanted_, "The group")->type_name("GROUP");
    command.add_flag("--none", none_, "Into no group")->excludes(group);
  }
  Result<Act> act(core::Lifecycle& lifecycle, core::DeviceIdentity identity, core::OperatorAct reason) override {
    if (wanted_.empty() && !none_) return fail(ErrorCode::invalid, "say which group, or --none");
    return lifecycle.move_to_group(std::move(identity), wanted_, std::move(reason));
  }
  std::string outcome(const core::DeviceRecord& device) const override {
    return device.group.empty() ? "is in no group" : "is in group " + device.group;
  }

  std::string wanted_;
  bool none_ = false;
};

class DeviceAllowRekeyCommand final : public DeviceActCommand {
 public:
  DeviceAllowRekeyCommand() : DeviceActCommand("allow-rekey", "Let a device register once more with another key, as after a repair") {}

 private:
  void declare_more(CLI::App& command) override {
    command.add_option("--for", lasts_, "How long the permission lasts (default: 24h)")->type_name("DURATION");
  }
  Result<Act> act(core::Lifecycle& lifecycle, core::DeviceIdentity identity, core::OperatorAct reason) override {
    BIRTHMARK_TRY(const auto lasts, parse_duration(lasts_));
    return lifecycle.allow_rekey(std::move(identity), lasts, std::move(reason));
  }
  std::string outcome(const core::DeviceRecord& device) const override {
    return "may register with another key until " + (device.rekey_until ? format_rfc3339(*device.rekey_until) : std::string("-"));
  }

  std::string lasts_ = "24h";
};

class DevicePurgeTestCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = command_group(root, "device", kDeviceGroupHelp)
                            ->add_subcommand("purge-test", "Forget the devices of test orders whose certificates have ended");
    declare_directory(*command);
    command->add_flag("--all", all_, "Those whose certificates are still good too");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    const auto scope = all_ ? core::PurgeScope::all : core::PurgeScope::expired;
    core::OperatorAct act{reason_.empty() ? "test devices are purged" : reason_, workbench.actor()};
    auto task = core::purge_test_devices(workbench.registry(), workbench.clock(), workbench.factory(), scope, std::move(act));
    BIRTHMARK_TRY(const std::uint64_t purged, workbench.wait(std::move(task)));
    console.out << purged << (purged == 1 ? " test device was forgotten\n" : " test devices were forgotten\n");
    return {};
  }

 private:
  bool all_ = false;
  std::string reason_;
};

}  // namespace

void append_device_lifecycle_commands(CommandList& commands) {
  using core::Lifecycle;
  const auto plain = [&commands](const char* name, PlainAct act, const char* help) {
    commands.push_back(std::make_unique<PlainActCommand>(name, act, help));
  };
  commands.push_back(std::make_unique<DeviceShowCommand>());
  plain("deny", &Lifecycle::deny, "Put a device on the deny list: it is refused everywhere, known or not");
  plain("allow", &Lifecycle::allow, "Take a device off the deny list: it is forgotten, and may register again with any key");
  plain("delete", &Lifecycle::remove, "Delete a device: it is shown as deleted, and refused everywhere until it is allowed");
  commands.push_back(std::make_unique<DeviceRenameCommand>());
  commands.push_back(std::make_unique<DeviceGroupCommand>());
  commands.push_back(std::make_unique<DeviceAllowRekeyCommand>());
  commands.push_back(std::make_unique<DevicePurgeTestCommand>());
  plain("forget-key", &Lifecycle::forget_key, "Refuse a device's key from now on; the next registration makes it anew with any key");
}

}  // namespace birthmark::cli
