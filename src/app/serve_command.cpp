// SPDX-License-Identifier: Apache-2.0
// birthmark serve: the listeners over one data directory, until SIGTERM or SIGINT.
#include <pthread.h>
#include <sys/resource.h>

#include <time.h>
#include <algorithm>
#include <csignal>
#include <ostream>

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/site.h"
#include "base/log.h"
#include "faces/foundries/registration_face.h"
#include "net/server.h"

namespace birthmark::app {
namespace {

constexpr std::string_view kRegistrationFace = "registration";

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// FACE=HOST:PORT
Result<net::Endpoint> parse_listen(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string face = text.substr(0, equals);
  if (equals == std::string::npos) return fail(ErrorCode::invalid, "--listen " + text + ": expected FACE=HOST:PORT");
  if (face != kRegistrationFace)
    return fail(ErrorCode::invalid, "--listen " + text + ": unknown face '" + face + "'; this version has: registration");
  return net::parse_endpoint(text.substr(equals + 1));
}

// Every connection is a descriptor, and the usual soft limit of 1024 is far below limits.connections.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void reload(Site& site) {
  if (auto reloaded = site.reload(); reloaded) {
    log::info("reloaded keys and trust");
  } else {
    log::error("nothing reloaded, the earlier state stays", {{"error", reloaded.error().describe()}});
  }
}

// Once a second the housekeeping, until a signal ends the server.
void wait_for_the_end(Site& site, const sigset_t& signals) {
  constexpr timespec kSecond{1, 0};
  for (;;) {
    const int signal = ::sigtimedwait(&signals, nullptr, &kSecond);
    if (signal == SIGHUP) reload(site);
    if (signal == SIGTERM || signal == SIGINT) {
      log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return;
    }
    site.housekeep();
  }
}

std::string join(const std::vector<core::Network>& networks) {
  std::string joined;
  for (const core::Network& network : networks) joined += (joined.empty() ? "" : " ") + network.text();
  return joined;
}

// What an operator should know of a listener from which anybody, or nobody, can register.
void warn_of_trust(Site& site, const std::string& listener) {
  const core::AdmissionRules& rules = site.config().admission;
  if (rules.trust == core::RegistrationTrust::open) {
    const std::string networks = join(rules.networks.empty() ? core::private_networks() : rules.networks);
    log::warning("registration is open: whoever reaches this listener from these networks may register devices",
                 {{"listener", listener}, {"networks", networks}});
    return;
  }
  log::warning("tokens cross this listener in the clear: keep it on a network where nobody listens", {{"listener", listener}});
  const auto tokens = site.tokens().tokens();
  const bool any = tokens && std::any_of(tokens->begin(), tokens->end(), [](const core::TokenRecord& token) {
                     return !token.revoked_at && token.scopes.hold(core::Scope::devices_create);
                   });
  if (!any) log::warning("nobody can register yet: make a token with `birthmark token create --scope devices:create`");
}

class ServeCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("serve", "Run the server over a data directory until SIGTERM");
    command->add_option("--dir", directory_, "The server's data directory")->envname("BIRTHMARK_DIR")->required()->type_name("DIR");
    command->add_option("--listen", listen_, "Start exactly these listeners instead of the configured ones (faces: registration)")
        ->type_name("FACE=HOST:PORT");
    command->add_option("--threads", threads_, "Network threads (default: server.threads, or one per core)")
        ->type_name("N")
        ->check(CLI::Range(1, 256));
    return command;
  }

  Status run(cli::Console& console) override {
    const sigset_t signals = handled_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread: they all inherit it
    raise_descriptor_limit();
    BIRTHMARK_TRY(const auto site, Site::open(directory_));
    BIRTHMARK_CHECK(site->check_audit_head());  // over an older database serials and refusals would be forgotten
    const Config& config = site->config();
    log::set_level(config.log_level);
    BIRTHMARK_TRY(const auto endpoints, endpoints_of(config));
    BIRTHMARK_TRY(const auto server, net::Server::create(threads_ > 0 ? threads_ : config.threads, config.limits));
    faces::foundries::RegistrationFace registration(site->gate(), site->enroller(), site->registry(),
                                                    {config.gateway_server(), config.ostree_server()});
    for (const net::Endpoint& endpoint : endpoints) {
      BIRTHMARK_TRY(const auto bound, server->listen(endpoint, registration));
      console.out << "listening registration " << net::to_string(bound) << '\n';
      warn_of_trust(*site, net::to_string(bound));
    }
    BIRTHMARK_TRY(const auto control, ControlServer::start(*site));
    BIRTHMARK_CHECK(server->start());
    for (const std::string& obstacle : site->obstacles()) log::warning("not ready to issue", {{"reason", obstacle}});
    console.out << "ready" << std::endl;
    wait_for_the_end(*site, signals);
    server->stop();
    return {};
  }

 private:
  [[nodiscard]] Result<std::vector<net::Endpoint>> endpoints_of(const Config& config) const {
    if (listen_.empty() && config.registration_listen.empty())
      return fail(ErrorCode::misconfigured, "there is nothing to listen on: registration.listen is empty and no --listen was given");
    if (listen_.empty()) return config.registration_listen;
    std::vector<net::Endpoint> endpoints;
    for (const std::string& text : listen_) {
      BIRTHMARK_TRY(const auto endpoint, parse_listen(text));
      endpoints.push_back(endpoint);
    }
    return endpoints;
  }

  std::filesystem::path directory_;
  std::vector<std::string> listen_;
  unsigned threads_ = 0;
};

}  // namespace

std::unique_ptr<cli::Command> make_serve_command() {
  return std::make_unique<ServeCommand>();
}

}  // namespace birthmark::app
