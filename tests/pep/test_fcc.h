// SPDX-License-Identifier: Apache-2.0
// A Factory Configurator Client of our own: speaks the protocol of the facts (pep 5.1 to 5.7), enforces its rules with the real client's
// codes, and fails on cue. It reads with the CBOR library, not with the code it tests.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "crypto/private_key.h"

namespace birthmark::pep {

// What it shall do wrong. Nothing set: it behaves.
struct FccScript {
  bool never_answer = false;
  std::optional<std::size_t> close_request_after{};  // octets of a request
  std::optional<std::size_t> close_reply_after{};    // octets of its reply
  std::optional<std::uint32_t> frame_status{};       // instead of a reply
  std::optional<unsigned> return_status{};           // whatever was sent
  bool damage_hash = false;
  bool huge_length = false;
  bool one_octet_at_a_time = false;
  bool junk = false;  // something else answers
  enum class Csr { good, other_subject, bad_signature, other_key } csr = Csr::good;
  std::chrono::milliseconds think{0};  // before each reply
  unsigned fail_on_message = 0;        // the faults above concern this message; 0: all
};

using StoredValue = std::variant<std::string, std::uint64_t, Bytes>;

struct FccReplyText {
  unsigned status = 0;
  std::string info;
  std::string session;
  std::vector<std::string> warnings;
  std::vector<std::pair<std::string, Bytes>> csrs;
};

// The rules and the store: one device over its life.
class FccDevice {
 public:
  explicit FccDevice(FccScript script) : script_(script) {}
  // What it says to a message; `goes_on`: the session stays.
  [[nodiscard]] FccReplyText take(ByteView message, bool& goes_on);
  [[nodiscard]] const std::map<std::string, StoredValue>& store() const { return store_; }

 private:
  [[nodiscard]] FccReplyText verify();
  FccScript script_;
  std::map<std::string, StoredValue> store_;
  std::optional<crypto::PrivateKey> own_key_;
  friend class BundleReader;
};

class TestFcc {
 public:
  explicit TestFcc(FccScript script = {});
  ~TestFcc();
  TestFcc(const TestFcc&) = delete;
  TestFcc& operator=(const TestFcc&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] unsigned messages() const { return messages_; }
  [[nodiscard]] std::map<std::string, StoredValue> store();
  [[nodiscard]] std::string text(const std::string& name);
  [[nodiscard]] Bytes octets(const std::string& name);

 private:
  void run();
  [[nodiscard]] bool serve(int connection);
  [[nodiscard]] bool reply(int connection, const FccReplyText& text);

  const FccScript script_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  FileDescriptor stop_;
  std::mutex mutex_;
  FccDevice device_;
  std::atomic<bool> ended_{false};
  std::atomic<unsigned> messages_{0};
  std::thread thread_;
};

[[nodiscard]] Bytes encode_reply(const FccReplyText& text);

}  // namespace birthmark::pep
