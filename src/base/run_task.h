// SPDX-License-Identifier: Apache-2.0
// run_task(task): waits for a Task on the calling thread. For commands and tests; never on a network thread, which it would block.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/task.h"

namespace birthmark {

template <class T>
[[nodiscard]] T run_task(Task<T> task) {
  boost::asio::io_context context(1);
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
