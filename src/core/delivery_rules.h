// SPDX-License-Identifier: Apache-2.0
// What an answer of the other side means for a message and for the whole channel. Pure; the courier acts on it.
#pragma once

#include <string>

#include "core/courier_figures.h"
#include "core/ports/upstream.h"

namespace birthmark::core {

struct DeliveryRules {
  // For those who only listen: every 2xx and 409 is a delivery, everything else is repeated. Otherwise 201 alone is a delivery, 409 asks
  // for a comparison of keys, 401 and 403 hold the channel, and what can never succeed is stopped.
  bool any_success = false;
  Duration first_retry = std::chrono::seconds(1);
  Duration longest_retry = std::chrono::minutes(5);
  Duration first_pause = std::chrono::milliseconds(500);  // of the channel, when nobody answers
  Duration longest_pause = std::chrono::seconds(30);
};

struct DeliveryJudgement {
  OutboxState state = OutboxState::waiting;
  bool compare_keys = false;  // 409: `state` depends on whose key they have
  bool may_be_there = false;
  bool counts = true;                   // as an attempt at this message
  std::optional<Duration> retry_after;  // of the message, or of the channel while it is on hold; absent: back off
  ChannelHold hold = ChannelHold::none;
  std::string note;
};

[[nodiscard]] DeliveryJudgement judge_delivery(const DeliveryRules& rules, const UpstreamReply& reply);

// The n-th wait (from 1): doubles up to `longest`; `dice` (0 to 255) takes up to half of it away, so that many do not come back at once.
[[nodiscard]] Duration backoff(Duration first, Duration longest, std::uint32_t n, std::uint8_t dice);

// The body of PUT DEVICE_REGISTRATION_API (protocol facts, Foundries 2.2); empty members are left out.
[[nodiscard]] std::string registration_message(std::string_view certificate_pem, std::string_view name, std::string_view group);

}  // namespace birthmark::core
