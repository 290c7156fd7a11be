// SPDX-License-Identifier: Apache-2.0
// birthmark serve: the listeners over one data directory, until SIGTERM or SIGINT.
#include <pthread.h>
#include <sys/resource.h>

#include <time.h>
#include <csignal>
#include <ostream>
#include <utility>

#include "app/commands.h"
#include "app/control_socket.h"
#include "app/file_watch.h"
#include "app/listeners.h"
#include "app/reference_mode.h"
#include "app/service_notify.h"
#include "app/site.h"
#include "base/log.h"
#include "core/order_policy.h"
#include "net/server.h"

namespace birthmark::app {
namespace {

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// Every connection is a descriptor, and the usual soft limit of 1024 is far below limits.connections.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Reads configuration, keys and certificates anew: when told to, when their files change, and again and again while that fails, so that
// what heals by itself (a full disk, a key that comes back) needs nobody.
class Reloader {
 public:
  explicit Reloader(Site& site) : site_(site), watch_(site.directory()) {}

  void on_signal() {
    watch_.take();
    notify_reloading();
    site_.keys().try_pins();
    reload("SIGHUP");
    notify_service_manager("READY=1");
  }
  // Once a second.
  void look() {
    if (watch_.settled()) return reload("files changed");
    if (!failure_.empty() && site_.clock().uptime() - failed_at_ >= kTryAgain) reload("trying again");
  }

 private:
  static constexpr Duration kTryAgain = std::chrono::seconds(5);

  void reload(const char* why) {
    const auto later = site_.reload_everything();
    if (!later) {
      const std::string failure = later.error().describe();
      failed_at_ = site_.clock().uptime();
      if (std::exchange(failure_, failure) == failure) return;  // said already
      log::error("nothing reloaded, the earlier state stays", {{"why", why}, {"error", failure}});
      return;
    }
    failure_.clear();
    std::string names;
    for (const std::string& name : *later) names += (names.empty() ? "" : " ") + name;
    log::info("reloaded configuration, keys and certificates", {{"why", why}});
    if (!names.empty()) log::warning("these settings changed and count after a restart only", {{"settings", names}});
    for (const std::string& obstacle : site_.obstacles()) log::warning("not ready to issue", {{"reason", obstacle}});
  }

  Site& site_;
  FileWatch watch_;
  std::string failure_;  // of the last attempt; empty: it was good
  Duration failed_at_{};
};

// Once a second the housekeeping, until a signal ends the server.
void wait_for_the_end(Site& site, const sigset_t& signals) {
  constexpr timespec kSecond{1, 0};
  Reloader reloader(site);
  for (;;) {
    const int signal = ::sigtimedwait(&signals, nullptr, &kSecond);
    if (signal == SIGHUP) reloader.on_signal();
    if (signal == SIGTERM || signal == SIGINT) {
      log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      return;
    }
    if (signal < 0) reloader.look();
    site.housekeep();
  }
}

void warn_of_orders(Site& site) {
  if (site.config().rules.orders != core::OrderRule::required) return;
  const auto orders = site.orders().orders();
  const Instant now = site.clock().now();
  const bool any =
      orders && std::any_of(orders->begin(), orders->end(), [&](const auto& order) { return !core::why_not_open(order, now); });
  if (!any) log::warning("nobody can register yet: registration.orders is required and no order is open; see `birthmark order create`");
}

class ServeCommand final : public cli::LocalCommand {
 public:
  CLI::App* declare(CLI::App& root) override {
    CLI::App* command = root.add_subcommand("serve", "Run the server over a data directory until SIGTERM");
    command->add_option("--dir", directory_, "The server's data directory")->envname("BIRTHMARK_DIR")->type_name("DIR");
    command->add_flag(
        "--registration-ref", registration_ref_,
        "Take the place of factory-registration-ref: read its environment variables, take over its certificates and devices, keep "
        "its device log. DIR is then DATA_DIR/birthmark unless given");
    command->callback([this] {
      if (directory_.empty() && !registration_ref_) throw CLI::RequiredError("--dir");
    });
    command->add_option("--listen", listen_, "Start exactly these listeners instead of the configured ones; faces: " + face_names())
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
    BIRTHMARK_TRY(const auto site, open_site(console));
    BIRTHMARK_CHECK(site->use_tokens());
    BIRTHMARK_CHECK(site->check_audit_head());  // over an older database serials and refusals would be forgotten
    const Config& config = site->config();
    log::set_level(config.log_level);
    BIRTHMARK_TRY(const auto plans, plan_listeners(config, listen_));
    Listeners listeners(*site);
    BIRTHMARK_TRY(const auto server, net::Server::create(threads_ > 0 ? threads_ : config.threads, config.limits));
    BIRTHMARK_CHECK(listeners.open(plans, *server, console.out));
    BIRTHMARK_CHECK(site->start_outside());
    BIRTHMARK_TRY(const auto control, ControlServer::start(*site));
    BIRTHMARK_CHECK(server->start());
    warn_of_orders(*site);
    for (const std::string& obstacle : site->obstacles()) log::warning("not ready to issue", {{"reason", obstacle}});
    console.out << "ready" << std::endl;
    notify_service_manager("READY=1");
    wait_for_the_end(*site, signals);
    notify_service_manager("STOPPING=1");
    site->stop_outside();
    server->stop();
    return {};
  }

 private:
  Result<std::unique_ptr<Site>> open_site(cli::Console& console) {
    if (!registration_ref_) return Site::open(directory_);
    BIRTHMARK_TRY(ReferenceEnvironment environment, ReferenceEnvironment::of_process());
    if (!directory_.empty()) environment.state = directory_;
    BIRTHMARK_TRY(Config config, prepare_reference(environment, console));
    BIRTHMARK_TRY(auto site, Site::open(environment.state, std::move(config)));
    site->set_device_log(std::make_unique<ReferenceDeviceLog>(environment.paths.devices, site->codec()));
    return site;
  }

  std::filesystem::path directory_;
  std::vector<std::string> listen_;
  unsigned threads_ = 0;
  bool registration_ref_ = false;
};

}  // namespace

std::unique_ptr<cli::Command> make_serve_command() {
  return std::make_unique<ServeCommand>();
}

}  // namespace birthmark::app
