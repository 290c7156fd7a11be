// SPDX-License-Identifier: Apache-2.0
// The client's TLS against `openssl s_server`: who is accepted, who is not, and what the operator is told.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "../e2e/child_process.h"
#include "net/client.h"
#include "raw_peer.h"

#include <gtest/gtest.h>

namespace birthmark::net_test {
namespace {

using e2e::Arguments;

void must_run(const Arguments& arguments) {
  const e2e::Outcome done = e2e::run(arguments);
  e2e::require(done.exit_code == 0, arguments[1] + " failed: " + done.errors);
}

// A CA, and certificates by it, made by the openssl program.
class TestPki {
 public:
  TestPki() {
    must_run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("ca.key"),
              "-out", path("ca.pem"), "-subj", "/CN=test CA", "-days", "30"});
  }

  // Makes NAME.key and NAME.pem with those subject alternative names ("DNS:localhost").
  void issue(const std::string& name, const std::string& alternative_names) const {
    must_run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path(name + ".key"), "-out",
              path(name + ".csr"), "-subj", "/CN=" + name});
    e2e::write_text(path(name + ".ext"), "subjectAltName=" + alternative_names + "\n");
    must_run({"openssl", "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial",
              "-extfile", path(name + ".ext"), "-out", path(name + ".pem"), "-days", "30"});
  }

  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path() / name; }

 private:
  e2e::ScratchDirectory scratch_;
};

const TestPki& pki() {
  static const TestPki* made = [] {
    static const TestPki kPki;
    kPki.issue("localhost", "DNS:localhost,IP:127.0.0.1");
    kPki.issue("elsewhere", "DNS:elsewhere.example");
    kPki.issue("client", "DNS:client.example");
    return &kPki;
  }();
  return *made;
}

// `openssl s_server -www`: answers every GET with 200 and a page about the connection.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name, const Arguments& more = {})
      : child_(arguments(name, more), {{}, {}, scratch_.path() / "log"}) {
    std::string said;
    while (port_ == 0) {
      pollfd waiting{child_.output_pipe(), POLLIN, 0};
      std::array<char, 512> buffer{};
      e2e::require(::poll(&waiting, 1, 60'000) == 1, "s_server says nothing");
      const ssize_t got = ::read(child_.output_pipe(), buffer.data(), buffer.size());
      e2e::require(got > 0, "s_server ended: " + e2e::read_text(scratch_.path() / "log"));
      said.append(buffer.data(), static_cast<std::size_t>(got));
      read_port(said);
    }
  }

  [[nodiscard]] net::ClientRequest request(const std::string& host = "localhost") const {
    net::ClientRequest made;
    made.url = "https://" + host + ":" + std::to_string(port_) + "/";
    return made;
  }

 private:
  static Arguments arguments(const std::string& name, const Arguments& more) {
    Arguments all{
        "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", pki().path(name + ".pem"), "-key", pki().path(name + ".key")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void read_port(const std::string& said) {
    constexpr std::string_view kAccept = "ACCEPT 127.0.0.1:";
    const std::size_t at = said.find(kAccept);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) return;
    std::from_chars(said.data() + at + kAccept.size(), said.data() + said.size(), port_);
  }

  e2e::ScratchDirectory scratch_;
  e2e::ChildProcess child_;
  std::uint16_t port_ = 0;
};

net::TlsTrust our_ca() {
  net::TlsTrust trust;
  trust.ca_file = pki().path("ca.pem");
  return trust;
}

TEST(TlsClient, AcceptsAPeerOfAKnownCaByNameAndByAddress) {
  const TlsServer server("localhost");
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto answer = net::http_request(server.request(host), our_ca());
    ASSERT_TRUE(answer) << answer.error().describe();
    EXPECT_EQ(answer->status, 200);
    EXPECT_NE(answer->body.find("TLSv1.3"), std::string::npos) << answer->body;
  }
}

TEST(TlsClient, RefusesAnUnknownCa) {
  const TlsServer server("localhost");
  const auto answer = net::http_request(server.request());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::misconfigured);
  EXPECT_NE(answer.error().public_message.find("the certificate of localhost is not accepted"), std::string::npos)
      << answer.error().describe();
}

TEST(TlsClient, RefusesAnotherHostsCertificate) {
  const TlsServer server("elsewhere");
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const auto answer = net::http_request(server.request(host), our_ca());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::misconfigured);
    EXPECT_NE(answer.error().public_message.find("mismatch"), std::string::npos) << answer.error().describe();
  }
}

TEST(TlsClient, SpeaksTls12ButNothingOlder) {
  const TlsServer old("localhost", {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"});
  EXPECT_FALSE(net::http_request(old.request(), our_ca()));
  const TlsServer current("localhost", {"-tls1_2"});
  const auto answer = net::http_request(current.request(), our_ca());
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
}

TEST(TlsClient, ShowsItsCertificateWhenItHasOne) {
  const TlsServer server("localhost", {"-Verify", "1", "-verify_return_error", "-CAfile", pki().path("ca.pem")});
  EXPECT_FALSE(net::http_request(server.request(), our_ca()));
  net::TlsTrust trust = our_ca();
  trust.certificate_file = pki().path("client.pem");
  trust.key_file = pki().path("client.key");
  const auto answer = net::http_request(server.request(), trust);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
}

TEST(TlsClient, WithoutTheCheckAnyPeerWillDo) {
  const TlsServer server("elsewhere");
  net::TlsTrust trust;
  trust.peer_check = net::PeerCheck::none;
  const auto answer = net::http_request(server.request(), trust);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
}

TEST(TlsClient, NamesTheFileThatCannotBeUsed) {
  const TlsServer server("localhost");
  net::TlsTrust trust;
  trust.ca_file = pki().path("no such file");
  const auto no_ca = net::http_request(server.request(), trust);
  ASSERT_FALSE(no_ca);
  EXPECT_EQ(no_ca.error().code, ErrorCode::misconfigured);
  EXPECT_NE(no_ca.error().public_message.find("no such file"), std::string::npos);
  trust = our_ca();
  trust.certificate_file = pki().path("client.pem");
  trust.key_file = pki().path("elsewhere.key");
  const auto wrong_key = net::http_request(server.request(), trust);
  ASSERT_FALSE(wrong_key);
  EXPECT_EQ(wrong_key.error().code, ErrorCode::misconfigured);
  EXPECT_NE(wrong_key.error().public_message.find("elsewhere.key"), std::string::npos);
}

TEST(TlsClient, APeerThatNeverGreetsTimesOut) {
  const FileDescriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(silent.get(), 1), 0);
  ASSERT_EQ(::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  net::ClientRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  request.timeout = std::chrono::milliseconds(200);
  const auto answer = net::http_request(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace birthmark::net_test
