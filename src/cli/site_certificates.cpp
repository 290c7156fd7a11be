// SPDX-License-Identifier: Apache-2.0
// birthmark station | operator, each add | list | revoke: certificates by this server's own CA, with which stations register and operators
// use the admin listener. The private key never leaves who asks: `--csr` brings a request, `--out` has the key made where the command was
// called.
#include <ostream>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/workbench.h"
#include "core/site_certificate_keeper.h"
#include "core/token_keeper.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/site_authority.h"

namespace birthmark::cli {
namespace {

using core::HolderRole;

CLI::App* group_of(CLI::App& root, HolderRole role) {
  return role == HolderRole::station ? command_group(root, "station", "Stations that register devices with a certificate of their own")
                                     : command_group(root, "operator", "Operators who use the admin listener with a certificate");
}

std::string name_of(HolderRole role) {
  return std::string(core::to_string(role));
}

class HolderAddCommand final : public DirectoryCommand {
 public:
  explicit HolderAddCommand(HolderRole role) : role_(role) {}

  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        group_of(root, role_)
            ->add_subcommand("add", role_ == HolderRole::station
                                        ? "Give a station a certificate to register devices with (registration.trust = \"certificate\")"
                                        : "Give an operator a certificate for the admin listener");
    declare_directory(*command);
    command->add_option("name", holder_, "The " + name_of(role_) + "'s name; recorded with everything it does")
        ->required()
        ->type_name("NAME");
    auto* source = command->add_option_group("key", "Whose key");
    source->add_option("--csr", csr_, "A request with the " + name_of(role_) + "'s own key; the certificate is printed")->type_name("FILE");
    source->add_option("--out", out_, "Make a key here, mode 0600: NAME.key and NAME.pem in this directory")->type_name("DIR");
    source->require_option(1);
    command->add_option("--valid-for", valid_for_, "How long (default: 365d)")->type_name("SPAN");
    command->add_option("--reason", reason_, "What it is for; kept in the audit")->type_name("TEXT");
    return command;
  }

  std::vector<std::filesystem::path> input_files() const override {
    return csr_.empty() ? std::vector<std::filesystem::path>() : std::vector{csr_};
  }
  std::vector<std::filesystem::path> output_files() const override {
    return out_.empty() ? std::vector<std::filesystem::path>() : std::vector{out_ / (holder_ + ".pem")};
  }
  // The key stays here; its request goes on. One that an interrupted run left is used.
  Result<std::vector<InputFile>> prepare() override {
    if (out_.empty()) return std::vector<InputFile>();
    BIRTHMARK_CHECK(core::check_station_name(holder_));
    BIRTHMARK_CHECK(make_directory(out_, 0700));
    const auto path = out_ / (holder_ + ".key");
    auto key = crypto::PrivateKey::load(path);
    if (!key && key.error().code == ErrorCode::not_found) {
      key = crypto::PrivateKey::generate_p256();
      if (!key) return forward_error(key);
      BIRTHMARK_TRY(const std::string pem, key->to_pem());
      BIRTHMARK_CHECK(create_file(path, pem, 0600));
    }
    if (!key) return forward_error(key);
    BIRTHMARK_TRY(auto request, crypto::make_csr_pem(*key, {.common_name = holder_}));
    return std::vector<InputFile>{{path.string(), std::move(request)}};
  }

  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>& inputs) override {
    BIRTHMARK_CHECK(core::check_station_name(holder_));
    BIRTHMARK_TRY(const Duration validity, parse_duration(valid_for_));
    BIRTHMARK_TRY(const auto request, crypto::CertificateRequest::from_pem(inputs.back().contents));
    const Instant now = workbench.clock().now();
    BIRTHMARK_TRY(const auto authority,
                  crypto::SiteAuthority::load_or_make(workbench.directory(), workbench.factory(), workbench.random(), now));
    BIRTHMARK_TRY(const auto certificate, authority.certify_holder(request, holder_, validity, workbench.random(), now));
    core::SiteCertificate record;
    record.factory = workbench.factory();
    record.role = role_;
    record.holder = holder_;
    record.fingerprint = certificate.fingerprint();
    BIRTHMARK_TRY(record.serial, certificate.serial());
    record.not_after = certificate.not_after();
    core::SiteCertificateKeeper keeper(workbench.site_certificates(), workbench.clock());
    BIRTHMARK_TRY(const auto added, workbench.wait(keeper.add(std::move(record), {reason_, workbench.actor()})));
    const std::string pem = certificate.pem();
    if (out_.empty()) {
      console.out << pem;
    } else {
      BIRTHMARK_CHECK(write_output(inputs.front(), pem));
      console.out << inputs.front().path << '\n';
    }
    console.err << name_of(role_) << ' ' << holder_ << " has certificate " << added.serial.hex() << " until "
                << format_rfc3339(added.not_after) << '\n';
    return {};
  }

