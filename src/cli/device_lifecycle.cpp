// SPDX-License-Identifier: Apache-2.0
// birthmark device show | deny | allow: one device by its id.
#include <ostream>

#include "base/pem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/workbench.h"
#include "core/lifecycle.h"

namespace birthmark::cli {
namespace {

constexpr const char* kGroupHelp = "The devices that this factory knows";

// The device a command names: its id and whose protocol it speaks.
struct NamedDevice {
  std::string id;
  std::string ecosystem = "foundries";

  void declare(CLI::App& command) {
    command.add_option("id", id, "The device's id (a UUID in any case)")->required()->type_name("ID");
    command.add_option("--ecosystem", ecosystem, "foundries, izuma or eve")->check(CLI::IsMember({"foundries", "izuma", "eve"}));
  }
  [[nodiscard]] Result<core::DeviceIdentity> identity(Workbench& workbench) const {
    return core::identify(workbench.factory(), *core::parse_ecosystem(ecosystem), id, core::DeviceIdRule::safe);
  }
};

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

void print_text(std::ostream& out, const core::DeviceRecord& device, const core::TrustSnapshot& trust) {
  out << "id           " << device.identity.external_id << '\n'
      << "ecosystem    " << core::to_string(device.identity.ecosystem) << '\n'
      << "status       " << core::to_string(device.status) << '\n'
      << "name         " << or_dash(device.name) << '\n'
      << "hardware_id  " << or_dash(device.hardware_id) << '\n'
      << "production   " << (device.production ? "true" : "false") << '\n'
      << "station      " << or_dash(device.station) << '\n'
      << "created_at   " << format_rfc3339(device.created_at) << '\n'
      << "last_seen    " << (device.last_seen ? format_rfc3339(*device.last_seen) : "-") << '\n'
      << "spki_sha256  " << (device.current_key ? to_hex(device.current_key->view()) : "-") << '\n';
  if (!device.certificate) return;
  const core::CertificateRecord& certificate = *device.certificate;
  const core::DeviceAuthority* issuer = trust.by_row(certificate.issuer);
  const auto names = issuer != nullptr ? issuer->facts.values(core::NameAttributeType::common_name) : std::vector<std::string_view>{};
  out << "serial       " << certificate.serial.hex() << '\n'
      << "issuer       " << (names.empty() ? "-" : names.front()) << '\n'
      << "issued_at    " << format_rfc3339(certificate.issued_at) << '\n'
      << "not_before   " << format_rfc3339(certificate.not_before) << '\n'
      << "not_after    " << format_rfc3339(certificate.not_after) << '\n'
      << encode_pem("CERTIFICATE", certificate.der);
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
                   {"certificate"}});
  listing.row({{device.identity.external_id},
               {std::string(core::to_string(device.identity.ecosystem))},
               {std::string(core::to_string(device.status))},
               {device.name},
               {device.production ? "true" : "false", true},
               {device.hardware_id},
               certificate ? Cell{certificate->serial.hex()} : Cell{},
               device.current_key ? Cell{to_hex(device.current_key->view())} : Cell{},
               certificate ? Cell{format_rfc3339(certificate->not_after)} : Cell{},
               {format_rfc3339(device.created_at)},
               device.last_seen ? Cell{format_rfc3339(*device.last_seen)} : Cell{},
               {device.station},
               certificate ? Cell{encode_pem("CERTIFICATE", certificate->der)} : Cell{}});
}

class DeviceShowCommand final : public DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        command_group(root, "device", kGroupHelp)->add_subcommand("show", "Everything known of one device, with its certificate");
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

// deny and allow differ in one call.
class DeviceDenialCommand final : public DirectoryCommand {
 public:
  enum class Act { deny, allow };
  explicit DeviceDenialCommand(Act act) : act_(act) {}

  CLI::App* declare(CLI::App& root) override {
    CLI::App* group = command_group(root, "device", kGroupHelp);
    CLI::App* command =
        act_ == Act::deny
            ? group->add_subcommand("deny", "Put a device on the deny list: it is refused everywhere, known or not")
            : group->add_subcommand("allow", "Take a device off the deny list: it is forgotten, and may register again with any key");
    declare_directory(*command);
    device_.declare(*command);
    command->add_option("--reason", reason_, "Why; kept in the audit")->required()->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(auto identity, device_.identity(workbench));
    core::Lifecycle lifecycle(workbench.registry(), workbench.clock());
    const core::OperatorAct act{reason_, workbench.actor()};
    auto task = act_ == Act::deny ? lifecycle.deny(std::move(identity), act) : lifecycle.allow(std::move(identity), act);
    BIRTHMARK_TRY(const auto device, workbench.wait(std::move(task)));
    console.out << device.identity.external_id << " is " << core::to_string(device.status) << '\n';
    return {};
  }

 private:
  const Act act_;
  NamedDevice device_;
  std::string reason_;
};

}  // namespace

void append_device_lifecycle_commands(CommandList& commands) {
  commands.push_back(std::make_unique<DeviceShowCommand>());
  commands.push_back(std::make_unique<DeviceDenialCommand>(DeviceDenialCommand::Act::deny));
  commands.push_back(std::make_unique<DeviceDenialCommand>(DeviceDenialCommand::Act::allow));
}

}  // namespace birthmark::cli
