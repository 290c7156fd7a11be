// SPDX-License-Identifier: Apache-2.0
// Peers that connect to a TLS listener and get nowhere: they say nothing, half a ClientHello, or a whole one and then nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace birthmark::bench {

class SlowPeers {
 public:
  explicit SlowPeers(std::uint16_t port) : port_(port) {}

  // One more of each kind.
  [[nodiscard]] Status add();
  // Forgets those that the server has cut; an error when one of them is older than `patience`.
  [[nodiscard]] Status check(std::chrono::seconds patience);
  [[nodiscard]] std::size_t cut() const { return cut_; }

 private:
  struct Peer {
    FileDescriptor socket;
    std::chrono::steady_clock::time_point since;
  };
  std::uint16_t port_;
  std::vector<Peer> peers_;
  std::size_t cut_ = 0;
};

}  // namespace birthmark::bench
