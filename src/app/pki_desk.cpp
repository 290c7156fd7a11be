// SPDX-License-Identifier: Apache-2.0
#include "app/pki_desk.h"

#include <memory>
#include <utility>

#include "base/suspend.h"

namespace birthmark::app {

PkiDesk::PkiDesk(crypto::PkiKeeper::Parts parts) : keeper_(std::move(parts)), thread_([this] { run(); }) {}

PkiDesk::~PkiDesk() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PkiDesk::run() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

template <class T>
Task<T> PkiDesk::at_the_desk(std::function<T()> work) {
  auto start = [this, work = std::move(work)](Resume<T> resume) {
    const auto answer = std::make_shared<Resume<T>>(std::move(resume));  // a std::function must be copyable
    {
      const std::lock_guard lock(mutex_);
      jobs_.emplace_back([answer, work] { (*answer)(work()); });
    }
    wake_.notify_one();
  };
  co_return co_await suspend<T>(std::move(start));
}

Task<Result<core::CertificateRequests>> PkiDesk::request(core::CertificateOrder order, std::string actor) {
  std::function<Result<core::CertificateRequests>()> work = [this, order, actor = std::move(actor)] {
    return keeper_.request(order, actor);
  };
  co_return co_await at_the_desk(std::move(work));
}

Task<Status> PkiDesk::submit(core::PkiSubmission submission, std::string actor) {
  std::function<Status()> work = [this, submission = std::move(submission), actor = std::move(actor)] {
    return keeper_.submit(submission, actor);
  };
  co_return co_await at_the_desk(std::move(work));
}

}  // namespace birthmark::app
