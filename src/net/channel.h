// SPDX-License-Identifier: Apache-2.0
// One connected peer as non-blocking reads and writes. SocketChannel is plain TCP; a TLS channel (SSL_set_fd on the same descriptor)
// joins behind the same four calls: the connection loop only ever waits for what a channel asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace birthmark::net {

struct PeerIdentity;

enum class IoState : std::uint8_t {
  done,         // `size` bytes moved, at least one
  want_read,    // call again when the descriptor is readable
  want_write,   // call again when it is writable
  want_answer,  // call again when answer_descriptor() is readable: somebody else works for this connection
  ended,        // the peer sends no more, in an orderly way
  broken,       // reset, timed out by TCP, or otherwise lost
  rejected,     // we told the peer (a TLS alert) that we go no further: it should have the time to read that
};

struct IoResult {
  IoState state = IoState::broken;
  std::size_t size = 0;
};

class Channel {
 public:
  virtual ~Channel() = default;
  [[nodiscard]] virtual IoResult receive(std::span<char> into) = 0;
  [[nodiscard]] virtual IoResult send(std::string_view bytes) = 0;
  // Says that we send no more; receiving goes on.
  virtual void close_write() = 0;
  // Whether the peer's TCP has acknowledged all that was sent.
  [[nodiscard]] virtual bool everything_acknowledged() const = 0;
  // Adds what the channel knows of the peer; called once something was received.
  virtual void describe(PeerIdentity&) {}
  // After want_answer. It always becomes readable, within a time of its own: until then the channel must not go.
  [[nodiscard]] virtual int answer_descriptor() const { return -1; }
};

class SocketChannel final : public Channel {
 public:
  // Does not own the descriptor.
  explicit SocketChannel(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] IoResult receive(std::span<char> into) override;
  [[nodiscard]] IoResult send(std::string_view bytes) override;
  void close_write() override;
  [[nodiscard]] bool everything_acknowledged() const override;

 private:
  int descriptor_;
};

}  // namespace birthmark::net
