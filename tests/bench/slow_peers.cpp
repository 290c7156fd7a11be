// SPDX-License-Identifier: Apache-2.0
#include "slow_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "crypto/openssl.h"

namespace birthmark::bench {
namespace {

std::string client_hello() {
  const std::unique_ptr<SSL_CTX, crypto::Freer<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<SSL, crypto::Freer<SSL_free>> ssl(SSL_new(context.get()));
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);
  SSL_connect(ssl.get());  // would go on once the server has answered
  ERR_clear_error();
  char* octets = nullptr;
  const long size = BIO_get_mem_data(sent, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

// Reads what is there. True once the server has closed.
bool was_cut(int socket) {
  std::array<char, 4'096> buffer;
  ssize_t got = 1;
  while (got > 0) got = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

Status SlowPeers::add() {
  const std::string hello = client_hello();
  for (const std::size_t octets : {std::size_t{0}, hello.size() / 2, hello.size()}) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (!connected || (octets > 0 && ::send(socket.get(), hello.data(), octets, MSG_NOSIGNAL) != static_cast<ssize_t>(octets)))
      return fail(ErrorCode::unavailable, "a slow peer cannot connect: " + describe_errno(errno));
    peers_.push_back({std::move(socket), std::chrono::steady_clock::now()});
  }
  return {};
}

Status SlowPeers::check(std::chrono::seconds patience) {
  std::vector<Peer> left;
  for (Peer& peer : peers_) {
    if (was_cut(peer.socket.get())) {
      ++cut_;
      continue;
    }
    if (std::chrono::steady_clock::now() - peer.since > patience)
      return fail(ErrorCode::internal, "a peer that gets nowhere is still connected after " + std::to_string(patience.count()) + " s");
    left.push_back(std::move(peer));
  }
  peers_ = std::move(left);
  return {};
}

}  // namespace birthmark::bench
