// SPDX-License-Identifier: Apache-2.0
// Production orders, seen from the line: an order's counter is never passed, by a crowd or by a server that is killed; lists are read whole
// or not at all.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

namespace json = boost::json;

constexpr std::size_t kDevices = 1200;
constexpr std::size_t kPlaces = 1000;
constexpr unsigned kStations = 24;

json::object show_order(const Factory& factory, const std::string& name) {
  return json::parse(factory.command({"order", "show", name, "--format", "json"})).as_object();
}

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Devices that each ask until they have an answer, over as many lives of the server as it takes.
class Line {
 public:
  Line() {
    bodies_.reserve(kDevices);
    for (std::size_t i = 0; i < kDevices; ++i) bodies_.push_back(Device::make().body());
    for (std::size_t i = 0; i < kDevices; ++i) waiting_.push_back(i);
  }

  // Until every device has its answer, or the server stops answering.
  void run(std::uint16_t port) {
    std::vector<std::thread> stations;
    for (unsigned i = 0; i < kStations; ++i) stations.emplace_back([this, port] { work(port); });
    for (auto& station : stations) station.join();
  }
  [[nodiscard]] bool done() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t signed_ones() const { return signed_; }
  [[nodiscard]] const std::vector<Answer>& refusals() const { return refusals_; }

 private:
  void work(std::uint16_t port) {
    for (;;) {
      std::size_t device = 0;
      {
        const std::lock_guard held(mutex_);
        if (waiting_.empty()) return;
        device = waiting_.back();
        waiting_.pop_back();
      }
      auto answer = post_sign(port, bodies_[device]);
      const std::lock_guard held(mutex_);
      if (!answer) {
        waiting_.push_back(device);
        return;
      }
      if (answer->status == 201)
        ++signed_;
      else
        refusals_.push_back(std::move(*answer));
    }
  }

  std::vector<std::string> bodies_;
  std::mutex mutex_;
  std::vector<std::size_t> waiting_;
  std::size_t signed_ = 0;
  std::vector<Answer> refusals_;
};

void expect_exactly_the_order(const Factory& factory, const Line& line) {
  EXPECT_EQ(line.signed_ones(), kPlaces);
  EXPECT_EQ(line.refusals().size(), kDevices - kPlaces);
  for (const Answer& refusal : line.refusals()) {
    EXPECT_EQ(refusal.status, 403);
    EXPECT_NE(refusal.message().find("order first is full (1000 of 1000)"), std::string::npos) << refusal.body;
  }
  EXPECT_EQ(show_order(factory, "first").at("used").as_int64(), static_cast<std::int64_t>(kPlaces));
  EXPECT_EQ(count_lines(factory.command({"device", "export", "--format", "json"})), kPlaces);
}

TEST(Orders, TwelveHundredParallelDevicesOnAnOrderOfAThousandGiveExactlyAThousand) {
  const Factory factory;
  factory.configure("registration", "orders = \"required\"");
  factory.command({"order", "create", "first", "--count", std::to_string(kPlaces)});
  Line line;
  const auto server = factory.serve();
  line.run(server->port());
  ASSERT_TRUE(line.done());
  expect_exactly_the_order(factory, line);
  EXPECT_EQ(server->stop(), 0);
  factory.command({"audit", "verify"});
}

TEST(Orders, TheSameWhenTheServerIsKilledAgainAndAgain) {
  const Factory factory;
  factory.configure("registration", "orders = \"required\"");
  factory.command({"order", "create", "first", "--count", std::to_string(kPlaces)});
  Line line;
  for (const char* point : {"store.after_place:150", "store.before_commit:12", "store.after_commit:12", "enroll.after_record:150",
                            "store.after_place:390", ""}) {
    ServerProcess::Options options;
    if (*point != '\0') options.environment = {std::string("BIRTHMARK_CRASH_AT=") + point};
    const auto server = factory.serve(options);
    line.run(server->port());
    if (line.done()) break;
    const auto end = server->wait();
    ASSERT_TRUE(end) << point;
    EXPECT_EQ(end->signal, SIGKILL) << point << server->log_text();
  }
  ASSERT_TRUE(line.done());
  expect_exactly_the_order(factory, line);
  factory.command({"audit", "verify"});
}

class OrderLists : public ::testing::TestWithParam<bool> {
 protected:
  OrderLists() {
    factory_.configure("registration", "orders = \"required\"");
    if (GetParam()) server_ = factory_.serve();
  }
  std::string file(const std::string& name, const std::string& text) {
    const auto path = factory_.scratch() / name;
    write_text(path, text);
    return path;
  }
  Outcome order(Arguments arguments) {
    arguments.insert(arguments.begin(), "order");
    arguments.insert(arguments.end(), {"--dir", factory_.directory()});
    return factory_.birthmark(arguments);
  }
  std::string list() { return factory_.command({"order", "list", "--format", "json"}); }

  Factory factory_;
  std::unique_ptr<ServerProcess> server_;
};

