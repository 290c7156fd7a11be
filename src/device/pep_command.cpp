// SPDX-License-Identifier: Apache-2.0
// birthmark-device pep ..., also when called pep-cli: the original's commands, flags, files and output, with exit codes that tell the
// truth.
#include <array>
#include <ostream>

#include "base/file.h"
#include "device/commands.h"
#include "device/pep_client.h"
#include "device/pep_options.h"
#include "device/pep_provision.h"
#include "device/program.h"

namespace birthmark::device {
namespace {

constexpr const char* kHelp =
    R"(pep COMMAND ...: identities for Izuma Edge gateways, from the pep server at PEP_SERVER_URL (http://localhost:5151)

  get-one-identity      have this gateway provisioned over its Factory Configurator Client, and keep identity.json
  get-enrollment-id     print the enrollment id of a serial number
  get-verification-key  print the verification key of a serial number's sealed journal
  list-enrollment-ids   save the enrollment ids as JSON, and as CSV for the portal
  provision             all of it on the gateway itself: stop edge-core, start the client, ask, install, start again
  help                  this

  -V, --version         print the version
  -h, --help            with or without a command

PEP_TOKEN_FILE names a file with the token, for servers that want one.
)";

constexpr const char* kIdentityHelp = R"(pep get-one-identity -s SERIAL -i IP -p PORT [...]

