// SPDX-License-Identifier: Apache-2.0
// A client that is only a socket, so that tests say exactly which bytes travel when. Every wait has a deadline.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace birthmark::net_test {

constexpr std::chrono::milliseconds kPatience{10'000};

// True as soon as `condition` is; false when it stayed false all the time.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds at_most = kPatience);

struct Answer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;
  [[nodiscard]] bool has(std::string_view header_line) const;  // without regard to case
};

enum class Ending { orderly, reset, none_yet };

class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port);
  [[nodiscard]] bool connected() const { return socket_.valid(); }
  [[nodiscard]] int descriptor() const { return socket_.get(); }

  // False when the connection broke.
  bool send(std::string_view bytes);
  // The next response with its body by Content-Length; nothing at the end, on a reset or when time is over.
  [[nodiscard]] std::optional<Answer> receive(std::string_view method = "GET");
  [[nodiscard]] std::optional<Answer> ask(std::string_view request);
  // Reads until the server closes, or nothing more comes for `at_most`; what came is in `held()`.
  [[nodiscard]] Ending read_to_end(std::chrono::milliseconds at_most = kPatience);
  [[nodiscard]] const std::string& held() const { return held_; }

  void shutdown_write();
  void close() { socket_.reset(-1); }
  void reset();  // closes with a reset (SO_LINGER 0)

 private:
  enum class More { some, ended, reset, late };
  More read_more(std::chrono::steady_clock::time_point deadline);

  FileDescriptor socket_;
  std::string held_;  // received, not yet part of an answer
};

}  // namespace birthmark::net_test
