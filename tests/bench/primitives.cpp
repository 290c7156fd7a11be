// SPDX-License-Identifier: Apache-2.0
// EVP contexts are made once; only the operation itself is inside the clock.
#include "primitives.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "crypto/private_key.h"

namespace birthmark::bench {
namespace {

constexpr int kBatch = 100;

double thread_cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

struct Batches {
  std::vector<double> verify_us;
  std::vector<double> sign_us;
  bool failed = false;
};

template <class Operation>
double time_batch(Operation operation, bool& failed) {
  const double before = thread_cpu_us();
  for (int i = 0; i < kBatch; ++i) failed = !operation() || failed;
  return (thread_cpu_us() - before) / kBatch;
}

void measure_on_this_thread(EVP_PKEY* key, unsigned batches, Batches& found) {
  const crypto::PkeyContextHandle signing(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const crypto::PkeyContextHandle verifying(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  found.failed = EVP_PKEY_sign_init(signing.get()) != 1 || EVP_PKEY_verify_init(verifying.get()) != 1;
  std::array<std::uint8_t, 32> digest{1, 2, 3};
  std::array<std::uint8_t, 80> signature{};
  std::size_t size = signature.size();
  const auto sign = [&] {
    size = signature.size();
    return EVP_PKEY_sign(signing.get(), signature.data(), &size, digest.data(), digest.size()) == 1;
  };
  const auto verify = [&] { return EVP_PKEY_verify(verifying.get(), signature.data(), size, digest.data(), digest.size()) == 1; };
  for (unsigned i = 0; i < batches && !found.failed; ++i) {
    found.sign_us.push_back(time_batch(sign, found.failed));
    found.verify_us.push_back(time_batch(verify, found.failed));
  }
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Result<Primitives> measure_primitives(unsigned batches) {
  std::vector<crypto::PrivateKey> keys;
  std::vector<Batches> found(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    BIRTHMARK_TRY(auto key, crypto::PrivateKey::generate_p256());
    keys.push_back(std::move(key));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] { measure_on_this_thread(keys[i].get(), batches, found[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  Batches all;
  for (const Batches& one : found) {
    if (one.failed) return crypto::openssl_failure(ErrorCode::internal, "a primitive failed");
    all.verify_us.insert(all.verify_us.end(), one.verify_us.begin(), one.verify_us.end());
    all.sign_us.insert(all.sign_us.end(), one.sign_us.begin(), one.sign_us.end());
  }
  return Primitives{.verify_us = median(all.verify_us), .sign_us = median(all.sign_us)};
}

}  // namespace birthmark::bench
