// SPDX-License-Identifier: Apache-2.0
#include "device/pep_provision.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "device/pep_client.h"
#include "device/pep_options.h"
#include "device/program.h"
#include "net/client.h"

namespace birthmark::device {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr mode_t kPrivate = 0600;
constexpr const char* kReady = "Factory flow begins";

constexpr const char* kHelp = R"(pep provision [...]: give this gateway its identity

Checks what is needed, stops and masks edge-core, starts the Factory Configurator Client, waits until it is ready, asks the pep server at
PEP_SERVER_URL, and installs what came of it. The old identity is erased only when the server has accepted the serial number.

  --fcc FILE            the client (/edge/system/bin/factory-configurator-client-example)
  --interface NAME      its network interface (eth0)
  --entropy FILE        its entropy source (/dev/urandom)
  --serial TEXT         the serial number, or
  --serial-from FILE    where it stands (/proc/cpuinfo)
  --work-dir DIR        where the client runs, and leaves its pal folder (/userdata/mbed/provision)
  --mcc-config DIR      where edge-core reads it (/userdata/mbed/mcc_config)
  --gw-config DIR       where identity.json goes (/userdata/edge_gw_config)
  --parsec              the key is in the TPM: the client writes mcc_config itself
  --parsec-socket FILE  (/run/parsec/parsec.sock)
  --no-systemd          do not touch edge-core
  --hardware TEXT  --radio TEXT  --led TEXT  --category TEXT  --api URL  --gateway-services URL
  --timeout SECONDS     for the client to get ready (60)
  --status-hook FILE    a program that is told "started", "done" or "failed", for an LED
  --verify              wait until edge-core says that it is connected, at most --verify-seconds (300)
  --reboot              reboot at the end
  --json                the outcome as one JSON object on stdout

Exit codes: 0 provisioned, 1 refused or failed, 2 usage, 3 something that is needed is not there (nothing was changed).
)";

constexpr int kNotReady = 3;

struct Plan {
  fs::path fcc, work, mcc_config, gw_config, parsec_socket;
  std::string interface, entropy, serial, hook;
  bool parsec = false, systemd = true, verify = false, reboot = false, json = false;
  std::chrono::seconds timeout{60}, verify_for{300};
  PepParameters fields;
};

// One run; each step says what it did, and what went wrong.
class Provisioning {
 public:
  Provisioning(Plan plan, const Console& console) : plan_(std::move(plan)), console_(console) {}

  int run() {
    if (const Status ready = check(); !ready) return finish(kNotReady, ready.error().describe());
    tell_hook("started");
    const Status done = provision();
    if (!done) return finish(kFailed, done.error().describe());
    return finish(kDone, {});
  }

 private:
  void say(const std::string& text) const { console_.err << "pep provision: " << text << std::endl; }

  // Before anything is changed.
  [[nodiscard]] Status check() const {
    if (plan_.serial.empty())
      return fail(ErrorCode::invalid, "there is no serial number: give --serial, or a file with one to --serial-from");
    if (::access(plan_.fcc.c_str(), X_OK) != 0)
      return fail(ErrorCode::not_found, plan_.fcc.string() + " is not there, or no program (--fcc)");
    std::error_code failure;
    if (!fs::exists("/sys/class/net/" + plan_.interface, failure))
      return fail(ErrorCode::not_found, "there is no network interface " + plan_.interface + " (--interface)");
    if (::access(plan_.entropy.c_str(), R_OK) != 0) return fail(ErrorCode::not_found, plan_.entropy + " cannot be read (--entropy)");
    if (plan_.parsec && !fs::exists(plan_.parsec_socket, failure))
      return fail(ErrorCode::not_found, plan_.parsec_socket.string() + " is not there: is the Parsec service running?");
    return {};
  }

  [[nodiscard]] Status systemctl(const std::string& verb, const std::string& unit) const {
    if (!plan_.systemd) return {};
    BIRTHMARK_TRY(const auto outcome, run_program({"systemctl", verb, unit}));
    if (outcome.exit_code == 0) return {};
    return fail(ErrorCode::unavailable, "systemctl " + verb + " " + unit + " ended with " + std::to_string(outcome.exit_code));
  }

  [[nodiscard]] static Status reboot() {
    BIRTHMARK_TRY(const auto outcome, run_program({"systemctl", "reboot"}));
    return outcome.exit_code == 0 ? Status()
                                  : fail(ErrorCode::unavailable, "systemctl reboot ended with " + std::to_string(outcome.exit_code));
  }

