// SPDX-License-Identifier: Apache-2.0
#include "base/suspend.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/run_task.h"

namespace birthmark {
namespace {

Task<int> answered_by_another_thread(std::thread& thread) {
  const auto start = [&thread](Resume<int> resume) { thread = std::thread([resume = std::move(resume)]() mutable { resume(42); }); };
  co_return co_await suspend<int>(start);
}

Task<int> answered_at_once() {
  const auto start = [](Resume<int> resume) { resume(7); };
  co_return co_await suspend<int>(start);
}

TEST(Suspend, AnotherThreadBringsTheAnswer) {
  std::thread thread;
  EXPECT_EQ(run_task(answered_by_another_thread(thread)), 42);
  thread.join();
}

TEST(Suspend, AnAnswerDuringTheStartIsFine) {
  EXPECT_EQ(run_task(answered_at_once()), 7);
}

}  // namespace
}  // namespace birthmark
