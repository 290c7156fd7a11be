// SPDX-License-Identifier: Apache-2.0
#include "device/eve_onboard.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/file.h"
#include "base/text.h"
#include "device/config_file.h"

namespace birthmark::device {
namespace {

std::string trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string read_line(const std::filesystem::path& path) {
  const auto text = read_file(path);
  return text ? trim(*text) : std::string();
}

// "Serial		: 10000000abcdef" of ARM boards.
std::string cpu_serial(const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return {};
  std::string_view rest(*text);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && trim(line.substr(0, colon)) == "Serial") return trim(line.substr(colon + 1));
  }
  return {};
}

// One run of the procedure.
class Procedure {
 public:
  Procedure(const EveOnboardOptions& options, const EveOnboardTools& tools)
      : options_(options), tools_(tools), directory_(options.config_directory) {}

  EveOutcome run() {
    const auto lock = lock_file(directory_.file("eve-onboard.lock"));
    if (!lock) return stop(EveOutcome::not_configured, lock.error().describe());
    if (const auto missing = first_missing()) return stop(EveOutcome::not_configured, *missing);
    auto identity = directory_.identity(tools_.random, tools_.now());
    if (!identity) return stop(EveOutcome::not_configured, identity.error().describe());
    if (!directory_.is_pending() && !options_.again) {
      note("registered", "registered before: there is no " + std::string(kPendingFile));
      return EveOutcome::registered;
    }
    return register_until_known(*identity);
  }

 private:
  [[nodiscard]] std::optional<std::string> first_missing() const {
    for (const char* name : {"server", "root-certificate.pem", "onboard.cert.pem", "onboard.key.pem"})
      if (read_line(directory_.file(name)).empty()) return directory_.file(name).string() + " is missing or empty";
    return std::nullopt;
  }

  [[nodiscard]] EveControllerClient make_client() const {
    EveSerials serials;
    serials.serial = options_.serial.value_or(discover_serial("/"));
    serials.soft_serial = options_.soft_serial.value_or(read_line(directory_.file("soft_serial")));
    // Read anew for each attempt: an operator may have corrected it.
    return {options_.api,
            {read_line(directory_.file("server")), directory_.file("root-certificate.pem"), directory_.file("onboard.cert.pem"),
             directory_.file("onboard.key.pem"), directory_.file(kDeviceCertificateFile), directory_.file(kDeviceKeyFile)},
            std::move(serials)};
  }

  EveOutcome register_until_known(const EveIdentity& identity) {
    std::chrono::seconds delay = options_.first_delay;
    bool refused = false;
    for (unsigned attempt = 1;; ++attempt) {
      std::optional<std::chrono::seconds> asked_to_wait;
      if (attempt_once(identity, refused, asked_to_wait)) return EveOutcome::registered;
      if (options_.attempts > 0 && attempt >= options_.attempts) return refused ? EveOutcome::refused : EveOutcome::unreachable;
      tools_.wait(asked_to_wait ? std::max(*asked_to_wait, std::chrono::seconds(1)) : delay);
      delay = std::min(2 * (delay + std::chrono::seconds(1)), options_.longest_delay);
    }
  }

  // /uuid first: after a crash the controller may know this certificate already. Then the same certificate, whatever the answer was before.
  bool attempt_once(const EveIdentity& identity, bool& refused, std::optional<std::chrono::seconds>& asked_to_wait) {
    EveControllerClient client = make_client();
    if (auto learned = client.learn_controller(tools_.now()); !learned) return went_wrong(learned.error(), refused);
    if (know_uuid(client, identity)) return true;
    BIRTHMARK_CRASH_POINT("device.before_register");
    const auto answer = client.register_device(identity);
    BIRTHMARK_CRASH_POINT("device.after_register");
    if (!answer) return went_wrong(answer.error(), refused);
    if (answer->status != 200 && answer->status != 201) {
      refused = true;
      asked_to_wait = answer->retry_after;
      note("refused", explain(*answer));
      return false;
    }
    refused = false;
    if (know_uuid(client, identity)) return true;
    note("accepted", "the controller accepted the registration but does not tell the UUID yet");
    return false;
  }

  bool know_uuid(EveControllerClient& client, const EveIdentity& identity) {
    const auto answer = client.ask_uuid(identity);
    if (!answer || answer->status != 200 || answer->uuid.empty()) return false;
    if (auto written = directory_.write_uuid(answer->uuid); !written) return went_wrong_here(written.error());
    if (auto removed = directory_.remove_pending(); !removed) return went_wrong_here(removed.error());
    note("registered", "registered", answer->uuid);
    return true;
  }

  bool went_wrong(const Error& error, bool& refused) {
    refused = false;
    return went_wrong_here(error);
  }
  bool went_wrong_here(const Error& error) {
    note("waiting", error.describe());
    return false;
  }

  static std::string explain(const EveAnswer& answer) {
    std::string text = "the controller refuses the registration: HTTP " + std::to_string(answer.status);
    if (answer.status == 403) text += ", the onboarding certificate or the serial is not announced there";
    if (answer.status == 409) text += ", this serial is registered with another device certificate: an operator must allow the change";
    return answer.message.empty() ? text : text + " (" + answer.message + ")";
  }

  EveOutcome stop(EveOutcome outcome, const std::string& text) {
    note("not configured", text);
    return outcome;
  }

  void note(const std::string& state, const std::string& text, const std::string& uuid = {}) {
    tools_.say(text);
    const auto path = options_.status_file.empty() ? directory_.file("onboard-status.json") : options_.status_file;
    const std::string status = "{\"state\":" + json_string(state) + ",\"text\":" + json_string(text) + ",\"uuid\":" + json_string(uuid) +
                               ",\"at\":" + json_string(format_rfc3339(tools_.now())) + "}\n";
    static_cast<void>(write_config_file(path, status, Secrecy::open));  // a status that cannot be written must not stop the registration
  }

  const EveOnboardOptions& options_;
  const EveOnboardTools& tools_;
  const EveConfigDirectory directory_;
};

}  // namespace

EveOutcome onboard_eve(const EveOnboardOptions& options, const EveOnboardTools& tools) {
  return Procedure(options, tools).run();
}

std::string discover_serial(const std::filesystem::path& root) {
  const std::string dmi = read_line(root / "sys/class/dmi/id/product_serial");
  if (!dmi.empty() && dmi != "Not Specified") return dmi;
  const std::string cpu = cpu_serial(root / "proc/cpuinfo");
  return cpu.empty() ? read_line(root / "sys/devices/soc0/serial_number") : cpu;
}

}  // namespace birthmark::device