  [[nodiscard]] Status provision() {
    BIRTHMARK_CHECK(systemctl("stop", "edge-core"));
    BIRTHMARK_CHECK(systemctl("mask", "edge-core"));
    const Status given = obtain();
    // Whatever happened, the gateway must be able to start with what it has.
    const Status unmasked = systemctl("unmask", "edge-core");
    if (!given) return given;
    BIRTHMARK_CHECK(unmasked);
    if (plan_.verify) BIRTHMARK_CHECK(verify());
    if (plan_.reboot) BIRTHMARK_CHECK(reboot());
    return {};
  }

  [[nodiscard]] Status obtain() {
    std::error_code failure;
    fs::create_directories(plan_.work, failure);
    fs::remove_all(plan_.work / "pal", failure);  // of an earlier attempt
    BIRTHMARK_TRY(auto fcc, BackgroundProgram::start({fs::absolute(plan_.fcc).string()},
                                                     {"ETHERNET_LINUX_IFACE_NAME=" + plan_.interface, "ENTROPYSOURCE=" + plan_.entropy},
                                                     plan_.work.string()));
    BIRTHMARK_TRY(const FccAddress address, wait_for(fcc));
    say("the Factory Configurator Client listens at " + address.address + ":" + address.port);
    BIRTHMARK_TRY(const auto client, PepClient::from_environment());
    PepParameters parameters = plan_.fields;
    parameters.insert(parameters.end(), {{"ip", address.address}, {"port", address.port}, {"serialNumber", plan_.serial}});
    BIRTHMARK_TRY(const auto answer, client.identity(parameters));
    if (answer.status != 200) return fail(ErrorCode::unavailable, reason_of(answer));
    identity_ = answer.body;
    if (!fcc.wait(Clock::now() + std::chrono::seconds(10))) say("the Factory Configurator Client still runs; it is ended");
    return install();
  }

  // The address line alone is not enough: it is printed too when its port is taken (protocol facts, pep 5.2).
  [[nodiscard]] Result<FccAddress> wait_for(BackgroundProgram& fcc) const {
    const auto deadline = Clock::now() + plan_.timeout;
    FccAddress address;
    for (;;) {
      bool ended = false;
      const std::string line = fcc.next_line(deadline, ended);
      static_cast<void>(read_fcc_address(line, address));
      if (line.find(kReady) != std::string::npos && !address.port.empty()) return address;
      if (ended) return fail(ErrorCode::unavailable, "the Factory Configurator Client ended: " + (line.empty() ? "start it again" : line));
      if (Clock::now() >= deadline) return fail(ErrorCode::unavailable, "the Factory Configurator Client was not ready in time");
    }
  }

  // Erases the old identity, now that there is a new one.
  [[nodiscard]] Status install() const {
    std::error_code failure;
    fs::remove_all(plan_.gw_config, failure);
    fs::create_directories(plan_.gw_config, failure);
    BIRTHMARK_CHECK(replace_file(plan_.gw_config / "identity.json", identity_, kPrivate));
    if (plan_.parsec) {
      if (fs::exists(plan_.mcc_config / "pst", failure)) return {};
      return fail(ErrorCode::not_found, (plan_.mcc_config / "pst").string() + " is not there: the client has not stored its identity");
    }
    const fs::path pal = plan_.work / "pal";
    if (!fs::exists(pal, failure))
      return fail(ErrorCode::not_found, pal.string() + " is not there: the client has not stored its identity");
    fs::remove_all(plan_.mcc_config, failure);
    fs::create_directories(plan_.mcc_config.parent_path(), failure);
    fs::rename(pal, plan_.mcc_config, failure);
    if (!failure) return {};
    failure.clear();  // another file system
    fs::copy(pal, plan_.mcc_config, fs::copy_options::recursive, failure);
    if (failure) return fail(ErrorCode::unavailable, "cannot install " + plan_.mcc_config.string() + ": " + failure.message());
    fs::remove_all(pal, failure);
    return {};
  }

  [[nodiscard]] Status verify() const {
    BIRTHMARK_CHECK(systemctl("start", "edge-core"));
    const auto deadline = Clock::now() + plan_.verify_for;
    net::ClientRequest request;
    request.url = "http://localhost:9101/status";
    request.timeout = std::chrono::seconds(5);
    while (Clock::now() < deadline) {
      const auto answer = net::http_request(request);
      if (answer && answer->status == 200 && answer->body.find("\"connected\"") != std::string::npos) return {};
      std::this_thread::sleep_for(std::chrono::seconds(2));
    }
    return fail(ErrorCode::unavailable,
                "edge-core did not connect in time: are the enrollment id and the gateway CA uploaded to the account?");
  }

  void tell_hook(const std::string& state) const {
    if (plan_.hook.empty()) return;
    const auto told = run_program({plan_.hook, state});
    if (!told || told->exit_code != 0) say("the status hook failed");
  }

