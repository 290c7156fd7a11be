// SPDX-License-Identifier: Apache-2.0
// The transport of the client: one connection at a time, the token searched octet by octet, faults on cue (pep 5.1, 5.2, 5.4).
#include "test_fcc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "crypto/digest.h"

namespace birthmark::pep {
namespace {

constexpr std::size_t kMostMessage = 1U << 20U;

void put_number(Bytes& to, std::uint32_t number) {
  for (unsigned shift = 0; shift < 32; shift += 8) to.push_back(static_cast<std::uint8_t>(number >> shift));
}

void put_head(Bytes& to, unsigned major, std::size_t size) {
  if (size < 24) {
    to.push_back(static_cast<std::uint8_t>(major << 5U | size));
  } else if (size < 256) {
    to.push_back(static_cast<std::uint8_t>(major << 5U | 24U));
    to.push_back(static_cast<std::uint8_t>(size));
  } else {
    to.push_back(static_cast<std::uint8_t>(major << 5U | 25U));
    to.push_back(static_cast<std::uint8_t>(size >> 8U));
    to.push_back(static_cast<std::uint8_t>(size));
  }
}

void put_text(Bytes& to, std::string_view text) {
  put_head(to, 3, text.size());
  append(to, as_bytes(text));
}

}  // namespace

// The indefinite map of the facts, members in the client's order.
Bytes encode_reply(const FccReplyText& text) {
  Bytes cbor{0xbf};
  if (!text.csrs.empty()) {
    put_text(cbor, "Csrs");
    put_head(cbor, 4, text.csrs.size());
    for (const auto& [name, der] : text.csrs) {
      cbor.push_back(0xbf);
      put_text(cbor, "PrKN");
      put_text(cbor, name);
      put_text(cbor, "Data");
      put_head(cbor, 2, der.size());
      append(cbor, der);
      cbor.push_back(0xff);
    }
  }
  put_text(cbor, "SchemeVersion");
  put_text(cbor, "0.0.1");
  if (!text.session.empty()) {
    put_text(cbor, "SID");
    put_text(cbor, text.session);
  }
  put_text(cbor, "ReturnStatus");
  put_head(cbor, 0, text.status);
  put_text(cbor, "InfoMessage");
  put_text(cbor, text.info);
  if (!text.warnings.empty()) {
    std::string all;
    for (const std::string& warning : text.warnings) all += warning + "\n";
    put_text(cbor, "WarningInfo");
    put_text(cbor, all);
  }
  cbor.push_back(0xff);
  return cbor;
}

TestFcc::TestFcc(FccScript script) : script_(script), device_(script) {
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool listens =
      ::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 1) == 0 && ::getsockname(listener_.get(), any, &size) == 0;
  BIRTHMARK_ASSERT(listens);
  port_ = ntohs(address.sin_port);
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] { run(); });
}

TestFcc::~TestFcc() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

std::map<std::string, StoredValue> TestFcc::store() {
  const std::lock_guard lock(mutex_);
  return device_.store();
}

std::string TestFcc::text(const std::string& name) {
  const auto all = store();
  const auto found = all.find(name);
  const auto* value = found == all.end() ? nullptr : std::get_if<std::string>(&found->second);
  return value != nullptr ? *value : std::string();
}

Bytes TestFcc::octets(const std::string& name) {
  const auto all = store();
  const auto found = all.find(name);
  const auto* value = found == all.end() ? nullptr : std::get_if<Bytes>(&found->second);
  return value != nullptr ? *value : Bytes();
}

