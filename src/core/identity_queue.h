// SPDX-License-Identifier: Apache-2.0
// One attempt at a time per identity: two requests of one device are decided one after the other, so that neither signs for nothing.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/suspend.h"
#include "base/task.h"
#include "core/identity.h"

namespace birthmark::core {

class IdentityQueue {
 public:
  // The right to act for an identity; passes to the next in line when it goes.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (queue_ != nullptr) queue_->leave(key_);
    }

   private:
    friend class IdentityQueue;
    Turn(IdentityQueue& queue, std::string key) : queue_(&queue), key_(std::move(key)) {}
    IdentityQueue* queue_;
    std::string key_;
  };

  // Waits until nobody else acts for `identity`. First come, first served.
  [[nodiscard]] Task<Turn> enter(const DeviceIdentity& identity);

 private:
  struct Entered {};
  // An identity is in the map as long as somebody holds its turn.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<Resume<Entered>>> lines;  // a vector: an empty one owns nothing
  };

  [[nodiscard]] Shard& shard_of(const std::string& key) { return shards_[std::hash<std::string>{}(key) % shards_.size()]; }
  void leave(const std::string& key);

  std::array<Shard, 32> shards_;
};

}  // namespace birthmark::core
