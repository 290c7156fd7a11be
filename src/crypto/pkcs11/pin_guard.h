// SPDX-License-Identifier: Apache-2.0
// Remembers which PIN a token refused, so that nothing ever tries it twice by itself and a server that is restarted again and again cannot
// lock a token. Kept in a file where there is a data directory: a salted, slow hash of what was refused, which is not the PIN.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/pkcs11/pin.h"

namespace birthmark::crypto::pkcs11 {

class PinGuard {
 public:
  // An empty path: in memory only.
  explicit PinGuard(std::filesystem::path file = {}) : file_(std::move(file)) {}

  // Whether this token refused this PIN before.
  [[nodiscard]] bool was_refused(const std::string& token_serial, const Pin& pin);
  // On disk before the caller goes on; an error when it cannot be.
  [[nodiscard]] Status note_refusal(const std::string& token_serial, const Pin& pin);
  // An operator knows better (the token's PIN was changed to this one), or the token took it after all.
  void forget(const std::string& token_serial);

 private:
  struct Entry {
    std::string serial, salt, hash;  // hex
  };
  void load();
  [[nodiscard]] Status save() const;

  std::mutex mutex_;
  const std::filesystem::path file_;
  bool loaded_ = false;
  std::vector<Entry> entries_;
};

}  // namespace birthmark::crypto::pkcs11
