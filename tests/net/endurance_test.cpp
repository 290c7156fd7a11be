// SPDX-License-Identifier: Apache-2.0
// Peers that are slow, many, or gone; and the orderly end of the server.
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "base/log.h"
#include "test_site.h"

namespace birthmark::net_test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Endurance : public EngineTest {};

net::Limits impatient() {
  net::Limits limits;
  limits.header_timeout = milliseconds(300);
  limits.request_timeout = milliseconds(600);
  limits.idle_timeout = milliseconds(300);
  limits.write_timeout = milliseconds(500);
  return limits;
}

TEST_F(Endurance, SlowHeadersEndIn408) {
  serve(impatient());
  RawPeer peer(port());
  const auto begun = Clock::now();
  std::string request = "GET /hello HTTP/1.1\r\n";
  // One octet at a time keeps the connection busy for ever: the deadline counts from the first.
  ASSERT_TRUE(eventually([&] {
    peer.send("X");
    return server_->statistics().refused_malformed == 1;
  }));
  EXPECT_GE(Clock::now() - begun, milliseconds(300));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(answer->has("Connection: close"));
}

TEST_F(Endurance, SlowBodiesEndIn408) {
  serve(impatient());
  RawPeer peer(port());
  ASSERT_TRUE(peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_EQ(peer.read_to_end(), Ending::orderly);
  EXPECT_EQ(site_.handled(), 0);
}

TEST_F(Endurance, IdleAndSilentConnectionsAreClosedWithoutAWord) {
  serve(impatient());
  RawPeer silent(port());
  RawPeer idle(port());
  ASSERT_TRUE(idle.ask(get("/hello")));
  EXPECT_EQ(idle.read_to_end(), Ending::orderly);
  EXPECT_EQ(silent.read_to_end(), Ending::orderly);
  EXPECT_TRUE(idle.held().empty());
  EXPECT_TRUE(silent.held().empty());
  EXPECT_TRUE(all_closed());
}

TEST_F(Endurance, PeersThatDoNotReadAreDropped) {
  serve(impatient());
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/big?50000000")));
  ASSERT_TRUE(eventually([&] { return site_.handled() == 1; }));
  EXPECT_TRUE(all_closed());
}

TEST_F(Endurance, ResetInTheMiddleOfAnAnswerEndsOneConnection) {
  serve();
  RawPeer healthy(port());
  ASSERT_TRUE(healthy.ask(get("/hello")));
  for (int i = 0; i < 50; ++i) {
    RawPeer peer(port());
    ASSERT_TRUE(peer.send(get("/big?5000000")));
    ASSERT_TRUE(eventually([&] { return site_.handled() == 2 + i; }));
    peer.reset();
  }
  ASSERT_TRUE(healthy.ask(get("/hello")));
  EXPECT_TRUE(eventually([&] { return server_->statistics().connections_open == 1; }));
}

TEST_F(Endurance, PeerThatLeavesWhileItsHandlerWaits) {
  serve();
  for (const bool rudely : {false, true}) {
    RawPeer peer(port());
    ASSERT_TRUE(peer.send(post("/held", "x")));
    ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
    if (rudely) {
      peer.reset();
    } else {
      peer.close();
    }
    site_.release();
    EXPECT_TRUE(all_closed());
  }
  EXPECT_TRUE(ask(get("/hello")));
}

void allow_many_descriptors() {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST_F(Endurance, AThousandConnectionsAtOnce) {
  allow_many_descriptors();
  serve();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 1'000; ++i) {
    peers.push_back(std::make_unique<RawPeer>(port()));
    ASSERT_TRUE(peers.back()->connected());
  }
  for (int round = 0; round < 2; ++round) {
    for (auto& peer : peers) ASSERT_TRUE(peer->send(post("/echo", "round")));
    for (auto& peer : peers) {
      const auto answer = peer->receive();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->body, "POST  round");
    }
  }
  EXPECT_EQ(server_->statistics().connections_open, 1'000U);
  EXPECT_EQ(server_->statistics().requests, 2'000U);
}

TEST_F(Endurance, ConnectionsOverTheLimitGet503) {
  net::Limits limits;
  limits.connections = 2;
  serve(limits);
  RawPeer first(port());
  RawPeer second(port());
  ASSERT_TRUE(first.ask(get("/hello")));
  ASSERT_TRUE(second.ask(get("/hello")));
  RawPeer third(port());
  const auto refused = third.ask(get("/hello"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_TRUE(refused->has("Connection: close"));
  EXPECT_EQ(third.read_to_end(), Ending::orderly);
  third.close();
  first.close();
  EXPECT_TRUE(eventually([&] { return server_->statistics().connections_open == 1; }));
  const auto fourth = ask(get("/hello"));
  ASSERT_TRUE(fourth);
  EXPECT_EQ(fourth->status, 200);
}

TEST_F(Endurance, RunningOutOfDescriptorsIsSurvived) {
  serve();
  log::warning("about to run out of descriptors", {{"reason", describe_errno(EMFILE)}});  // UBSan needs some for its first look at a type
  RawPeer before(port());
  ASSERT_TRUE(before.ask(get("/hello")));
  RawPeer waiting(port());
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  std::vector<FileDescriptor> hoard;
  rlimit tight = usual;
  tight.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawPeer late(port());
  while (true) {
    FileDescriptor one(::dup(0));
    if (!one.valid()) break;
    hoard.push_back(std::move(one));
  }
  hoard.pop_back();
  RawPeer starved(port());  // takes the last descriptor: accept() has none
  ASSERT_TRUE(starved.connected());
  ASSERT_TRUE(starved.send(get("/hello")));
  ASSERT_TRUE(before.ask(get("/hello")));  // the others are served meanwhile
  hoard.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  const auto answer = starved.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
}

TEST_F(Endurance, StopFinishesWhatWasAccepted) {
  serve();
  RawPeer busy(port());
  RawPeer idle(port());
  ASSERT_TRUE(idle.ask(get("/hello")));
  ASSERT_TRUE(busy.send(post("/held", "answer ")));
  ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
  std::thread stopping([&] { server_->stop(); });
  EXPECT_EQ(idle.read_to_end(), Ending::orderly);
  EXPECT_TRUE(eventually([&] { return !RawPeer(port()).connected(); }));  // nobody listens any more
  site_.release();
  const auto answer = busy.receive();
  stopping.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "answer 7");
  EXPECT_TRUE(answer->has("Connection: close"));
  EXPECT_EQ(server_->statistics().connections_open, 0U);
  server_->stop();  // a second time is harmless
}

TEST_F(Endurance, StopLetsABegunRequestArrive) {
  serve();
  RawPeer slow(port());
  const std::string request = post("/echo", "late body");
  ASSERT_TRUE(slow.ask(get("/hello")));
  ASSERT_TRUE(slow.send(request.substr(0, request.size() - 4)));
  RawPeer idle(port());
  ASSERT_TRUE(idle.ask(get("/hello")));
  std::thread stopping([&] { server_->stop(); });
  EXPECT_EQ(idle.read_to_end(), Ending::orderly);
  ASSERT_TRUE(slow.send(request.substr(request.size() - 4)));
  const auto answer = slow.receive();
  stopping.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST  late body");
  EXPECT_TRUE(answer->has("Connection: close"));
}

TEST_F(Endurance, StopIsBounded) {
  net::Limits limits;
  limits.shutdown_timeout = milliseconds(200);
  serve(limits);
  RawPeer stuck(port());
  ASSERT_TRUE(stuck.send(post("/held", "x")));
  ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
  const auto begun = Clock::now();
  server_->stop();
  EXPECT_LT(Clock::now() - begun, milliseconds(5'000));
  server_.reset();
  site_.release();  // a resume that comes too late finds nobody, and harms nobody
}

TEST_F(Endurance, AllAddressesMeansBothFamilies) {
  serve();
  const net::Endpoint everywhere{.host = "", .port = 0};
  const auto bound = server_->listen(everywhere, site_);  // a second listener, while the server runs
  ASSERT_TRUE(bound) << bound.error().describe();
  const auto answer = RawPeer(bound->port).ask(get("/hello"));  // over IPv4
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(site_.last_peer(), "127.0.0.1");  // not ::ffff:127.0.0.1
}

TEST_F(Endurance, AServerThatNeverStartedEndsQuietly) {
  auto server = net::Server::create(1, {});
  ASSERT_TRUE(server);
  const net::Endpoint any_port{.host = "127.0.0.1", .port = 0};
  const auto bound = (*server)->listen(any_port, site_);
  ASSERT_TRUE(bound);
  RawPeer waiting(bound->port);  // in the backlog
  EXPECT_TRUE(waiting.connected());
  server->reset();
  EXPECT_FALSE(RawPeer(bound->port).connected());
}

TEST_F(Endurance, LimitsThatCannotBeMetAreRefused) {
  net::Limits limits;
  limits.connections = 0;
  EXPECT_FALSE(net::Server::create(1, limits));
  limits = {};
  limits.header_bytes = 10;
  EXPECT_FALSE(net::Server::create(1, limits));
}

TEST_F(Endurance, ListenErrorsNameTheAddress) {
  serve();
  const net::Endpoint taken{.host = "127.0.0.1", .port = port()};
  const auto second = server_->listen(taken, site_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().describe().find("127.0.0.1:" + std::to_string(port())), std::string::npos) << second.error().describe();
  const net::Endpoint nonsense{.host = "no.such.host.example", .port = 0};
  EXPECT_FALSE(server_->listen(nonsense, site_));
}

}  // namespace
}  // namespace birthmark::net_test
