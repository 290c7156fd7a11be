// SPDX-License-Identifier: Apache-2.0
// birthmark-device eve-onboard: the command line of the procedure.
#include <charconv>
#include <ostream>
#include <thread>

#include "crypto/x509_codec.h"
#include "device/commands.h"
#include "device/eve_onboard.h"

namespace birthmark::device {
namespace {

constexpr const char* kHelp = R"(birthmark-device eve-onboard [--config-dir /config] ...

Registers this EVE node with the controller that /config/server names, as often as it takes. Makes the device's key and certificate in
/config the first time, and never another one. `self-register-pending` stands in /config from before the key is made until the
controller has accepted it; without that file a node that has its certificate is registered, and nothing is done.

  --config-dir DIR      server, root-certificate.pem, onboard.cert.pem, onboard.key.pem; the results go there too (default: /config)
  --api v1|v2           v2: signed envelopes (default); v1: mutual TLS, for controllers of 2019
  --serial TEXT         instead of what the hardware says
  --soft-serial TEXT    instead of DIR/soft_serial
  --status-file FILE    what is going on, as JSON (default: DIR/onboard-status.json)
  --attempts N          give up after N attempts (default: never)
  --again               register although it has before: the controller answers 200 to a node that it knows
  --first-delay N       seconds before the second attempt, growing to 600 (default: 2)

Exit codes: 0 registered, 1 refused, 2 usage, 3 /config is not complete, 4 no controller that can be believed answered.
)";

constexpr int kNotConfigured = 3, kUnreachable = 4;

int exit_code_of(EveOutcome outcome) {
  switch (outcome) {
    case EveOutcome::registered: return kDone;
    case EveOutcome::refused: return kFailed;
    case EveOutcome::not_configured: return kNotConfigured;
    case EveOutcome::unreachable: return kUnreachable;
  }
  return kFailed;
}

// What is wrong with an argument; empty: nothing.
std::string read_option(const std::string& name, const std::string& value, EveOnboardOptions& options) {
  const auto number = [&](unsigned& to) {
    const auto read = std::from_chars(value.data(), value.data() + value.size(), to);
    return read.ec == std::errc() && read.ptr == value.data() + value.size() ? std::string() : name + " takes a whole number, not " + value;
  };
  if (name == "--config-dir")
    options.config_directory = value;
  else if (name == "--serial")
    options.serial = value;
  else if (name == "--soft-serial")
    options.soft_serial = value;
  else if (name == "--status-file")
    options.status_file = value;
  else if (name == "--attempts")
    return number(options.attempts);
  else if (name == "--first-delay") {
    unsigned seconds = 0;
    std::string wrong = number(seconds);
    options.first_delay = std::chrono::seconds(seconds);
    return wrong;
  } else if (name == "--api") {
    if (value != "v1" && value != "v2") return "--api takes v1 or v2, not " + value;
    options.api = value == "v1" ? EveApi::v1 : EveApi::v2;
  } else {
    return "unknown option " + name;
  }
  return {};
}

std::string read_options(const std::vector<std::string>& arguments, EveOnboardOptions& options) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--again") {
      options.again = true;
      continue;
    }
    if (i + 1 == arguments.size()) return name.starts_with("--") ? name + " needs a value" : "unexpected argument " + name;
    if (std::string wrong = read_option(name, arguments[++i], options); !wrong.empty()) return wrong;
  }
  return {};
}

Instant now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

int run_eve_onboard(const std::vector<std::string>& arguments, const Console& console) {
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    console.out << kHelp;
    return kDone;
  }
  EveOnboardOptions options;
  if (const std::string wrong = read_options(arguments, options); !wrong.empty()) {
    console.err << "birthmark-device eve-onboard: " << wrong << "; --help says more\n";
    return kUsage;
  }
  const auto random = crypto::make_system_random();
  const EveOnboardTools tools{*random, now, [](std::chrono::seconds span) { std::this_thread::sleep_for(span); },
                              [&](const std::string& text) { console.err << "eve-onboard: " << text << std::endl; }};
  return exit_code_of(onboard_eve(options, tools));
}

}  // namespace birthmark::device
