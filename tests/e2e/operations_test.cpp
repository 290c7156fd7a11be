// SPDX-License-Identifier: Apache-2.0
// What operators and their monitors see of a running server: the admin listener, check, sd_notify.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

struct Reply {
  int status = 0;
  std::string body;
  [[nodiscard]] json::object object() const { return json::parse(body).as_object(); }
};

// curl: another implementation of TLS and HTTP than ours.
Reply curl(Arguments arguments) {
  arguments.insert(arguments.begin(), {"curl", "-sS", "--max-time", "20", "-w", "\n%{http_code}"});
  const Outcome outcome = run(arguments);
  const std::size_t end = outcome.output.rfind('\n');
  if (outcome.exit_code != 0 || end == std::string::npos) return {0, outcome.errors};
  return {std::stoi(outcome.output.substr(end + 1)), outcome.output.substr(0, end)};
}

// A server with two listeners, and the ports it was given.
class Served {
 public:
  explicit Served(const Factory& factory)
      : child_({program(), "serve", "--dir", factory.directory(), "--listen", "registration=127.0.0.1:0", "--listen", "admin=127.0.0.1:0"},
               {{}, {}, factory.scratch() / "server.log"}) {
    while (text_.find("\nready\n") == std::string::npos) {
      pollfd waiting{child_.output_pipe(), POLLIN, 0};
      std::array<char, 1024> buffer{};
      require(::poll(&waiting, 1, 60'000) == 1, "the server does not get ready");
      const ssize_t got = ::read(child_.output_pipe(), buffer.data(), buffer.size());
      require(got > 0, "the server ended: " + read_text(factory.scratch() / "server.log"));
      text_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  [[nodiscard]] std::uint16_t port_of(const std::string& face) const {
    const std::string line = "listening " + face + " 127.0.0.1:";
    const std::size_t at = text_.find(line);
    require(at != std::string::npos, "no line for " + face + " in " + text_);
    return static_cast<std::uint16_t>(std::stoi(text_.substr(at + line.size())));
  }
  [[nodiscard]] std::uint16_t port() const { return port_of("registration"); }
  void send_signal(int number) const { child_.send_signal(number); }

 private:
  ChildProcess child_;
  std::string text_;
};

class AdminListener : public ::testing::Test {
 protected:
  explicit AdminListener(const std::string& settings = {}) {
    if (!settings.empty()) factory_.configure("registration", settings);
    token_ = first_line(factory_.command({"token", "create", "--scope", "admin"}));
    server_ = std::make_unique<Served>(factory_);
  }
  Reply ask(const std::string& path, Arguments more = {}) {
    const std::string port = std::to_string(server_->port_of("admin"));
    more.insert(more.end(), {"--cacert", factory_.directory() / "site-ca.pem", "https://localhost:" + port + path});
    return curl(std::move(more));
  }
  Reply with_token(const std::string& path, Arguments more = {}) {
    more.insert(more.end(), {"-H", "Authorization: Bearer " + token_});
    return ask(path, std::move(more));
  }
  Reply post(const std::string& path, const std::string& body) { return with_token(path, {"-d", body}); }

  Factory factory_;
  std::string token_;
  std::unique_ptr<Served> server_;
};

TEST_F(AdminListener, HealthIsOpenReadinessGivesReasonsToOperatorsOnly) {
  EXPECT_EQ(ask("/healthz").status, 200);
  EXPECT_EQ(ask("/readyz").status, 200);
  for (const auto& entry : std::filesystem::directory_iterator(factory_.directory() / "keys")) {
    if (entry.path().filename() == "local-ca.key" || entry.path().filename() == "online-ca.key")
      std::filesystem::rename(entry.path(), entry.path().string() + ".away");
  }
  server_->send_signal(SIGHUP);
  require(wait_until([&] { return ask("/readyz").status == 503; }), "still ready without a key");
  EXPECT_EQ(ask("/readyz").body, "{\"ready\":false}\n");
  const Reply why = with_token("/readyz");
  EXPECT_EQ(why.status, 503);
  EXPECT_FALSE(why.object().at("reasons").as_array().empty()) << why.body;
}

TEST_F(AdminListener, EverythingElseWantsTheScopeAdmin) {
  const std::string weak = first_line(factory_.command({"token", "create", "--scope", "devices:create,devices:read"}));
  for (const char* path : {"/metrics", "/api/v1/devices", "/api/v1/orders", "/api/v1/tokens", "/"}) {
    EXPECT_EQ(ask(path).status, 401) << path;
    EXPECT_EQ(ask(path, {"-H", "OSF-TOKEN: " + weak}).status, 403) << path;
  }
  EXPECT_EQ(with_token("/").status, 404);
}

TEST_F(AdminListener, MetricsCountRegistrationsByResultAndStation) {
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server_->port(), device.body())->status, 201);
  ASSERT_EQ(post_sign(server_->port(), device.body())->status, 201);
  ASSERT_EQ(post_sign(server_->port(), Device::make(device.uuid).body())->status, 409);
  const Reply metrics = with_token("/metrics");
  ASSERT_EQ(metrics.status, 200);
  for (const char* line :
       {"birthmark_registrations_total{result=\"issued\",station=\"127.0.0.1\"} 1",
        "birthmark_registrations_total{result=\"replayed\",station=\"127.0.0.1\"} 1",
        "birthmark_registrations_total{result=\"key_conflict\",station=\"127.0.0.1\"} 1", "birthmark_registration_seconds_count 3",
        "birthmark_figure{name=\"devices\"} 1", "birthmark_figure{name=\"outbox_waiting\"} 0",
        "birthmark_certificate_expiry_seconds{role=\"root\"", "birthmark_ready 1"})
    EXPECT_NE(metrics.body.find(line), std::string::npos) << line << "\n" << metrics.body;
}

TEST_F(AdminListener, DevicesOrdersAndTokensHaveTheirTwins) {
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server_->port(), device.body())->status, 201);
  EXPECT_EQ(with_token("/api/v1/devices").object().at("devices").as_array().size(), 1U);
  const Reply shown = with_token("/api/v1/devices/" + device.uuid);
  EXPECT_NE(std::string(shown.object().at("certificate").as_string()).find("BEGIN CERTIFICATE"), std::string::npos);
  EXPECT_EQ(post("/api/v1/devices/" + device.uuid + "/deny", "{}").status, 400) << "a reason is required";
  EXPECT_EQ(post("/api/v1/devices/" + device.uuid + "/deny", R"({"reason":"stolen"})").object().at("status").as_string(), "denied");
  EXPECT_EQ(post_sign(server_->port(), device.body())->status, 403);
  EXPECT_EQ(post("/api/v1/devices/" + device.uuid + "/explode", R"({"reason":"x"})").status, 404);
  EXPECT_EQ(with_token("/api/v1/devices/" + random_uuid()).status, 404);
  EXPECT_EQ(with_token("/api/v1/devices?limit=x").status, 400);

