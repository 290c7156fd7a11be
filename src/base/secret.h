// SPDX-License-Identifier: Apache-2.0
// Octets that must not stay in memory: every buffer they ever lived in is wiped when it is given back, also when the vector grows.
#pragma once

#include <string.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace birthmark {

template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>&) {}
  [[nodiscard]] T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* from, std::size_t count) {
    ::explicit_bzero(from, count * sizeof(T));
    std::allocator<T>().deallocate(from, count);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

inline void append(SecretBytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace birthmark
