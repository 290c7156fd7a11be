// SPDX-License-Identifier: Apache-2.0
// The blocking client against our own server, and against answers that a script of raw bytes gives.
#include "net/client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "test_site.h"

namespace birthmark::net_test {
namespace {

class Client : public EngineTest {
 protected:
  [[nodiscard]] net::ClientRequest request(const std::string& path) const {
    net::ClientRequest made;
    made.url = "http://127.0.0.1:" + std::to_string(port()) + path;
    return made;
  }
};

TEST_F(Client, GetsAndPosts) {
  serve();
  const auto got = net::http_request(request("/hello"));
  ASSERT_TRUE(got) << got.error().describe();
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "{\"hello\": true}");
  auto sending = request("/echo?q");
  sending.method = "POST";
  sending.body = std::string(50'000, 'x');
  const auto posted = net::http_request(sending);
  ASSERT_TRUE(posted) << posted.error().describe();
  EXPECT_EQ(posted->body, "POST q " + sending.body);
  auto head = request("/hello");
  head.method = "HEAD";
  const auto answered = net::http_request(head);
  ASSERT_TRUE(answered) << answered.error().describe();
  EXPECT_EQ(answered->status, 200);
  EXPECT_EQ(answered->body, "");
}

TEST_F(Client, ReadsTheRefusalOfABodyThatIsTooLarge) {
  serve();
  auto sending = request("/echo");
  sending.method = "POST";
  sending.body = std::string(200'000, 'x');
  const auto posted = net::http_request(sending);
  ASSERT_TRUE(posted) << posted.error().describe();
  EXPECT_EQ(posted->status, 413);
}

TEST_F(Client, TimesOut) {
  serve();
  auto waiting = request("/held");
  waiting.timeout = std::chrono::milliseconds(200);
  const auto answer = net::http_request(waiting);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST_F(Client, RefusesWhatItCannotAsk) {
  for (const char* url : {"ftp://a.example/", "127.0.0.1:80", "http://", "http://:80/", "http://a.example:x/", "http://a b.example/"}) {
    net::ClientRequest bad;
    bad.url = url;
    const auto answer = net::http_request(bad);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, ErrorCode::invalid) << url;
  }
  net::ClientRequest injecting;
  injecting.url = "http://127.0.0.1:1/";
  injecting.headers = {{"X", "a\r\nY: b"}};
  EXPECT_FALSE(net::http_request(injecting));
}

TEST_F(Client, KeepsItsConnection) {
  serve();
  net::HttpClient client;
  for (int i = 0; i < 3; ++i) {
    const auto got = client.ask(request("/hello"));
    ASSERT_TRUE(got) << got.error().describe();
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->header("content-type"), "application/json");
    EXPECT_EQ(client.reused(), i > 0);
  }
  EXPECT_EQ(server_->statistics().connections_open, 1U);
  EXPECT_FALSE(client.ask(request("/held" + std::string(1, ' '))));
  auto waiting = request("/held");
  waiting.timeout = std::chrono::milliseconds(100);
  EXPECT_FALSE(client.ask(waiting));
  const auto after = client.ask(request("/hello"));  // not the answer to what was given up
  ASSERT_TRUE(after) << after.error().describe();
  EXPECT_EQ(after->body, "{\"hello\": true}");
  EXPECT_FALSE(client.reused());
}

// Answers each of `connections` once with fixed bytes, then closes it.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::string answer, int connections = 1) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket_.get(), generic, size) != 0 || ::listen(socket_.get(), 1) != 0) return;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, connections, answer = std::move(answer)] {
      for (int i = 0; i < connections; ++i) {
        const FileDescriptor peer(::accept(socket_.get(), nullptr, nullptr));
        std::array<char, 4'096> request;
        if (::recv(peer.get(), request.data(), request.size(), 0) <= 0) return;
        ::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      }
    });
  }
  ~ScriptedServer() { thread_.join(); }
  [[nodiscard]] net::ClientRequest request() const {
    net::ClientRequest request;
    request.url = "http://localhost:" + std::to_string(port_);
    request.response_limit_bytes = 1'000;
    return request;
  }
  [[nodiscard]] Result<net::ClientResponse> ask() const { return net::http_request(request()); }

 private:
  FileDescriptor socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(ClientAnswers, Framings) {
  const auto body_of = [](const std::string& answer) {
    const ScriptedServer server(answer);
    const auto got = server.ask();
    return got ? std::to_string(got->status) + " " + got->body : got.error().describe();
  };
  EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), "200 ab");
  EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\n\r\nuntil the end"), "200 until the end");
  EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), "200 abc");
  EXPECT_EQ(body_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "404 ");
}

// The server seemed to keep the connection and closed it: whether the client sees that before or after it sent the next request, the
// request is answered.
TEST(ClientAnswers, AClosedConnectionIsReplaced) {
  constexpr int kRounds = 20;
  const ScriptedServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", kRounds);
  net::HttpClient client;
  auto request = server.request();
  request.method = "PUT";
  for (int i = 0; i < kRounds; ++i) {
    const auto got = client.ask(request);
    ASSERT_TRUE(got) << got.error().describe();
    EXPECT_EQ(got->body, "ab");
  }
}

TEST(ClientAnswers, Failures) {
  const auto code_of = [](const std::string& answer) {
    const ScriptedServer server(answer);
    const auto got = server.ask();
    return got ? ErrorCode::internal : got.error().code;
  };
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), ErrorCode::unavailable);
  EXPECT_EQ(code_of("noise"), ErrorCode::unavailable);
  EXPECT_EQ(code_of(""), ErrorCode::unavailable);
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + std::string(1'001, 'x')), ErrorCode::too_large);
}

}  // namespace
}  // namespace birthmark::net_test
