// SPDX-License-Identifier: Apache-2.0
// A disk that fails on cue: counts the calls that change files and refuses from the Nth on, with whatever SQLite code the test wants.
#pragma once

#include <atomic>
#include <limits>

#include "store/sqlite/vfs_layer.h"

namespace birthmark::testing {

class FaultyVfs final : public store::VfsLayer {
 public:
  enum class Recovery { after_one_failure, when_healed };

  [[nodiscard]] static Result<std::unique_ptr<FaultyVfs>> create(const std::string& name);

  // The `calls`th change from now on fails (1: the next one); reads too when `reads`.
  void fail_after(long calls, int code, Recovery recovery);
  void fail_reads(int code) { read_code_ = code; }
  void heal();
  // Whether a failure was handed out since the last fail_after.
  [[nodiscard]] bool has_failed() const { return failures_ > 0; }

  int read(store::LayerFile& file, void* to, int size, std::int64_t at) override;
  int write(store::LayerFile& file, const void* from, int size, std::int64_t at) override;
  int truncate(store::LayerFile& file, std::int64_t size) override;
  int sync(store::LayerFile& file, int flags) override;

 private:
  using VfsLayer::VfsLayer;
  static constexpr long kNever = std::numeric_limits<long>::max();
  [[nodiscard]] bool fails_now();

  std::atomic<long> calls_left_{kNever};
  std::atomic<int> code_{0};
  std::atomic<int> read_code_{0};
  std::atomic<bool> once_{false};
  std::atomic<long> failures_{0};
};

}  // namespace birthmark::testing