  -s SERIAL   the gateway's serial number (mandatory)
  -i IP       where its Factory Configurator Client listens (mandatory)
  -p PORT     and at which port (mandatory)
  -a URL      API (https://api.us-east-1.mbedcloud.com)
  -g URL      gateway services (https://gateways.us-east-1.mbedcloud.com)
  -w TEXT     hardware version (izuma-edge-gateway)
  -r TEXT     radio configuration (00)
  -l TEXT     LED configuration (01)
  -c TEXT     category (production)
  -k          make new keys for the sealed journal (journalctl --setup-keys) and send the verification key
  -e TIME     their change interval (10s)
  -v          say on stderr what is asked
)";

constexpr const char* kSerialHelp = "  -s SERIAL   the gateway's serial number (mandatory)\n  -v          say on stderr what is asked\n";

constexpr const char* kListHelp = R"(pep list-enrollment-ids [...]

  -l N        how many at once, 1 to 1000 (50)
  -o ORDER    ASC or DESC (DESC)
  -t ID       begin after the row with this _id
  -e csv      CSV too, as the portal takes it
  -f NAME     NAME.json and NAME.csv (enrollment_ids_list)
  --all       every page, into the same files
  -v          say on stderr what is asked
)";

constexpr mode_t kPrivate = 0600;

int usage(const Console& console, const std::string& command, const std::string& why) {
  console.err << "pep " << command << ": ERROR " << why << '\n';
  return kUsage;
}

int failed(const Console& console, const std::string& command, const std::string& why) {
  console.err << "pep " << command << ": ERROR " << why << '\n';
  return kFailed;
}

// journalctl prints the verification key first; it is a secret and goes nowhere but to the server.
Result<std::string> make_sealing_keys(const std::string& interval) {
  BIRTHMARK_TRY(const auto outcome, run_program({"journalctl", "--setup-keys", "--force", "--interval=" + interval}));
  const std::string line = outcome.output.substr(0, outcome.output.find('\n'));
  if (outcome.exit_code != 0 || line.empty())
    return fail(ErrorCode::unavailable, "journalctl made no keys (exit code " + std::to_string(outcome.exit_code) +
                                            "): is the journal persistent, and forward secure sealing built in?");
  return line;
}

int get_one_identity(const std::vector<std::string>& arguments, const Console& console) {
  const std::string command = "get-one-identity";
  const auto options = PepOptions::parse(arguments, "a:g:s:w:r:l:c:i:p:e:vk");
  if (!options) return usage(console, command, options.error().public_message);
  if (options->has("h") || arguments.empty()) {
    console.out << kIdentityHelp;
    return options->has("h") ? kDone : kUsage;
  }
  for (const auto& [letter, name] : {std::pair{"s", "-s <serial_number>"}, std::pair{"i", "-i <ip>"}, std::pair{"p", "-p <port_number>"}}) {
    if (options->value(letter).empty()) return usage(console, command, std::string(name) + " not specified!");
  }
  const auto client = PepClient::from_environment();
  if (!client) return failed(console, command, client.error().describe());
  PepParameters parameters{{"hardwareVersion", options->value("w", "izuma-edge-gateway")},
                           {"radioConfig", options->value("r", "00")},
                           {"ledConfig", options->value("l", "01")},
                           {"category", options->value("c", "production")},
                           {"ip", options->value("i")},
                           {"port", options->value("p")},
                           {"serialNumber", options->value("s")},
                           {"apiAddress", options->value("a", "https://api.us-east-1.mbedcloud.com")},
                           {"gatewayServicesAddress", options->value("g", "https://gateways.us-east-1.mbedcloud.com")}};
  if (options->has("v")) console.err << "asking for an identity for " << options->value("s") << '\n';
  if (options->has("k")) {
    // New keys make the old ones useless: only for a serial number that the server can still give.
    const auto known = client->get("/v3/enrollment-id", {{"serialNumber", options->value("s")}});
    if (!known) return failed(console, command, known.error().describe());
    if (known->status == 200)
      return failed(console, command, "the server has an identity for this serial number already; the journal's keys stay as they are");
    const auto key = make_sealing_keys(options->value("e", "10s"));
    if (!key) return failed(console, command, key.error().describe());
    parameters.emplace_back("verificationKey", *key);
  }
  const auto answer = client->identity(parameters);
  if (!answer) return failed(console, command, answer.error().describe());
  if (answer->status != 200) return failed(console, command, reason_of(*answer));
  const Status written = replace_file("identity.json", answer->body, kPrivate);
  if (!written) return failed(console, command, written.error().describe());
  console.out << answer->body << '\n';
  return kDone;
}

int get_by_serial(const std::string& command, const std::string& path, const std::vector<std::string>& arguments, const Console& console) {
  const auto options = PepOptions::parse(arguments, "s:v");
  if (!options) return usage(console, command, options.error().public_message);
  if (options->has("h") || arguments.empty()) {
    console.out << "pep " << command << " -s SERIAL\n\n" << kSerialHelp;
    return options->has("h") ? kDone : kUsage;
  }
  if (options->value("s").empty()) return usage(console, command, "-s <serial_number> not specified!");
  const auto client = PepClient::from_environment();
  if (!client) return failed(console, command, client.error().describe());
  if (options->has("v")) console.err << "asking for " << path << '\n';
  const auto answer = client->get(path, {{"serialNumber", options->value("s")}});
  if (!answer) return failed(console, command, answer.error().describe());
  if (answer->status != 200) return failed(console, command, reason_of(*answer));
  if (answer->body.empty()) return failed(console, command, "there is none for this serial number");
  console.out << answer->body << '\n';
  return kDone;
}

// The "_id" of the last row, and how many rows there were.
std::pair<std::string, std::size_t> last_row(const std::string& body) {
  constexpr std::string_view kId = "\"_id\":\"";
  std::size_t rows = 0;
  std::string last;
  for (std::size_t at = body.find(kId); at != std::string::npos; at = body.find(kId, at + 1)) {
    last = body.substr(at + kId.size(), 24);
    ++rows;
  }
  return {last, rows};
}

struct ListFiles {
  std::string json, csv;
};

Result<ListFiles> fetch_list(const PepClient& client, const PepOptions& options, const Console& console) {
  ListFiles files;
  std::string last = options.value("t");
  const bool all = options.has("all");
  std::size_t total = 0;
  for (;;) {
    const PepParameters parameters{
        {"order", options.value("o", "DESC")}, {"limit", options.value("l", all ? "1000" : "50")}, {"last", last}};
    BIRTHMARK_TRY(const auto answer, client.get("/v3/enrollment-ids", parameters));
    if (answer.status != 200) return fail(ErrorCode::unavailable, reason_of(answer));
    BIRTHMARK_TRY(const std::string csv, portal_csv(answer.body, files.csv.empty()));
    const auto [next, rows] = last_row(answer.body);
    if (total == 0 || rows > 0) files.json += answer.body + "\n";
    files.csv += csv;
    total += rows;
    if (!all || rows == 0) return files;
    console.err << total << " enrollment ids\n";
    last = next;
  }
}

int list_enrollment_ids(const std::vector<std::string>& arguments, const Console& console) {
  const std::string command = "list-enrollment-ids";
  const auto options = PepOptions::parse(arguments, "l:o:t:e:f:v", {"all"});
  if (!options) return usage(console, command, options.error().public_message);
  if (options->has("h")) {
    console.out << kListHelp;
    return kDone;
  }
  if (options->has("e") && options->value("e") != "csv") return usage(console, command, "-e takes csv");
  const auto client = PepClient::from_environment();
  if (!client) return failed(console, command, client.error().describe());
  const auto files = fetch_list(*client, *options, console);
  if (!files) return failed(console, command, files.error().describe());
  const std::string name = options->value("f", "enrollment_ids_list");
  Status written = replace_file(name + ".json", files->json, kPrivate);
  if (!written) return failed(console, command, written.error().describe());
  console.out << "JSON output saved successfully at " << name << ".json\n";
  if (!options->has("e")) return kDone;
  written = replace_file(name + ".csv", files->csv, kPrivate);
  if (!written) return failed(console, command, written.error().describe());
  console.out << "CSV output saved successfully at " << name << ".csv\n";
  return kDone;
}

}  // namespace

int run_pep(const std::vector<std::string>& arguments, const Console& console) {
  const std::string name = arguments.empty() ? std::string() : arguments.front();
  const std::vector<std::string> rest(arguments.empty() ? arguments.end() : arguments.begin() + 1, arguments.end());
  if (name == "-V" || name == "--version") {
    console.out << "Version: 2.6.1 (birthmark-device)\n";
    return kDone;
  }
  if (name == "get-one-identity") return get_one_identity(rest, console);
  if (name == "get-enrollment-id") return get_by_serial(name, "/v3/enrollment-id", rest, console);
  if (name == "get-verification-key") return get_by_serial(name, "/v3/verification-key", rest, console);
  if (name == "list-enrollment-ids") return list_enrollment_ids(rest, console);
  if (name == "provision") return run_pep_provision(rest, console);
  console.out << kHelp;
  const bool asked = name == "help" || name == "-h" || name == "--help";
  if (!asked && !name.empty()) console.err << "pep: there is no command '" << name << "'\n";
  return asked ? kDone : kUsage;
}

}  // namespace birthmark::device
