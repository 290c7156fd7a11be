// SPDX-License-Identifier: Apache-2.0
// TLS listeners: who gets in, what the handler learns of him, and what a reload changes.
#include <thread>

#include "net/tls_server.h"
#include "test_site.h"
#include "tls_peer.h"

namespace birthmark::net_test {
namespace {

using std::chrono::hours;
using testing::CertificateSpec;
using testing::device_spec;
using testing::make_authority;
using testing::make_certificate;
using testing::make_server_certificate;
using testing::TestCertificate;

constexpr std::int64_t kCaTag = 42;

// Answers what it was told about the peer.
class PeerSite final : public net::Handler {
 public:
  Task<net::Response> handle(const net::Request& request) override {
    net::Response response;
    response.content_type = "text/plain";
    const auto& peer = request.peer;
    response.body = peer.encrypted ? "encrypted" : "plain";
    if (peer.certificate) {
      response.body += " chain=" + std::to_string(peer.certificate->chain.size());
      response.body += peer.certificate->under_root ? " under-root" : " anchor=" + std::to_string(peer.certificate->anchor);
      response.body += " leaf=" + std::to_string(peer.certificate->chain.front().size());
    }
    if (request.path == "/big") response.body.assign(3'000'000, 'x');
    if (request.path == "/echo") response.body = std::to_string(request.body.size());
    co_return response;
  }
};

class Tls : public ::testing::Test {
 protected:
  void serve(net::ClientCertificate client, unsigned tickets = 0) {
    settings_.name = "test";
    settings_.identities = {{{server_certificate_.der}, server_certificate_.key_pem, {}}};
    settings_.client_certificate = client;
    settings_.anchors = {{device_ca_.der, kCaTag}};
    settings_.known_roots = {root_.der};
    settings_.tickets = tickets;
    auto tls = net::TlsServer::create(settings_);
    ASSERT_TRUE(tls) << tls.error().describe();
    tls_ = *tls;
    net::Limits limits;
    limits.header_timeout = std::chrono::milliseconds(2'000);  // a handshake under a sanitizer on a busy machine must fit
    auto server = net::Server::create(2, limits);
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    const net::Endpoint any_port{.host = "127.0.0.1", .port = 0};
    const auto bound = server_->listen(any_port, site_, {.tls = tls_, .body_bytes = 1U << 20U});
    ASSERT_TRUE(bound) << bound.error().describe();
    port_ = bound->port;
    ASSERT_TRUE(server_->start());
  }
  void TearDown() override {
    if (server_) server_->stop();
  }
  std::string answer(const TlsPeerOptions& options) {
    TlsPeer peer(port_, options);
    const auto got = peer.ask(get("/peer"));
    return got ? got->body : peer.failure();
  }
  static std::string leaf(const TestCertificate& certificate) { return " leaf=" + std::to_string(certificate.der.size()); }

  TestCertificate root_ = make_authority("root", "acme");
  TestCertificate device_ca_ = make_authority("device CA", "acme", &root_, 0);
  TestCertificate server_certificate_ = make_server_certificate({"gw.acme.test"}, root_);
  TestCertificate device_ = make_certificate(device_spec("one", "acme"), &device_ca_);
  net::TlsServerSettings settings_;
  std::shared_ptr<net::TlsServer> tls_;
  PeerSite site_;
  std::unique_ptr<net::Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(Tls, BothVersionsServeWithAndWithoutACertificate) {
  serve(net::ClientCertificate::optional);
  for (const char* version : {"1.2", "1.3"}) {
    EXPECT_EQ(answer({.version = version}), "encrypted") << version;
    EXPECT_EQ(answer({.certificate = &device_, .version = version}), "encrypted chain=1 anchor=42" + leaf(device_)) << version;
  }
}

// The handshake's library context must lack nothing that a device's key needs.
TEST_F(Tls, PeersOfEveryCurveProveTheirKeys) {
  serve(net::ClientCertificate::required);
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    CertificateSpec spec = device_spec("one", "acme");
    spec.curve = curve;
    const TestCertificate peer = make_certificate(spec, &device_ca_);
    for (const char* version : {"1.2", "1.3"})
      EXPECT_EQ(answer({.certificate = &peer, .version = version}), "encrypted chain=1 anchor=42" + leaf(peer)) << curve << " " << version;
  }
}

TEST_F(Tls, OlderVersionsAndSuitesWithoutAeadAreRefused) {
  serve(net::ClientCertificate::none);
  TlsPeer old(port_, {.version = "1.1"});
  EXPECT_FALSE(old.connect());
  TlsPeer cbc(port_, {.version = "1.2", .suites = "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256"});
  EXPECT_FALSE(cbc.connect());
  TlsPeer gcm(port_, {.version = "1.2", .suites = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_TRUE(gcm.connect());
}

TEST_F(Tls, AChainedPeerIsTheSamePeer) {
  serve(net::ClientCertificate::required);
  EXPECT_EQ(answer({.certificate = &device_, .also_sent = {&device_ca_}}), "encrypted chain=2 anchor=42" + leaf(device_));
  EXPECT_EQ(answer({.certificate = &device_, .also_sent = {&device_ca_, &root_}}), "encrypted chain=3 anchor=42" + leaf(device_));
}

TEST_F(Tls, NobodyWithoutACertificateWhereItIsRequired) {
  serve(net::ClientCertificate::required);
  EXPECT_NE(answer({.version = "1.2"}).find("alert handshake failure"), std::string::npos);
  EXPECT_NE(answer({.version = "1.3"}).find("certificate required"), std::string::npos);
}

TEST_F(Tls, WhoDoesNotChainGetsAnAlert) {
  serve(net::ClientCertificate::optional);
  const TestCertificate other_root = make_authority("root", "acme");
  const TestCertificate other_ca = make_authority("device CA", "acme", &other_root, 0);  // same names, other keys
  const TestCertificate stranger = make_certificate(device_spec("one", "acme"), &other_ca);
  const TestCertificate alone = make_certificate(device_spec("one", "acme"));
  EXPECT_NE(answer({.certificate = &stranger}).find("alert"), std::string::npos);
  EXPECT_NE(answer({.certificate = &stranger, .also_sent = {&other_ca, &other_root}}).find("alert"), std::string::npos);
  EXPECT_NE(answer({.certificate = &alone}).find("alert"), std::string::npos);
}

TEST_F(Tls, DatesAreChecked) {
  serve(net::ClientCertificate::optional);
  CertificateSpec spec = device_spec("one", "acme");
  spec.from = hours(-48);
  spec.to = hours(-24);
  const TestCertificate expired = make_certificate(spec, &device_ca_);
  spec.from = hours(24);
  spec.to = hours(48);
  const TestCertificate early = make_certificate(spec, &device_ca_);
  EXPECT_NE(answer({.certificate = &expired}).find("alert certificate expired"), std::string::npos);
  EXPECT_NE(answer({.certificate = &early}).find("alert bad certificate"), std::string::npos);
}

// Whatever pathlen its CA has, a certificate that a device issued is worth nothing (protocol facts, gateway 2.2.4).
TEST_F(Tls, ADeviceThatIsACaIssuesNothing) {
  device_ca_ = make_authority("device CA", "acme", &root_);  // no pathlen
  serve(net::ClientCertificate::optional);
  const TestCertificate device_as_ca = make_authority("one", "acme", &device_ca_);
  const TestCertificate minted = make_certificate(device_spec("two", "acme"), &device_as_ca);
  EXPECT_EQ(answer({.certificate = &device_as_ca}), "encrypted chain=1 anchor=42" + leaf(device_as_ca));
  EXPECT_NE(answer({.certificate = &minted, .also_sent = {&device_as_ca, &device_ca_}}).find("alert unknown ca"), std::string::npos);
}

TEST_F(Tls, ALeafUnderTheRootIsToldApart) {
  serve(net::ClientCertificate::optional);
  const TestCertificate direct = make_certificate(device_spec("one", "acme"), &root_);
  EXPECT_EQ(answer({.certificate = &direct}), "encrypted chain=1 under-root" + leaf(direct));
  CertificateSpec spec = device_spec("one", "acme");
  spec.from = hours(-48);
  spec.to = hours(-24);
  const TestCertificate expired = make_certificate(spec, &root_);
  EXPECT_NE(answer({.certificate = &expired}).find("alert certificate expired"), std::string::npos);
}

TEST_F(Tls, ReloadChangesWhoIsTrustedAndLeavesOpenConnectionsAlone) {
  serve(net::ClientCertificate::required);
  TlsPeer open(port_, {.certificate = &device_});
  ASSERT_TRUE(open.ask(get("/peer")));
  const TestCertificate next_ca = make_authority("next CA", "acme", &root_, 0);
  const TestCertificate next_device = make_certificate(device_spec("two", "acme"), &next_ca);
  const TestCertificate next_server = make_server_certificate({"next.acme.test"}, root_);
  settings_.anchors = {{next_ca.der, 43}};
  settings_.identities = {{{next_server.der}, next_server.key_pem, {}}};
  ASSERT_TRUE(tls_->reload(settings_));
  TlsPeer fresh(port_, {.certificate = &next_device});
  const auto got = fresh.ask(get("/peer"));
  ASSERT_TRUE(got) << fresh.failure();
  EXPECT_EQ(got->body, "encrypted chain=1 anchor=43" + leaf(next_device));
  EXPECT_EQ(fresh.server_subject(), "next.acme.test");
  EXPECT_NE(answer({.certificate = &device_}).find("alert"), std::string::npos);
  EXPECT_TRUE(open.ask(get("/peer")));
}

TEST_F(Tls, AReloadThatCannotBeChangesNothing) {
  serve(net::ClientCertificate::required);
  const TestCertificate other = make_server_certificate({"other.acme.test"}, root_);
  settings_.identities = {{{other.der}, server_certificate_.key_pem, {}}};
  const Status reloaded = tls_->reload(settings_);
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().public_message.find("does not belong"), std::string::npos);
  EXPECT_EQ(answer({.certificate = &device_}), "encrypted chain=1 anchor=42" + leaf(device_));
}

TEST_F(Tls, TheNameAskedForChoosesTheCertificate) {
  const TestCertificate est = make_server_certificate({"est.acme.test"}, root_);
  serve(net::ClientCertificate::optional);
  settings_.identities.push_back({{est.der}, est.key_pem, {"est.acme.test"}});
  ASSERT_TRUE(tls_->reload(settings_));
  for (const auto& [asked, got] : {std::pair{"", "gw.acme.test"}, {"EST.acme.test", "est.acme.test"}, {"nobody", "gw.acme.test"}}) {
    TlsPeer peer(port_, {.certificate = &device_, .server_name = asked});
    const auto answered = peer.ask(get("/peer"));
    ASSERT_TRUE(answered) << peer.failure();
    EXPECT_EQ(answered->body, "encrypted chain=1 anchor=42" + leaf(device_)) << asked;
    EXPECT_EQ(peer.server_subject(), got);
  }
}

TEST_F(Tls, ResumedPeersAreKnownToo) {
  serve(net::ClientCertificate::required, 1);
  for (const char* version : {"1.2", "1.3"}) {
    TlsPeer first(port_, {.certificate = &device_, .version = version});
    ASSERT_TRUE(first.ask(get("/peer"))) << first.failure();
    const std::string session = first.session();
    ASSERT_FALSE(session.empty());
    TlsPeer second(port_, {.certificate = &device_, .version = version, .session = session});
    const auto got = second.ask(get("/peer"));
    ASSERT_TRUE(got) << second.failure();
    EXPECT_TRUE(second.resumed()) << version;
    EXPECT_EQ(got->body, "encrypted chain=1 anchor=42" + leaf(device_));
    ASSERT_TRUE(tls_->reload(settings_));  // a new generation forgets the old one's sessions
    TlsPeer third(port_, {.certificate = &device_, .version = version, .session = session});
    ASSERT_TRUE(third.ask(get("/peer"))) << third.failure();
    EXPECT_FALSE(third.resumed());
  }
}

TEST_F(Tls, WithoutTicketsNothingIsResumed) {
  serve(net::ClientCertificate::required);
  for (const char* version : {"1.2", "1.3"}) {
    TlsPeer first(port_, {.certificate = &device_, .version = version});
    ASSERT_TRUE(first.ask(get("/peer")));
    const std::string session = first.session();
    if (session.empty()) continue;
    TlsPeer second(port_, {.certificate = &device_, .version = version, .session = session});
    ASSERT_TRUE(second.ask(get("/peer")));
    EXPECT_FALSE(second.resumed()) << version;
  }
}

TEST_F(Tls, LargeAnswersAndBodiesTravelWhole) {
  serve(net::ClientCertificate::none);
  TlsPeer peer(port_, {});
  const auto big = peer.ask(get("/big"));
  ASSERT_TRUE(big) << peer.failure();
  EXPECT_EQ(big->body.size(), 3'000'000U);
  const auto echoed = peer.ask(post("/echo", std::string(1'000'000, 'y')));
  ASSERT_TRUE(echoed) << peer.failure();
  EXPECT_EQ(echoed->body, "1000000");
  const auto refused = peer.ask("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1048577\r\n\r\n");
  ASSERT_TRUE(refused) << peer.failure();
  EXPECT_EQ(refused->status, 413);
}

TEST_F(Tls, WhoNeverFinishesTheHandshakeIsCut) {
  serve(net::ClientCertificate::none);
  RawPeer silent(port_), halfway(port_), talks_http(port_);
  ASSERT_TRUE(halfway.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6)));
  ASSERT_TRUE(talks_http.send(get("/peer")));
  EXPECT_NE(silent.read_to_end(), Ending::none_yet);
  EXPECT_NE(halfway.read_to_end(), Ending::none_yet);
  EXPECT_NE(talks_http.read_to_end(), Ending::none_yet);
  EXPECT_TRUE(eventually([&] { return server_->statistics().connections_open == 0; }));
}

TEST_F(Tls, ManyPeersAtOnceWhileTheTrustIsReloaded) {
  serve(net::ClientCertificate::required);
  std::atomic<int> served = 0;
  std::vector<std::thread> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        TlsPeer peer(port_, {.certificate = &device_});
        if (peer.ask(get("/peer"))) ++served;
        peer.shutdown();
      }
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(tls_->reload(settings_));
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(served, 40);
}

}  // namespace
}  // namespace birthmark::net_test