TEST_P(OrderLists, EveryBadLineIsNamedByItsNumberAndNothingIsTaken) {
  const std::string good = random_uuid();
  const std::string ids = file("ids", good + "\nnonsense\n" + good + "\n" + random_uuid() + "\n../../etc\n");
  const Outcome refused = order({"create", "one", "--ids", ids});
  EXPECT_EQ(refused.exit_code, 1);
  for (const char* phrase : {"line 2: ", "line 3: ", "line 5: ", "3 of 5 lines"})
    EXPECT_NE(refused.errors.find(phrase), std::string::npos) << phrase << "\n" << refused.errors;
  EXPECT_EQ(refused.errors.find("line 1: "), std::string::npos);
  EXPECT_EQ(list(), "");
  const Outcome missing = order({"create", "one", "--ids", ids + "-missing"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.errors.find("-missing"), std::string::npos) << missing.errors;
}

TEST_P(OrderLists, ADryRunChecksAndChangesNothing) {
  const std::string ids = file("ids", random_uuid() + "\n" + random_uuid() + "\n");
  const Outcome dry = order({"create", "one", "--ids", ids, "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.errors;
  EXPECT_NE(dry.output.find("2 devices"), std::string::npos);
  EXPECT_EQ(list(), "");
}

TEST_P(OrderLists, AListTakesItsDevicesAndGrows) {
  const Device first = Device::make(), second = Device::make(), stranger = Device::make();
  const std::string csv = file("list.csv", "id,name\r\n" + first.uuid + ",\"Pump, north\"\r\n");
  EXPECT_EQ(order({"create", "one", "--csv", csv, "--hardware-id", "intel-corei7-64", "--reason", "a test"}).exit_code, 0);
  const std::string more = file("more", second.uuid + "\n");
  EXPECT_EQ(order({"import", "one", "--ids", more}).exit_code, 0);
  const Outcome again = order({"import", "one", "--ids", more});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.errors.find("line 1: device " + second.uuid), std::string::npos) << again.errors;
  EXPECT_EQ(json::parse(list()).at("listed").as_int64(), 2);

  if (!server_) server_ = factory_.serve();
  EXPECT_EQ(post_sign(server_->port(), first.body())->status, 201);
  EXPECT_EQ(post_sign(server_->port(), second.body())->status, 201);
  EXPECT_EQ(post_sign(server_->port(), stranger.body())->status, 403);
  EXPECT_NE(factory_.command({"device", "list", "--format", "json"}).find("\"Pump, north\""), std::string::npos);
  EXPECT_EQ(order({"close", "one"}).exit_code, 0);
  EXPECT_EQ(show_order(factory_, "one").at("state").as_string(), "closed");
}

TEST_P(OrderLists, CommandsSayWhatIsWrong) {
  EXPECT_NE(order({"create", "one"}).errors.find("--ids, --csv, --pattern or --count"), std::string::npos);
  EXPECT_NE(order({"import", "one", "--ids", file("ids", random_uuid())}).errors.find("there is no order one"), std::string::npos);
  EXPECT_EQ(order({"create", "one", "--count", "5"}).exit_code, 0);
  EXPECT_NE(order({"create", "one", "--count", "5"}).errors.find("already"), std::string::npos);
  EXPECT_NE(order({"import", "one", "--ids", file("ids", random_uuid())}).errors.find("has no list"), std::string::npos);
  EXPECT_NE(order({"create", "two", "--count", "5", "--until", "soon"}).errors.find("--until soon"), std::string::npos);
  EXPECT_EQ(order({"create", "two", "--count", "0"}).exit_code, 2);
}

INSTANTIATE_TEST_SUITE_P(Server, OrderLists, ::testing::Bool(),
                         [](const auto& instance) { return instance.param ? "running" : "stopped"; });

TEST(Orders, AnInterruptedImportLeavesAnOrderThatTheSameCommandMakesAnew) {
#ifndef BIRTHMARK_CRASH_POINTS
  GTEST_SKIP() << "this build has no crash points";
#endif
  const Factory factory;
  std::string ids;
  for (int i = 0; i < 2000; ++i) ids += random_uuid() + "\n";
  const auto path = factory.scratch() / "ids";
  write_text(path, ids);
  const Arguments create{"order", "create", "one", "--ids", path, "--dir", factory.directory()};
  const Outcome killed = factory.birthmark(create, {"BIRTHMARK_CRASH_AT=store.before_commit:4"});
  EXPECT_NE(killed.exit_code, 0);
  EXPECT_NE(factory.command({"order", "list", "--format", "json"}).find("\"importing\""), std::string::npos);
  const Outcome again = factory.birthmark(create);
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  const auto order = show_order(factory, "one");
  EXPECT_EQ(order.at("state").as_string(), "open");
  EXPECT_EQ(order.at("listed").as_int64(), 2000);
}

TEST(Orders, OrphansOfStationsWithRandomUuidsAreReleased) {
  const Factory factory;
  factory.configure("registration", "orders = \"required\"\nretry_under_open_trust = true");
  factory.command({"order", "create", "one", "--count", "1"});
  const auto server = factory.serve();
  {
    HttpPeer peer(server->port());
    require(peer.send(request_text("POST", "/sign", Device::make().body())), "not sent");
    require(wait_until([&] { return show_order(factory, "one").at("used").as_int64() == 1; }), "not registered");
  }  // gone without having read the answer
  EXPECT_EQ(post_sign(server->port(), Device::make().body())->status, 403);
  require(wait_until([&] { return factory.command({"device", "release-unseen", "--older-than", "0s"}) == "1 devices were released\n"; }),
          "nothing was released");
  EXPECT_EQ(post_sign(server->port(), Device::make().body())->status, 201);
  factory.command({"audit", "verify"});
}

}  // namespace
}  // namespace birthmark::e2e
