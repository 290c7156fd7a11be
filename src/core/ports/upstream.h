// SPDX-License-Identifier: Apache-2.0
// Port: one connection to the system that wants to know of our devices. Adapters: src/upstream. They send and report; what an answer
// means is decided in core/courier. Blocking; one thread at a time.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "core/ports/outbox.h"

namespace birthmark::core {

struct UpstreamReply {
  int status = 0;                 // HTTP; 0: there was no answer
  bool may_have_arrived = false;  // without an answer: whether the other side may have got the message all the same
  std::optional<Duration> retry_after;
  std::string text;  // what it said, or what went wrong; short, one line
};

// Which key the other side has for a device.
struct UpstreamKey {
  enum class Answer { key, not_there, may_not_read, unreadable };
  Answer answer = Answer::unreadable;
  Bytes spki_der;  // of `key`
};

class Upstream {
 public:
  virtual ~Upstream() = default;
  [[nodiscard]] virtual UpstreamReply deliver(const OutboxMessage& message) = 0;
  [[nodiscard]] virtual UpstreamKey key_of(const DeviceIdentity& identity) = 0;
};

// What opens connections. Safe to call from every thread.
class UpstreamSite {
 public:
  virtual ~UpstreamSite() = default;
  [[nodiscard]] virtual std::unique_ptr<Upstream> connect() = 0;
  // Changes whenever the credentials may have: after 401 and 403 nothing is sent until it does.
  [[nodiscard]] virtual std::uint64_t credentials_version() = 0;
};

}  // namespace birthmark::core
