// SPDX-License-Identifier: Apache-2.0
// birthmark import adam: takes over what an adam kept in its file database (protocol facts, EVE 5.3), by the same door as everything else.
#include <algorithm>
#include <ostream>

#include "app/onboard_commands.h"
#include "app/site.h"
#include "base/pem.h"
#include "base/text.h"
#include "core/onboarding_keeper.h"
#include "faces/eve/node_admin.h"

namespace birthmark::app {
namespace {

namespace fs = std::filesystem;

struct Counts {
  std::size_t onboarding = 0, devices = 0, known = 0, refused = 0;
};

Result<Bytes> read_certificate_file(const fs::path& path) {
  BIRTHMARK_TRY(const std::string text, read_file(path));
  auto block = decode_first_pem(text);
  if (!block || block->label != "CERTIFICATE") return fail(ErrorCode::invalid, path.string() + " holds no PEM certificate");
  return std::move(block->contents);
}

// One a line; adam itself once read them apart at blanks, but writes lines.
std::vector<std::string> read_lines(const fs::path& path) {
  std::vector<std::string> lines;
  const auto text = read_file(path);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

std::vector<fs::path> folders_in(const fs::path& directory) {
  std::vector<fs::path> folders;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(directory, failure))
    if (entry.is_directory(failure)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

class AdamImport {
 public:
  AdamImport(Site& site, bool dry_run, cli::Console& console) : site_(site), dry_run_(dry_run), console_(console) {}

  [[nodiscard]] Result<Counts> run(const fs::path& database) {
    for (const fs::path& folder : folders_in(database / "onboard")) BIRTHMARK_CHECK(take_onboarding(folder));
    for (const fs::path& folder : folders_in(database / "device")) BIRTHMARK_CHECK(take_device(folder));
    return counts_;
  }

 private:
  [[nodiscard]] Status put(const Bytes& der, std::vector<std::string> serials) {
    core::OnboardingKeeper keeper(site_.nodes(), site_.codec(), site_.clock());
    core::OnboardingOrder order;
    order.factory = site_.factory();
    order.der = der;
    order.serials = std::move(serials);
    auto put = site_.wait(keeper.put(std::move(order), {"imported from adam", site_.actor()}));
    if (!put) return tl::make_unexpected(put.error());
    return {};
  }

  [[nodiscard]] Status take_onboarding(const fs::path& folder) {
    const auto der = read_certificate_file(folder / "cert.pem");
    if (!der) return refuse(der.error().public_message);
    ++counts_.onboarding;
    return dry_run_ ? Status() : put(*der, read_lines(folder / "onboard-serials.txt"));
  }

  [[nodiscard]] Status take_device(const fs::path& folder) {
    const std::string uuid = to_lower(folder.filename().string());
    const auto certificate = read_certificate_file(folder / "device-certificate.pem");
    const auto onboarding = read_certificate_file(folder / "onboard-certificate.pem");
    const auto serials = read_lines(folder / "serial.txt");
    if (!parse_uuid(uuid)) return refuse(folder.string() + " is not named by a UUID");
    if (!certificate) return refuse(certificate.error().public_message);
    if (!onboarding) return refuse(onboarding.error().public_message);
    if (serials.empty()) return refuse(folder.string() + " has no serial.txt");
    const core::DeviceIdentity identity{site_.factory(), core::Ecosystem::eve, uuid};
    BIRTHMARK_TRY(const auto known, site_.nodes().by_uuid(identity));
    if (known) {
      ++counts_.known;
      return {};
    }
    ++counts_.devices;
    if (dry_run_) return {};
    BIRTHMARK_CHECK(put(*onboarding, {}));
    core::NodeAttempt attempt;
    attempt.onboarding_der = *onboarding;
    attempt.certificate_der = *certificate;
    attempt.serial = serials.front();
    attempt.peer_address = "adam";
    attempt.uuid = uuid;
    const auto outcome = site_.wait(site_.eve().onboarder().admit(attempt));
    if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) {
      --counts_.devices;
      return refuse(folder.string() + ": " + refusal->public_text);
    }
    return take_config(folder / "config.json", std::get<core::Onboarded>(outcome).node);
  }

  // Protobuf, despite its name.
  [[nodiscard]] Status take_config(const fs::path& path, const core::NodeRecord& node) {
    const auto bytes = read_file(path);
    if (!bytes || bytes->empty()) return {};
    auto config = faces::eve::config_from_protobuf(*bytes);
    if (!config) config = faces::eve::config_from_json(*bytes);
    auto next = config ? faces::eve::next_config(*config, {}, node.identity.external_id) : config;
    if (!next) return refuse(path.string() + ": " + next.error().public_message);
    auto append = faces::eve::config_append(site_.factory(), &node, std::move(*next), site_.clock().now(), site_.actor());
    BIRTHMARK_CHECK(site_.wait(site_.field().append(std::move(append))));
    return {};
  }

  [[nodiscard]] Status refuse(const std::string& text) {
    ++counts_.refused;
    console_.err << "not imported: " << text << '\n';
    return {};
  }

  Site& site_;
  const bool dry_run_;
  cli::Console& console_;
  Counts counts_;
};

class AdamImportCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command =
        cli::command_group(root, "import", "Take over what another system registered")
            ->add_subcommand("adam",
                             "Take over an adam: onboarding certificates with their serials, devices with their UUIDs "
                             "and configurations. No server may run on DIR meanwhile. Running it again imports what is new");
    command->add_option("DB_DIR", database_, "Its file database: onboard/ and device/")->required();
    command->add_option("--dir", directory_, "The server's directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_flag("--dry-run", dry_run_, "Judge everything, change nothing");
    return command;
  }
  Status run(cli::Console& console) override {
    std::error_code failure;
    if (!fs::is_directory(database_ / "onboard", failure) && !fs::is_directory(database_ / "device", failure))
      return fail(ErrorCode::not_found, database_.string() + " has neither onboard/ nor device/: it is no adam database");
    BIRTHMARK_TRY(const auto site, Site::open(directory_));
    if (!site->eve().current())
      return fail(ErrorCode::misconfigured,
                  "there is no EVE controller yet: birthmark onboard controller-pki --dir " + directory_.string());
    BIRTHMARK_TRY(const Counts counts, AdamImport(*site, dry_run_, console).run(database_));
    console.out << (dry_run_ ? "would import " : "imported ") << counts.onboarding << " onboarding certificates, " << counts.devices
                << " devices; " << counts.known << " devices were known, " << counts.refused << " entries were not imported\n";
    if (counts.refused > 0) return fail(ErrorCode::invalid, std::to_string(counts.refused) + " entries were not imported");
    return {};
  }

 private:
  fs::path database_, directory_;
  bool dry_run_ = false;
};

}  // namespace

void append_adam_import_command(cli::CommandList& commands) {
  commands.push_back(std::make_unique<AdamImportCommand>());
}

}  // namespace birthmark::app
