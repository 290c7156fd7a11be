// SPDX-License-Identifier: Apache-2.0
// What a line's other systems read: events as they happen, signed exports, test devices apart, request ids, the upstream over REST.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "curl.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"
#include "test_upstream.h"

namespace birthmark::e2e {
namespace {

namespace fs = std::filesystem;

// What a child writes, as far as it has come.
class Follower {
 public:
  Follower(const Arguments& arguments, const fs::path& errors) : child_(arguments, {{}, {}, errors}) {}
  bool reads(std::string_view phrase) {
    return wait_until([&] {
      pollfd waiting{child_.output_pipe(), POLLIN, 0};
      if (::poll(&waiting, 1, 10) == 1) {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(child_.output_pipe(), buffer.data(), buffer.size());
        if (got > 0) text_.append(buffer.data(), static_cast<std::size_t>(got));
      }
      return text_.find(phrase) != std::string::npos;
    });
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  ChildProcess& child() { return child_; }

 private:
  ChildProcess child_;
  std::string text_;
};

TEST(Events, AreFollowedAsTheyHappenAndTheServerEndsWithoutThem) {
  const Factory factory;
  const auto server = factory.serve();
  const Device before = Device::make();
  ASSERT_EQ(post_sign(server->port(), before.body())->status, 201);
  Follower follower({program(), "events", "--follow", "--all", "--dir", factory.directory()}, factory.scratch() / "follower.err");
  // It begins at some moment after its start: something is made to happen until it was seen.
  require(wait_until([&] {
            factory.command({"token", "create", "--scope", "devices:read"});
            pollfd waiting{follower.child().output_pipe(), POLLIN, 0};
            return ::poll(&waiting, 1, 100) == 1;
          }),
          "nothing is followed");
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_TRUE(follower.reads(device.uuid)) << follower.text();
  ASSERT_EQ(post_sign(server->port(), Device::make(device.uuid).body())->status, 409);
  EXPECT_TRUE(follower.reads(R"("event":"device_refused")")) << follower.text();
  EXPECT_EQ(follower.text().find(before.uuid), std::string::npos) << "that was before";
  EXPECT_EQ(server->stop(), 0) << "the server waits for who follows";
  const auto end = follower.child().wait();
  ASSERT_TRUE(end);
}

TEST(Events, GoOnBehindASequenceAndNeedAServerToFollow) {
  const Factory factory;
  {
    const auto server = factory.serve();
    for (int i = 0; i < 3; ++i) ASSERT_EQ(post_sign(server->port(), Device::make().body())->status, 201);
    EXPECT_EQ(server->stop(), 0);
  }
  std::istringstream lines(factory.command({"events"}));
  std::vector<boost::json::object> events;
  for (std::string line; std::getline(lines, line);) events.push_back(boost::json::parse(line).as_object());
  ASSERT_EQ(events.size(), 3U);
  const auto second = events[1].at("sequence").to_number<std::uint64_t>();
  const std::string rest = factory.command({"events", "--after", std::to_string(second)});
  EXPECT_EQ(boost::json::parse(rest).as_object(), events[2]);
  const Outcome alone = factory.birthmark({"events", "--follow", "--dir", factory.directory()});
  EXPECT_EQ(alone.exit_code, 1);
  EXPECT_NE(alone.errors.find("birthmark serve"), std::string::npos) << alone.errors;
}

TEST(Export, ASignatureIsCheckedWithTheRootAloneAndOpenssl) {
  const Factory factory;
  const auto server = factory.serve();
  for (int i = 0; i < 5; ++i) ASSERT_EQ(post_sign(server->port(), Device::make().body())->status, 201);
  const fs::path signature = factory.scratch() / "devices.csv.p7s", rows = factory.scratch() / "devices.csv";
  write_text(rows, factory.command({"device", "export", "--sign", signature}));
  const Arguments verify{"openssl",  "cms",       "-verify",  "-binary",  "-inform", "PEM",
                         "-in",      signature,   "-content", rows,       "-CAfile", factory.pki() / "factory_ca.pem",
                         "-purpose", "sslserver", "-out",     "/dev/null"};
  const Outcome good = run(verify);
  EXPECT_EQ(good.exit_code, 0) << good.errors;
  std::string changed = read_text(rows);
  changed.replace(changed.find("active"), 6, "denied");
  write_text(rows, changed);
  EXPECT_NE(run(verify).exit_code, 0) << "a changed export is believed";
  EXPECT_EQ(factory.birthmark({"device", "export", "--sign", signature, "--dir", factory.directory()}).exit_code, 1)
      << "a signature that is there was overwritten";
  EXPECT_EQ(server->stop(), 0);
}

TEST(TestDevices, StayOutOfExportsAndArePurgedWhenTheirTimeIsOver) {
  const Factory factory;
  factory.configure("registration", "orders = \"required\"");
  factory.command({"order", "create", "trial", "--count", "10", "--hardware-id", "bench", "--test", "--valid-for", "5s"});
  factory.command({"order", "create", "real", "--count", "10", "--hardware-id", "intel-corei7-64"});
  const auto server = factory.serve();
  const Device real = Device::make(), trial = Device::make();
  ASSERT_EQ(post_sign(server->port(), real.body())->status, 201);
  boost::json::object request = trial.request();
  request["hardware-id"] = "bench";
  const auto made = post_sign(server->port(), boost::json::serialize(request));
  ASSERT_TRUE(made && made->status == 201) << (made ? made->body : "");
  const std::string exported = factory.command({"device", "export"});
  EXPECT_NE(exported.find(real.uuid), std::string::npos);
  EXPECT_EQ(exported.find(trial.uuid), std::string::npos);
  EXPECT_NE(factory.command({"device", "export", "--include-test"}).find(trial.uuid), std::string::npos);
  const std::string alone = factory.command({"device", "list", "--test", "yes"});
  EXPECT_NE(alone.find(trial.uuid), std::string::npos);
  EXPECT_EQ(alone.find(real.uuid), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_TRUE(wait_until([&] { return factory.command({"device", "purge-test"}) == "1 test device was forgotten\n"; }));
  EXPECT_EQ(factory.command({"device", "purge-test"}), "0 test devices were forgotten\n");
  EXPECT_NE(factory.command({"device", "show", trial.uuid}).find("released"), std::string::npos);
  EXPECT_NE(factory.command({"device", "show", real.uuid}).find("active"), std::string::npos);
  EXPECT_EQ(factory.command({"device", "export"}).find(trial.uuid), std::string::npos);
  factory.command({"audit", "verify"});
}

TEST(RequestIds, AreEchoedAndStandInTheLog) {
  const Factory factory;
  const auto server = factory.serve();
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  std::string text = request_text("POST", "/sign", Device::make(device.uuid).body());
  text.insert(text.find("\r\n") + 2, "X-Request-Id: run-7.board_3\r\n");
  const auto refused = ask(server->port(), text);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 409);
  EXPECT_EQ(refused->header("x-request-id"), "run-7.board_3");
  EXPECT_TRUE(wait_until([&] { return server->log_text().find("request=run-7.board_3") != std::string::npos; })) << server->log_text();
  std::string forged = request_text("POST", "/sign", "{}");
  forged.insert(forged.find("\r\n") + 2, "X-Request-Id: a b\" level=error\r\n");
  const auto answer = ask(server->port(), forged);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->header("x-request-id"), "");
  EXPECT_EQ(answer->header("x-request-id").find(' '), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
}

TEST(UpstreamTwins, TellListAndMoveMessages) {
  const Factory factory;
  TestUpstream upstream(factory.scratch());
  upstream.configure(factory);
  ServerProcess::Options options;
  options.listen = {"registration=127.0.0.1:0", "admin=127.0.0.1:0"};
  const auto server = factory.serve(options);
  const std::string token = factory.command({"token", "create", "--scope", "admin"});
  const auto call = [&](const std::string& path, Arguments more = {}) {
    more.insert(more.end(), {"-H", "Authorization: Bearer " + token.substr(0, token.find('\n')), "--cacert",
                             factory.directory() / "site-ca.pem", "https://localhost:" + std::to_string(server->port("admin")) + path});
    return curl(std::move(more));
  };
  const Device device = Device::make();
  ASSERT_EQ(post_sign(server->port(), device.body())->status, 201);
  EXPECT_TRUE(wait_until([&] { return call("/api/v1/upstream").object().at("hold").as_string() == "unreachable"; }));
  const auto listed = call("/api/v1/upstream/messages?state=waiting").object();
  ASSERT_EQ(listed.at("messages").as_array().size(), 1U);
  EXPECT_EQ(listed.at("messages").as_array()[0].at("id").as_string(), device.uuid);
  EXPECT_EQ(call("/api/v1/upstream/messages?state=lost").status, 400);
  EXPECT_EQ(call("/api/v1/upstream/drop", {"-d", R"({"state":"waiting"})"}).status, 400) << "a reason is required";
  EXPECT_EQ(call("/api/v1/upstream/drop", {"-d", R"({"message":4711,"reason":"x"})"}).status, 404);
  EXPECT_EQ(call("/api/v1/upstream/retry", {"-d", R"({"message":1,"state":"waiting"})"}).status, 400);
  EXPECT_EQ(call("/api/v1/upstream/drop").status, 405);
  EXPECT_EQ(call("/api/v1/upstream/elsewhere").status, 404);
  upstream.start();
  EXPECT_TRUE(wait_until([&] {
    const auto moved = call("/api/v1/upstream/retry", {"-d", R"({"state":"waiting"})"});
    return moved.status == 200 && upstream.devices().contains(device.uuid);
  }));
  EXPECT_EQ(call("/api/v1/hooks").object().at("url"), nullptr);
  const std::string metrics = call("/metrics").body;
  EXPECT_NE(metrics.find("birthmark_commit_size_bucket{le=\"+Inf\"}"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("birthmark_commit_size_count"), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
}

}  // namespace
}  // namespace birthmark::e2e
