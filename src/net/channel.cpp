// SPDX-License-Identifier: Apache-2.0
// Plain TCP behind the Channel interface. MSG_NOSIGNAL: a peer that went away must never end the process.
#include "net/channel.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace birthmark::net {
namespace {

IoResult from_errno(IoState when_blocked) {
  return {.state = errno == EAGAIN || errno == EWOULDBLOCK ? when_blocked : IoState::broken};
}

}  // namespace

IoResult SocketChannel::receive(std::span<char> into) {
  ssize_t moved = -1;
  do {
    moved = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
  } while (moved < 0 && errno == EINTR);
  if (moved < 0) return from_errno(IoState::want_read);
  if (moved == 0) return {.state = IoState::ended};
  return {.state = IoState::done, .size = static_cast<std::size_t>(moved)};
}

IoResult SocketChannel::send(std::string_view bytes) {
  ssize_t moved = -1;
  do {
    moved = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (moved < 0 && errno == EINTR);
  if (moved < 0) return from_errno(IoState::want_write);
  return {.state = IoState::done, .size = static_cast<std::size_t>(moved)};
}

void SocketChannel::close_write() {
  ::shutdown(descriptor_, SHUT_WR);
}

// After a reset the kernel reports an error, or - when the peer had closed before - an orderly end with bytes that nobody acknowledged.
bool SocketChannel::everything_acknowledged() const {
  int unacknowledged = 0;
  if (::ioctl(descriptor_, SIOCOUTQ, &unacknowledged) != 0) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return false;
  return unacknowledged == 0 && error == 0;
}

}  // namespace birthmark::net