 private:
  const HolderRole role_;
  std::string holder_;
  std::filesystem::path csr_, out_;
  std::string valid_for_ = "365d";
  std::string reason_;
};

std::string status_of(const core::SiteCertificate& certificate, Instant now) {
  if (certificate.revoked_at) return "revoked";
  return certificate.not_after <= now ? "expired" : "active";
}

class HolderListCommand final : public DirectoryCommand {
 public:
  explicit HolderListCommand(HolderRole role) : role_(role) {}
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = group_of(root, role_)->add_subcommand("list", "List " + name_of(role_) + "s by their certificates");
    declare_directory(*command);
    declare_format(*command, format_);
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    BIRTHMARK_TRY(const auto certificates, workbench.site_certificates().site_certificates());
    const Instant now = workbench.clock().now();
    Listing listing(console.out, format_,
                    {{"name", 20}, {"status", 7}, {"serial", 40}, {"created_at", 20}, {"not_after", 20}, {"revoked_at", 20}});
    for (const core::SiteCertificate& certificate : certificates) {
      if (certificate.role != role_ || certificate.factory != workbench.factory()) continue;
      listing.row({{certificate.holder},
                   {status_of(certificate, now)},
                   {certificate.serial.hex()},
                   {format_rfc3339(certificate.created_at)},
                   {format_rfc3339(certificate.not_after)},
                   certificate.revoked_at ? Cell{format_rfc3339(*certificate.revoked_at)} : Cell{}});
    }
    return {};
  }

 private:
  const HolderRole role_;
  ListFormat format_ = ListFormat::table;
};

class HolderRevokeCommand final : public DirectoryCommand {
 public:
  explicit HolderRevokeCommand(HolderRole role) : role_(role) {}
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = group_of(root, role_)
                            ->add_subcommand("revoke", "Refuse the certificates of " +
                                                           std::string(role_ == HolderRole::station ? "a station" : "an operator") +
                                                           " from now on; running servers know at once");
    declare_directory(*command);
    command->add_option("name", holder_, "The " + name_of(role_))->required()->type_name("NAME");
    command->add_option("--serial", serial_, "Only this certificate, as `" + name_of(role_) + " list` prints it")->type_name("HEX");
    command->add_option("--reason", reason_, "Why; kept in the audit")->type_name("TEXT");
    return command;
  }
  Status run(Console& console, Workbench& workbench, const std::vector<InputFile>&) override {
    core::HolderCertificates which{workbench.factory(), role_, holder_, {}};
    if (!serial_.empty()) {
      const auto octets = from_hex(to_lower(serial_.size() % 2 == 0 ? serial_ : "0" + serial_));
      auto serial = Serial::from_magnitude(octets.value_or(Bytes()));
      if (!octets || !serial) return fail(ErrorCode::invalid, "--serial " + serial_ + ": expected up to 40 hexadecimal digits");
      which.serial = *serial;
    }
    core::SiteCertificateKeeper keeper(workbench.site_certificates(), workbench.clock());
    BIRTHMARK_TRY(const std::uint64_t revoked, workbench.wait(keeper.revoke(std::move(which), {reason_, workbench.actor()})));
    console.out << revoked << (revoked == 1 ? " certificate" : " certificates") << " of " << name_of(role_) << ' ' << holder_
                << (revoked == 1 ? " is revoked\n" : " are revoked\n");
    return {};
  }

 private:
  const HolderRole role_;
  std::string holder_, serial_, reason_;
};

}  // namespace

void append_site_certificate_commands(CommandList& commands) {
  for (const HolderRole role : {HolderRole::station, HolderRole::operator_}) {
    commands.push_back(std::make_unique<HolderAddCommand>(role));
    commands.push_back(std::make_unique<HolderListCommand>(role));
    commands.push_back(std::make_unique<HolderRevokeCommand>(role));
  }
}

}  // namespace birthmark::cli
