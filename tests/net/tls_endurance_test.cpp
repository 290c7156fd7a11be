// SPDX-License-Identifier: Apache-2.0
// Peers that hold a TLS connection without ever getting anywhere: at TCP, at each step of the handshake, and in HTTP behind it. Every one
// is cut by the deadline that counts from its connect, or from the first octet of its request.
#include <vector>

#include "net/tls_server.h"
#include "test_site.h"
#include "tls_peer.h"

namespace birthmark::net_test {
namespace {

using std::chrono::milliseconds;
using testing::device_spec;
using testing::make_authority;
using testing::make_certificate;
using testing::make_server_certificate;
using testing::TestCertificate;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kHeaderTimeout{300};
constexpr unsigned kCrowd = 48;

class TlsEndurance : public ::testing::Test {
 protected:
  void SetUp() override {
    net::TlsServerSettings settings;
    settings.name = "test";
    settings.identities = {{{server_certificate_.der}, server_certificate_.key_pem, {}}};
    settings.client_certificate = net::ClientCertificate::required;
    settings.anchors = {{device_ca_.der, 1}};
    auto tls = net::TlsServer::create(settings);
    ASSERT_TRUE(tls) << tls.error().describe();
    net::Limits limits;
    limits.header_timeout = kHeaderTimeout;
    limits.request_timeout = milliseconds(600);
    limits.idle_timeout = milliseconds(400);
    limits.write_timeout = milliseconds(500);
    auto server = net::Server::create(2, limits);
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    const net::Endpoint any_port{.host = "127.0.0.1", .port = 0};
    const auto bound = server_->listen(any_port, site_, {.tls = *tls});
    ASSERT_TRUE(bound) << bound.error().describe();
    port_ = bound->port;
    ASSERT_TRUE(server_->start());
  }
  void TearDown() override {
    if (server_) server_->stop();
  }
  [[nodiscard]] bool all_accepted(std::uint64_t count) {
    return eventually([&] { return server_->statistics().connections_accepted == count; });
  }
  [[nodiscard]] bool all_closed() {
    return eventually([this] { return server_->statistics().connections_open == 0; });
  }
  // Whoever behaves is served all the while.
  void expect_service() {
    TlsPeer healthy(port_, {.certificate = &device_});
    const auto answer = healthy.ask(get("/hello"));
    ASSERT_TRUE(answer) << healthy.failure();
    EXPECT_EQ(answer->status, 200);
  }

  TestCertificate root_ = make_authority("root", "acme");
  TestCertificate device_ca_ = make_authority("device CA", "acme", &root_, 0);
  TestCertificate server_certificate_ = make_server_certificate({"gw.acme.test"}, root_);
  TestCertificate device_ = make_certificate(device_spec("one", "acme"), &device_ca_);
  TestSite site_;
  std::unique_ptr<net::Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(TlsEndurance, PeersThatConnectAndSayNothing) {
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (unsigned i = 0; i < kCrowd; ++i) peers.push_back(std::make_unique<RawPeer>(port_));
  ASSERT_TRUE(all_accepted(kCrowd));
  expect_service();
  EXPECT_TRUE(all_closed());
}

// One octet at a time keeps every connection busy; some of them arrive in the moment the deadline passes, which must not save them.
TEST_F(TlsEndurance, ClientHellosThatNeverEnd) {
  const std::string hello = client_hello();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (unsigned i = 0; i < kCrowd; ++i) peers.push_back(std::make_unique<RawPeer>(port_));
  ASSERT_TRUE(all_accepted(kCrowd));
  const auto begun = Clock::now();
  std::size_t sent = 0;
  ASSERT_TRUE(eventually([&] {
    if (sent + 1 < hello.size())
      for (const auto& peer : peers) peer->send(hello.substr(sent, 1));
    ++sent;
    return server_->statistics().connections_open == 0;
  }));
  EXPECT_GE(Clock::now() - begun, kHeaderTimeout - milliseconds(100));
  expect_service();
}

TEST_F(TlsEndurance, HandshakesThatStopAfterTheClientHello) {
  const std::string hello = client_hello();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (unsigned i = 0; i < kCrowd; ++i) {
    peers.push_back(std::make_unique<RawPeer>(port_));
    ASSERT_TRUE(peers.back()->send(hello));
  }
  ASSERT_TRUE(all_accepted(kCrowd));
  expect_service();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(peers.front()->read_to_end(), Ending::orderly);
  EXPECT_GT(peers.front()->held().size(), hello.size()) << "the server's half of the handshake had come";
}

// A record that says it holds 16 KiB and brings them one by one.
TEST_F(TlsEndurance, CertificatesThatNeverEnd) {
  RawPeer peer(port_);
  ASSERT_TRUE(peer.send(client_hello()));
  ASSERT_TRUE(peer.send(std::string("\x17\x03\x03\x40\x00", 5)));
  ASSERT_TRUE(all_accepted(1));
  EXPECT_TRUE(eventually([&] {
    peer.send("x");
    return server_->statistics().connections_open == 0;
  }));
}

TEST_F(TlsEndurance, PeersThatShakeHandsAndSayNothing) {
  TlsPeer silent(port_, {.certificate = &device_});
  ASSERT_TRUE(silent.connect());
  ASSERT_TRUE(all_accepted(1));
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(site_.handled(), 0);
}

TEST_F(TlsEndurance, SlowHeadersAndBodiesEndIn408) {
  for (const char* begin : {"GET /hello HTTP/1.1\r\nHost: a\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"}) {
    TlsPeer slow(port_, {.certificate = &device_});
    ASSERT_TRUE(slow.connect());
    ASSERT_TRUE(slow.send(begin));
    const auto answer = slow.receive();
    ASSERT_TRUE(answer) << slow.failure();
    EXPECT_EQ(answer->status, 408) << begin;
  }
  EXPECT_EQ(site_.handled(), 0);
}

TEST_F(TlsEndurance, IdleConnectionsAreClosed) {
  TlsPeer idle(port_, {.certificate = &device_});
  ASSERT_TRUE(idle.ask(get("/hello")));
  EXPECT_TRUE(all_closed());
}

TEST_F(TlsEndurance, PeersThatDoNotReadAreDropped) {
  TlsPeer greedy(port_, {.certificate = &device_});
  ASSERT_TRUE(greedy.connect());
  ASSERT_TRUE(greedy.send(get("/big?50000000")));
  ASSERT_TRUE(eventually([&] { return site_.handled() == 1; }));
  EXPECT_TRUE(all_closed());
}

}  // namespace
}  // namespace birthmark::net_test
