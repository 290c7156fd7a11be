// SPDX-License-Identifier: Apache-2.0
// A writing call of an adapter: hands `work` to the group commit and waits until its transaction is on disk.
#pragma once

#include <memory>
#include <utility>

#include "base/log.h"
#include "base/suspend.h"
#include "store/sqlite/group_commit.h"

namespace birthmark::store {

// `work` takes a Ledger& and answers Result<T>; it may run more than once.
template <class T, class Work>
[[nodiscard]] Task<Result<T>> write_call(GroupCommit& writer, Work work) {
  auto start = [&writer, work = std::move(work)](Resume<Result<T>> resume) mutable {
    writer.submit(std::make_unique<WriteJobOf<T, Work>>(std::move(work), std::move(resume)));
  };
  return suspend<Result<T>>(std::move(start));
}

// A write that nobody waits for.
template <class Work>
class NoteJob final : public WriteJob {
 public:
  explicit NoteJob(Work work) : work_(std::move(work)) {}
  void run(Ledger& ledger) override { result_ = work_(ledger); }
  void refuse(Error error) override { result_ = tl::make_unexpected(std::move(error)); }
  void answer() override {
    if (!result_) log::warning("registry.note_lost", {{"reason", result_.error().describe()}});
  }

 private:
  Work work_;
  Status result_;
};

template <class Work>
void submit_note(GroupCommit& writer, Work work) {
  writer.submit(std::make_unique<NoteJob<Work>>(std::move(work)));
}

}  // namespace birthmark::store
