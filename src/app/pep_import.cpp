// SPDX-License-Identifier: Apache-2.0
// birthmark import pep FILE: gateways that the original server provisioned, from pep-cli's JSON or CSV, or mongoexport's lines. Serial
// numbers, enrollment ids, times and verification keys stay as they were.
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <ostream>
#include <tuple>

#include "app/commands.h"
#include "app/site.h"
#include "base/text.h"
#include "faces/izuma/factory_settings.h"

namespace birthmark::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatch = 500;
constexpr std::array<const char*, 9> kMembers{
    "hardwareVersion", "radioConfig", "ledConfig", "category", "serialNumber", "apiAddress", "gatewayServicesAddress", "OU", "deviceID"};
constexpr std::string_view kNoVerificationKey = "verification-key-does-not-exist";

std::string text_of(const json::object& row, std::string_view name) {
  const auto* value = row.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A number, a number in quotes (CSV), or mongoexport's {"$numberLong": "..."}.
std::optional<std::int64_t> number_of(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double()) return static_cast<std::int64_t>(value->get_double());
  if (value->is_object()) return number_of(value->get_object().if_contains("$numberLong"));
  if (!value->is_string() || value->get_string().size() > 15) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : value->get_string()) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return value->get_string().empty() ? std::nullopt : std::optional(number);
}

// "A-" and 32 octets with colons (protocol facts, pep 3.4).
std::optional<SpkiHash> fingerprint_of(std::string_view id) {
  if (id.size() != 97 || !id.starts_with("A-")) return std::nullopt;
  std::string digits;
  for (std::size_t i = 2; i < id.size(); ++i) {
    if ((i - 2) % 3 != 2)
      digits += id[i];
    else if (id[i] != ':')
      return std::nullopt;
  }
  const auto octets = from_hex(digits);
  return octets ? SpkiHash::from(*octets) : std::nullopt;
}

Result<core::ImportedGateway> gateway_of(const json::object& row, Site& site) {
  const std::string serial = text_of(row, "serialNumber");
  BIRTHMARK_CHECK(faces::izuma::check_serial_number(serial));
  core::ImportedGateway gateway;
  gateway.enrollment_id = text_of(row, "enrollmentID");
  const auto key = fingerprint_of(gateway.enrollment_id);
  if (!key) return fail(ErrorCode::invalid, "gateway '" + serial + "' has no enrollment id: it was never provisioned");
  const auto created = number_of(row.if_contains("createdAt"));
  gateway.device.at = created && *created > 0 ? from_unix_ms(*created) : site.clock().now();
  BIRTHMARK_TRY(gateway.device.identity, core::identify(site.factory(), core::Ecosystem::izuma, serial, core::DeviceIdRule::line));
  BIRTHMARK_CHECK(site.random().fill(gateway.device.device_id.octets));
  gateway.device.key = *key;
  gateway.device.source = "import:pep";
  for (const char* name : kMembers) {
    const auto* value = row.if_contains(name);
    if (value == nullptr || !value->is_string()) continue;
    gateway.draft.fields +=
        (gateway.draft.fields.empty() ? "" : ",") + json_string(name) + ":" + json_string(std::string_view(value->get_string()));
  }
  const std::string verification_key = text_of(row, "verificationKey");
  if (verification_key != kNoVerificationKey && verification_key != "undefined") gateway.draft.verification_key = verification_key;
  gateway.device.audit_body = core::audit_body(core::AuditEvent::device_imported, gateway.device.at,
                                               {{"factory", site.factory()},
                                                {"ecosystem", "izuma"},
                                                {"id", gateway.device.identity.external_id},
                                                {"key", to_hex(key->view())},
                                                {"source", "pep"},
                                                {"actor", site.actor()}});
  return gateway;
}

// RFC 4180, quoted fields over line ends too.
std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
  std::vector<std::vector<std::string>> rows(1);
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '\n')) {
      rows.back().push_back(std::exchange(field, {}));
      if (c == '\n') rows.emplace_back();
    } else if (quoted || c != '\r') {
      field += c;
    }
  }
  if (!field.empty() || !rows.back().empty()) rows.back().push_back(std::move(field));
  std::erase_if(rows, [](const auto& row) { return row.empty() || (row.size() == 1 && row.front().empty()); });
  return rows;
}

Result<std::vector<json::object>> rows_of_csv(std::string_view text) {
  const auto rows = parse_csv(text);
  std::vector<json::object> objects;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    json::object object;
    for (std::size_t column = 0; column < rows[i].size() && column < rows[0].size(); ++column) object[rows[0][column]] = rows[i][column];
    objects.push_back(std::move(object));
  }
  if (objects.empty()) return fail(ErrorCode::invalid, "the file has no rows");
  return objects;
}