  int finish(int code, const std::string& why) {
    tell_hook(code == kDone ? "done" : "failed");
    if (!why.empty()) say(why);
    if (plan_.json) {
      console_.out << "{\"serial\":" << json_string(plan_.serial) << ",\"provisioned\":" << (code == kDone ? "true" : "false")
                   << ",\"error\":" << (why.empty() ? "null" : json_string(why))
                   << ",\"identity\":" << (identity_.empty() ? "null" : identity_) << "}\n";
    } else if (code == kDone) {
      console_.out << identity_ << '\n';
    }
    return code;
  }

  const Plan plan_;
  const Console& console_;
  std::string identity_;
};

Plan plan_of(const PepOptions& options) {
  Plan plan;
  plan.fcc = options.value("fcc", "/edge/system/bin/factory-configurator-client-example");
  plan.work = options.value("work-dir", "/userdata/mbed/provision");
  plan.mcc_config = options.value("mcc-config", "/userdata/mbed/mcc_config");
  plan.gw_config = options.value("gw-config", "/userdata/edge_gw_config");
  plan.parsec_socket = options.value("parsec-socket", "/run/parsec/parsec.sock");
  plan.interface = options.value("interface", "eth0");
  plan.entropy = options.value("entropy", "/dev/urandom");
  plan.serial = options.value("serial");
  plan.hook = options.value("status-hook");
  plan.parsec = options.has("parsec");
  plan.systemd = !options.has("no-systemd");
  plan.verify = options.has("verify");
  plan.reboot = options.has("reboot");
  plan.json = options.has("json");
  plan.fields = {{"hardwareVersion", options.value("hardware", "izuma-edge-gateway")},
                 {"radioConfig", options.value("radio", "00")},
                 {"ledConfig", options.value("led", "01")},
                 {"category", options.value("category", "production")},
                 {"apiAddress", options.value("api", "https://api.us-east-1.mbedcloud.com")},
                 {"gatewayServicesAddress", options.value("gateway-services", "https://gateways.us-east-1.mbedcloud.com")}};
  return plan;
}

std::optional<std::chrono::seconds> seconds_of(const std::string& text) {
  const bool digits =
      !text.empty() && text.size() < 7 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::int64_t seconds = 0;
  for (const char c : text) seconds = seconds * 10 + (c - '0');
  return std::chrono::seconds(seconds);
}

}  // namespace

bool read_fcc_address(const std::string& line, FccAddress& to) {
  constexpr std::string_view kLabel = "Client IP Address and Port";
  const std::size_t label = line.find(kLabel);
  if (label == std::string::npos) return false;
  const std::size_t begin = line.find_first_of("0123456789", label + kLabel.size());
  const std::size_t colon = begin == std::string::npos ? begin : line.find(':', begin);
  if (colon == std::string::npos) return false;
  const std::size_t end = std::min(line.find_first_not_of("0123456789", colon + 1), line.size());
  if (end == colon + 1) return false;
  to = {line.substr(begin, colon - begin), line.substr(colon + 1, end - colon - 1)};
  return true;
}

std::string serial_from(const std::string& text) {
  const auto trimmed = [](std::string value) {
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r' || value.back() == ' ' || value.back() == '\0'))
      value.pop_back();
    value.erase(0, std::min(value.find_first_not_of(" \t:"), value.size()));
    return value;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("Serial")) return trimmed(line.substr(6));
    at = end + 1;
  }
  const bool cpuinfo = text.find("processor") != std::string::npos;
  return cpuinfo ? std::string() : trimmed(text.substr(0, text.find('\n')));
}

int run_pep_provision(const std::vector<std::string>& arguments, const Console& console) {
  const auto options = PepOptions::parse(
      arguments, "", {"fcc=",       "interface=", "entropy=",          "serial=",    "serial-from=", "work-dir=", "mcc-config=",
                      "gw-config=", "parsec",     "parsec-socket=",    "no-systemd", "hardware=",    "radio=",    "led=",
                      "category=",  "api=",       "gateway-services=", "timeout=",   "status-hook=", "verify",    "verify-seconds=",
                      "reboot",     "json"});
  if (!options) {
    console.err << "pep provision: " << options.error().public_message << '\n';
    return kUsage;
  }
  if (options->has("h")) {
    console.out << kHelp;
    return kDone;
  }
  Plan plan = plan_of(*options);
  const auto timeout = seconds_of(options->value("timeout", "60")), verify_for = seconds_of(options->value("verify-seconds", "300"));
  if (!timeout || !verify_for) {
    console.err << "pep provision: --timeout and --verify-seconds take whole seconds\n";
    return kUsage;
  }
  plan.timeout = *timeout;
  plan.verify_for = *verify_for;
  if (plan.serial.empty()) {
    const auto text = read_file(options->value("serial-from", "/proc/cpuinfo"), 1U << 20U);
    if (text) plan.serial = serial_from(*text);
  }
  return Provisioning(std::move(plan), console).run();
}

}  // namespace birthmark::device
