// SPDX-License-Identifier: Apache-2.0
// run_task(task): waits for a Task on the calling thread. For commands and tests; never on a network thread, which it would block.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace birthmark {

// An event loop lent to one run_task at a time, and never destroyed: the thread that wakes a task may still be inside the loop's post()
// when the task is already done.
class LentLoop {
 public:
  LentLoop() {
    Idle& idle = idle_loops();
    const std::lock_guard lock(idle.mutex);
    if (idle.loops.empty()) {
      loop_ = std::make_unique<boost::asio::io_context>(1);
      return;
    }
    loop_ = std::move(idle.loops.back());
    idle.loops.pop_back();
    loop_->restart();
  }
  ~LentLoop() {
    Idle& idle = idle_loops();
    const std::lock_guard lock(idle.mutex);
    idle.loops.push_back(std::move(loop_));
  }
  LentLoop(const LentLoop&) = delete;
  LentLoop& operator=(const LentLoop&) = delete;

  [[nodiscard]] boost::asio::io_context& get() { return *loop_; }

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<std::unique_ptr<boost::asio::io_context>> loops;
  };
  static Idle& idle_loops() {
    static Idle* const idle = new Idle;  // outlives every thread
    return *idle;
  }

  std::unique_ptr<boost::asio::io_context> loop_;
};

template <class T>
[[nodiscard]] T run_task(Task<T> task) {
  LentLoop lent;
  boost::asio::io_context& context = lent.get();
  std::optional<T> answer;
  boost::asio::co_spawn(context, std::move(task), [&answer](std::exception_ptr failure, T value) {
    BIRTHMARK_ASSERT(failure == nullptr);
    answer.emplace(std::move(value));
  });
  // A task that waits for another thread leaves nothing to do for a while; its pending handler keeps the context's work count up.
  context.run();
  BIRTHMARK_ASSERT(answer.has_value());
  return std::move(*answer);
}

}  // namespace birthmark
