// SPDX-License-Identifier: Apache-2.0
// suspend<T>(start): waits for an answer that another thread will bring. `start` gets a Resume<T> and keeps it;
// calling it once, from any thread, wakes the coroutine on its own executor. A Resume that is dropped uncalled leaves its
// coroutine waiting for ever, so whoever takes one owns the duty to call it.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "base/task.h"

namespace birthmark {

// Movable, called at most once.
template <class T>
class Resume {
 public:
  Resume() = default;
  template <class Handler>
  explicit Resume(Handler&& handler) : waiting_(std::make_unique<Waiting<std::decay_t<Handler>>>(std::forward<Handler>(handler))) {}

  void operator()(T value) {
    auto waiting = std::move(waiting_);
    auto* raw = waiting.get();
    raw->wake(std::move(waiting), std::move(value));
  }

 private:
  struct WaitingBase {
    virtual ~WaitingBase() = default;
    virtual void wake(std::unique_ptr<WaitingBase> self, T value) = 0;
  };
  template <class Handler>
  struct Waiting final : WaitingBase {
    explicit Waiting(Handler h) : handler(std::move(h)), executor(boost::asio::get_associated_executor(handler)) {}
    void wake(std::unique_ptr<WaitingBase> self, T value) override {
      auto target = executor;
      boost::asio::post(target, [self = std::move(self), value = std::move(value)]() mutable {
        auto& waiting = static_cast<Waiting&>(*self);
        auto call = std::move(waiting.handler);
        self.reset();
        std::move(call)(std::move(value));
      });
    }
    Handler handler;
    boost::asio::associated_executor_t<Handler> executor;
  };
  std::unique_ptr<WaitingBase> waiting_;
};

template <class T, class Start>
[[nodiscard]] Task<T> suspend(Start start) {
  auto initiation = [](auto handler, Start begin) { begin(Resume<T>(std::move(handler))); };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(std::move(initiation), boost::asio::use_awaitable,
                                                                                    std::move(start));
}

}  // namespace birthmark
