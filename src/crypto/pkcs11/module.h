// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module, loaded once for the process and initialised with its own locking. Everybody calls it through use(), so that the one
// who closes sessions or starts the module anew can wait until nobody is inside: handles are numbers, and a number that is given out again
// must never be signed with by somebody who got it earlier.
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/result.h"

namespace birthmark::crypto::pkcs11 {

class Module {
 public:
  // not_found with advice when there is no such file, misconfigured when it is no PKCS#11 module or cannot be initialised.
  [[nodiscard]] static Result<std::shared_ptr<Module>> open(const std::filesystem::path& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Held while inside the module. Not held: somebody is closing or starting it.
  class Use {
   public:
    explicit Use(Module& module) : lock_(module.calls_, std::defer_lock) {
      if (!module.closing_.load(std::memory_order_acquire)) (void)lock_.try_lock();
    }
    [[nodiscard]] bool held() const { return lock_.owns_lock(); }

   private:
    std::shared_lock<std::shared_timed_mutex> lock_;
  };
  // The opposite: nobody is inside, nobody comes in. Not held when somebody stays inside for longer than `patience`.
  class Alone {
   public:
    Alone(Module& module, std::chrono::milliseconds patience);
    ~Alone();
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;
    [[nodiscard]] bool held() const { return lock_.owns_lock(); }

   private:
    Module& module_;
    std::unique_lock<std::shared_timed_mutex> lock_;
  };

  [[nodiscard]] const CK_FUNCTION_LIST& functions() const { return *functions_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Rises with every restart(): handles of an earlier generation mean nothing.
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // How many tokens of this module are connected: one that is not must not start the module anew under the others.
  [[nodiscard]] int tokens_at_work() const { return at_work_.load(); }
  void count_at_work(int more) { at_work_.fetch_add(more); }
  // C_Finalize, C_Initialize. The caller holds Alone.
  [[nodiscard]] Status restart();

 private:
  explicit Module(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] Status load();
  [[nodiscard]] Status initialize();

  const std::filesystem::path path_;
  CK_FUNCTION_LIST_PTR functions_ = nullptr;
  std::shared_timed_mutex calls_;
  std::atomic<bool> closing_{false};
  std::atomic<int> at_work_{0};
  std::atomic<std::uint64_t> generation_{1};
  bool initialized_ = false;
};

// "CKR_PIN_INCORRECT (0xA0)".
[[nodiscard]] std::string name_of(CK_RV value);
// "C_Sign: CKR_DEVICE_ERROR (0x30)".
[[nodiscard]] std::string failed_call(const char* function, CK_RV value);

}  // namespace birthmark::crypto::pkcs11
