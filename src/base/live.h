// SPDX-License-Identifier: Apache-2.0
// A value that is replaced whole while others read it: whoever has taken it keeps what he took. Safe from every thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace birthmark {

template <class T>
class Live {
 public:
  explicit Live(T value) : current_(std::make_shared<const T>(std::move(value))) {}

  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::lock_guard held(mutex_);
    return current_;
  }
  void set(T value) { set(std::make_shared<const T>(std::move(value))); }
  void set(std::shared_ptr<const T> value) {
    const std::lock_guard held(mutex_);
    current_.swap(value);  // what was there ends after the lock
  }

 private:
  mutable std::mutex mutex_;  // atomic<shared_ptr> has races in the library of g++ 12
  std::shared_ptr<const T> current_;
};

}  // namespace birthmark