  EXPECT_EQ(post("/api/v1/orders", R"({"name":"first","places":5,"hardware_ids":["imx8mm"]})").status, 201);
  EXPECT_EQ(post("/api/v1/orders", R"({"name":"first","places":5})").status, 409);
  EXPECT_EQ(post("/api/v1/orders", R"({"name":"second"})").status, 400);
  EXPECT_EQ(post("/api/v1/orders", R"({"name":"second","places":"many"})").status, 400);
  EXPECT_EQ(post("/api/v1/orders", "not JSON").status, 400);
  EXPECT_EQ(post("/api/v1/orders/first/close", "{}").object().at("state").as_string(), "closed");
  EXPECT_EQ(with_token("/api/v1/orders").object().at("orders").as_array().size(), 1U);

  const Reply made = post("/api/v1/tokens", R"({"scopes":"devices:create","station":"line-1"})");
  ASSERT_EQ(made.status, 201);
  EXPECT_NE(made.object().at("token").as_string(), "");
  const std::string id(made.object().at("id").as_string());
  EXPECT_EQ(with_token("/api/v1/tokens").body.find(std::string(made.object().at("token").as_string())), std::string::npos);
  EXPECT_EQ(with_token("/api/v1/tokens/" + id, {"-X", "DELETE"}).status, 200);
  EXPECT_EQ(with_token("/api/v1/tokens/" + id).status, 405);
  factory_.command({"audit", "verify"});
}

TEST(Check, NamesWhatIsWrongInWordsAndEndsWithOne) {
  const Factory factory;
  const Outcome first = factory.birthmark({"check", "--dir", factory.directory()});
  EXPECT_EQ(first.exit_code, 1);
  EXPECT_NE(first.output.find("factory_ca.key is the factory's root key"), std::string::npos) << first.output;
  std::filesystem::rename(factory.pki(), factory.scratch() / "elsewhere");
  const Outcome good = factory.birthmark({"check", "--dir", factory.directory()});
  EXPECT_EQ(good.exit_code, 0) << good.output << good.errors;
  EXPECT_EQ(good.output, "no problems found\n");
  factory.configure("registration", "trust = \"token\"\norders = \"required\"");
  const Outcome closed = factory.birthmark({"check", "--dir", factory.directory()});
  EXPECT_EQ(closed.exit_code, 1);
  EXPECT_NE(closed.output.find("birthmark token create"), std::string::npos) << closed.output;
  EXPECT_NE(closed.output.find("birthmark order create"), std::string::npos) << closed.output;
  factory.configure("registration", "trsut = \"token\"");
  const Outcome unreadable = factory.birthmark({"check", "--dir", factory.directory()});
  EXPECT_EQ(unreadable.exit_code, 1);
  EXPECT_NE(unreadable.errors.find("trsut"), std::string::npos) << unreadable.errors;
}

// The service manager's end of NOTIFY_SOCKET.
class Manager {
 public:
  explicit Manager(const std::filesystem::path& path) : path_(path), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    require(name.size() < sizeof(address.sun_path), name + " is too long for a socket");
    std::copy(name.begin(), name.end(), address.sun_path);
    require(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "cannot bind " + path.string());
  }
  std::string next() {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) != 1) return {};
    std::array<char, 512> text{};
    const ssize_t got = ::recv(socket_.get(), text.data(), text.size(), 0);
    return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  [[nodiscard]] std::string environment() const { return "NOTIFY_SOCKET=" + path_.string(); }

 private:
  std::filesystem::path path_;
  FileDescriptor socket_;
};

TEST(ServiceManager, IsToldWhenReadyReloadingAndStopping) {
  const Factory factory;
  Manager manager(factory.scratch() / "notify");
  ServerProcess::Options options;
  options.environment = {manager.environment()};
  const auto server = factory.serve(options);
  EXPECT_EQ(manager.next(), "READY=1");
  server->send_signal(SIGHUP);
  EXPECT_TRUE(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(manager.next(), "READY=1");
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(manager.next(), "STOPPING=1");
}

}  // namespace
}  // namespace birthmark::e2e