namespace {

// False when the peer is gone or the test is over.
bool readable(int descriptor, int stop) {
  pollfd watched[2] = {{descriptor, POLLIN, 0}, {stop, POLLIN, 0}};
  while (::poll(watched, 2, -1) < 0) {
  }
  return (watched[1].revents & POLLIN) == 0;
}

bool read_exactly(int connection, int stop, std::size_t size, Bytes& into) {
  while (size > 0) {
    if (!readable(connection, stop)) return false;
    std::uint8_t buffer[4096];
    const ssize_t got = ::recv(connection, buffer, std::min(size, sizeof buffer), 0);
    if (got <= 0) return false;
    into.insert(into.end(), buffer, buffer + got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

void TestFcc::run() {
  while (readable(listener_.get(), stop_.get())) {
    const FileDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    bool goes_on = true;
    while (goes_on) {
      const unsigned before = messages_;
      goes_on = serve(connection.get());
      if (!goes_on && messages_ > before) {  // the process exits after its last message
        ended_ = true;
        listener_.reset(-1);
        return;
      }
    }
  }
  ended_ = true;
}

// One message; false when the connection or the client ends.
bool TestFcc::serve(int connection) {
  constexpr std::string_view kToken = "mbedprov";
  std::size_t matched = 0;
  while (matched < kToken.size()) {
    Bytes octet;
    if (!read_exactly(connection, stop_.get(), 1, octet)) return false;
    matched = static_cast<char>(octet[0]) == kToken[matched] ? matched + 1 : 0;
  }
  const unsigned number = messages_ + 1;
  const bool faulty = script_.fail_on_message == 0 || script_.fail_on_message == number;
  Bytes length;
  if (!read_exactly(connection, stop_.get(), 4, length)) return false;
  std::uint32_t size = 0;
  for (std::size_t i = 4; i > 0; --i) size = size << 8U | length[i - 1];
  Bytes body, hash;
  if (faulty && script_.close_request_after) {
    static_cast<void>(read_exactly(connection, stop_.get(), std::min<std::size_t>(size, *script_.close_request_after), body));
    messages_ = number;
    return false;
  }
  if (size == 0 || size > kMostMessage || !read_exactly(connection, stop_.get(), size, body) ||
      !read_exactly(connection, stop_.get(), 32, hash))
    return false;
  messages_ = number;
  if (!equal(crypto::sha256(body).octets, hash)) return false;
  bool goes_on = false;
  FccReplyText text;
  {
    const std::lock_guard lock(mutex_);
    text = device_.take(body, goes_on);
  }
  if (faulty && script_.return_status) {
    text.status = *script_.return_status;
    text.info = "General error:";
    text.csrs.clear();
    goes_on = false;
  }
  if (faulty && script_.never_answer) {
    Bytes nothing;
    static_cast<void>(read_exactly(connection, stop_.get(), 1, nothing));
    return false;
  }
  return reply(connection, text) && goes_on;
}

bool TestFcc::reply(int connection, const FccReplyText& text) {
  const bool faulty = script_.fail_on_message == 0 || script_.fail_on_message == messages_;
  if (script_.think.count() > 0) {
    pollfd watched{stop_.get(), POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(script_.think.count())) > 0) return false;
  }
  const Bytes cbor = encode_reply(text);
  Bytes frame;
  append(frame, as_bytes(faulty && script_.junk ? "HTTP/1.1 400 Bad Request\r\n\r\n" : "mbedprov"));
  put_number(frame, faulty ? script_.frame_status.value_or(0) : 0);
  if (!faulty || !script_.frame_status) {
    put_number(frame, faulty && script_.huge_length ? 0x7fffffff : static_cast<std::uint32_t>(cbor.size()));
    append(frame, cbor);
    Bytes digest = to_bytes(crypto::sha256(cbor).octets);
    if (faulty && script_.damage_hash) digest[0] ^= 1U;
    append(frame, digest);
  }
  if (faulty && script_.close_reply_after) frame.resize(std::min(frame.size(), *script_.close_reply_after));
  const std::size_t piece = script_.one_octet_at_a_time ? 1 : frame.size();
  for (std::size_t at = 0; at < frame.size(); at += piece) {
    if (::send(connection, frame.data() + at, std::min(piece, frame.size() - at), MSG_NOSIGNAL) < 0) return false;
  }
  return !(faulty && script_.close_reply_after);
}

}  // namespace birthmark::pep
