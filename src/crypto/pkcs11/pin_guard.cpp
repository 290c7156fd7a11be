// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/pin_guard.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr int kRounds = 200'000;
constexpr std::size_t kSaltBytes = 16;

std::string hash_of(const Pin& pin, ByteView salt) {
  std::array<std::uint8_t, 32> hash{};
  const ByteView text = pin.view();
  const int made = PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(text.data()), static_cast<int>(text.size()), salt.data(),
                                     static_cast<int>(salt.size()), kRounds, EVP_sha256(), static_cast<int>(hash.size()), hash.data());
  return made == 1 ? to_hex(hash) : std::string();
}

}  // namespace

// One entry a line: serial (hex), salt, hash. A line of another shape is nobody's and passed over.
void PinGuard::load() {
  if (loaded_) return;
  loaded_ = true;
  if (file_.empty()) return;
  const auto text = read_file(file_, 1U << 16U);
  if (!text) return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Entry entry;
    if (words >> entry.serial >> entry.salt >> entry.hash) entries_.push_back(std::move(entry));
  }
}

Status PinGuard::save() const {
  if (file_.empty()) return {};
  std::string text;
  for (const Entry& entry : entries_) text.append(entry.serial).append(" ").append(entry.salt).append(" ").append(entry.hash).append("\n");
  return replace_file(file_, text, 0600);
}

bool PinGuard::was_refused(const std::string& token_serial, const Pin& pin) {
  const std::lock_guard lock(mutex_);
  load();
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    const auto salt = from_hex(entry.salt);
    return entry.serial == to_hex(as_bytes(token_serial)) && salt && hash_of(pin, *salt) == entry.hash;
  });
}

Status PinGuard::note_refusal(const std::string& token_serial, const Pin& pin) {
  const std::lock_guard lock(mutex_);
  load();
  std::array<std::uint8_t, kSaltBytes> salt{};
  if (RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1) return fail(ErrorCode::internal, "no random octets");
  entries_.push_back({to_hex(as_bytes(token_serial)), to_hex(salt), hash_of(pin, salt)});
  return save();
}

void PinGuard::forget(const std::string& token_serial) {
  const std::lock_guard lock(mutex_);
  load();
  const auto gone =
      std::remove_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.serial == to_hex(as_bytes(token_serial)); });
  if (gone == entries_.end()) return;
  entries_.erase(gone, entries_.end());
  (void)save();  // an entry too many is asked about again, not wrong
}

}  // namespace birthmark::crypto::pkcs11
