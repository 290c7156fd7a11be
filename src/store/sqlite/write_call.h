// SPDX-License-Identifier: Apache-2.0
// A writing call of an adapter: hands `work` to the group commit and waits until its transaction is on disk.
#pragma once

#include <memory>
#include <utility>

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

}  // namespace birthmark::store
