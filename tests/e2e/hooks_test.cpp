// SPDX-License-Identifier: Apache-2.0
// [hooks]: a line's own system hears of registrations and refusals, signed, in their order, also when it was away.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

struct Event {
  std::string number, signature, body;
};

// Listens on one port, takes one POST a connection, answers as told.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    require(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0, "no port");
    require(::listen(socket_.get(), 16) == 0, "cannot listen");
    require(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "no port");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~Listener() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  void answer(int status) { status_ = status; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<Event> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  void work() {
    for (;;) {
      const FileDescriptor peer(::accept(socket_.get(), nullptr, nullptr));
      if (!peer.valid()) return;
      std::string text;
      while (!is_whole(text)) {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
      }
      const int status = status_;
      {
        const std::lock_guard lock(mutex_);
        if (status == 200) events_.push_back({field(text, "Birthmark-Event: "), field(text, "Birthmark-Signature: "), body_of(text)});
      }
      const std::string answer = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      static_cast<void>(::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
    }
  }
  static std::string field(const std::string& text, const std::string& name) {
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\r', at) - at - name.size());
  }
  static std::string body_of(const std::string& text) {
    const std::size_t end = text.find("\r\n\r\n");
    return end == std::string::npos ? "" : text.substr(end + 4);
  }
  static bool is_whole(const std::string& text) {
    const std::string length = field(text, "Content-Length: ");
    return !length.empty() && text.find("\r\n\r\n") != std::string::npos && body_of(text).size() >= std::stoul(length);
  }

  FileDescriptor socket_;
  std::uint16_t port_ = 0;
  std::atomic<int> status_ = 200;
  std::mutex mutex_;
  std::vector<Event> events_;
  std::thread thread_;
};

void expect_signed(const Factory& factory, const Event& event) {
  const auto signature = from_base64(event.signature);
  ASSERT_TRUE(signature) << event.signature;
  write_text(factory.scratch() / "body", event.body);
  write_text(factory.scratch() / "signature", as_text(*signature));
  const Outcome checked = run({"openssl", "dgst", "-sha256", "-verify", factory.directory() / "hooks.pub", "-signature",
                               factory.scratch() / "signature", factory.scratch() / "body"});
  EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
}

TEST(Hooks, TheLineHearsWhatHappenedSignedAndInOrder) {
  const Factory factory;
  Listener listener;
  factory.configure("hooks", "url = \"http://127.0.0.1:" + std::to_string(listener.port()) + "/events\"");
  auto server = factory.serve();
  const Device first = Device::make();
  ASSERT_EQ(post_sign(server->port(), first.body())->status, 201);
  EXPECT_EQ(post_sign(server->port(), Device::make(first.uuid).body())->status, 409);
  ASSERT_TRUE(wait_until([&] { return listener.events().size() == 2; }));
  const auto events = listener.events();
  EXPECT_TRUE(events[0].body.starts_with("{\"event\":\"device_issued\"")) << events[0].body;
  EXPECT_NE(events[0].body.find(first.uuid), std::string::npos);
  EXPECT_TRUE(events[1].body.starts_with("{\"event\":\"device_refused\"")) << events[1].body;
  EXPECT_NE(events[1].body.find("key_conflict"), std::string::npos);
  EXPECT_NE(events[0].number, events[1].number);
  for (const Event& event : events) expect_signed(factory, event);

  listener.answer(503);
  const Device second = Device::make();
  ASSERT_EQ(post_sign(server->port(), second.body())->status, 201) << "a line that does not listen delays nobody";
  server->kill();
  server = factory.serve();
  listener.answer(200);
  ASSERT_TRUE(wait_until([&] { return listener.events().size() == 3; }));
  EXPECT_NE(listener.events()[2].body.find(second.uuid), std::string::npos);
  EXPECT_TRUE(wait_until([&] {
    return factory.command({"upstream", "status", "--hooks", "--format", "json"}).find("\"waiting\":0,\"sending\":0") != std::string::npos;
  }));
  factory.command({"audit", "verify"});
  EXPECT_EQ(server->stop(), 0);
}

}  // namespace
}  // namespace birthmark::e2e