Status take_value(const json::value& value, std::vector<json::object>& objects) {
  const auto* object = value.if_object();
  if (object == nullptr) return fail(ErrorCode::invalid, "a line is no JSON object");
  const auto* results = object->if_contains("results");
  if (results == nullptr) {
    objects.push_back(*object);
    return {};
  }
  if (!results->is_array()) return fail(ErrorCode::invalid, "\"results\" is no list");
  for (const json::value& row : results->get_array()) {
    if (!row.is_object()) return fail(ErrorCode::invalid, "a row of \"results\" is no object");
    objects.push_back(row.get_object());
  }
  return {};
}

// One document, or one on each line.
Result<std::vector<json::object>> rows_of(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return fail(ErrorCode::invalid, "the file is empty");
  if (text[first] != '{' && text[first] != '[') return rows_of_csv(text.substr(first));
  std::vector<json::object> objects;
  json::stream_parser parser;
  boost::system::error_code error;
  std::size_t at = first;
  while (at < text.size()) {
    at += parser.write_some(text.data() + at, text.size() - at, error);
    if (!error && !parser.done()) parser.finish(error);
    if (error) return fail(ErrorCode::invalid, "the file is not JSON: " + error.message());
    const json::value value = parser.release();
    parser.reset();
    if (value.is_array()) {
      for (const json::value& row : value.get_array()) BIRTHMARK_CHECK(take_value(row, objects));
    } else {
      BIRTHMARK_CHECK(take_value(value, objects));
    }
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
  }
  return objects;
}

class ImportPepCommand final : public cli::DirectoryCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = cli::command_group(root, "import", "Take over what another system registered")
                            ->add_subcommand("pep",
                                             "Take over the gateways of a pep server: the JSON or CSV of pep-cli list-enrollment-ids, or "
                                             "mongoexport's lines of edge_identities. Running it again imports what is new");
    declare_directory(*command);
    command->add_option("FILE", file_, "The file")->required();
    command->add_flag("--dry-run", dry_run_, "Judge everything, change nothing");
    return command;
  }
  [[nodiscard]] std::vector<std::filesystem::path> input_files() const override { return {file_}; }

  Status run(cli::Console& console, cli::Workbench& workbench, const std::vector<cli::InputFile>& inputs) override {
    auto& site = dynamic_cast<Site&>(workbench);
    BIRTHMARK_TRY(const auto rows, rows_of(inputs.front().contents));
    std::vector<core::ImportedGateway> gateways;
    std::size_t refused = 0;
    for (const json::object& row : rows) {
      auto gateway = gateway_of(row, site);
      if (gateway) {
        gateways.push_back(std::move(*gateway));
        continue;
      }
      ++refused;
      console.err << "refused: " << gateway.error().public_message << '\n';
    }
    // As they were provisioned, so that lists keep their order.
    std::sort(gateways.begin(), gateways.end(), [](const core::ImportedGateway& a, const core::ImportedGateway& b) {
      return std::tie(a.device.at, a.device.identity.external_id) < std::tie(b.device.at, b.device.identity.external_id);
    });
    std::map<core::ImportOutcome, std::size_t> counts;
    if (!dry_run_) BIRTHMARK_CHECK(import(site, gateways, counts));
    const std::size_t taken = counts[core::ImportOutcome::another_key] + counts[core::ImportOutcome::denied];
    console.out << (dry_run_ ? "would import " + std::to_string(gateways.size())
                             : "imported " + std::to_string(counts[core::ImportOutcome::imported]))
                << ", known " << counts[core::ImportOutcome::known] << ", taken or denied " << taken << ", refused " << refused << '\n';
    if (refused + taken > 0) return fail(ErrorCode::invalid, std::to_string(refused + taken) + " gateways were not imported");
    return {};
  }

 private:
  static Status import(Site& site, std::vector<core::ImportedGateway>& gateways, std::map<core::ImportOutcome, std::size_t>& counts) {
    for (std::size_t at = 0; at < gateways.size(); at += kBatch) {
      const std::size_t end = std::min(gateways.size(), at + kBatch);
      std::vector<core::ImportedGateway> batch(std::make_move_iterator(gateways.begin() + static_cast<std::ptrdiff_t>(at)),
                                               std::make_move_iterator(gateways.begin() + static_cast<std::ptrdiff_t>(end)));
      BIRTHMARK_TRY(const auto outcomes, site.wait(site.gateways().import(std::move(batch))));
      for (const core::ImportOutcome outcome : outcomes) ++counts[outcome];
    }
    return {};
  }

  std::filesystem::path file_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> make_import_pep_command() {
  return std::make_unique<ImportPepCommand>();
}

}  // namespace birthmark::app
