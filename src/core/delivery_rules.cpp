// SPDX-License-Identifier: Apache-2.0
#include "core/delivery_rules.h"

#include <algorithm>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr Duration kLongestRetryAfter = std::chrono::hours(1);  // of what they ask for

std::string described(const UpstreamReply& reply) {
  return "HTTP " + std::to_string(reply.status) + (reply.text.empty() ? "" : ": " + reply.text);
}

// 408 and 425 concern the message, 429 whoever sends (RFC 6585 4).
DeliveryJudgement judge_client_error(const UpstreamReply& reply) {
  DeliveryJudgement judged;
  switch (reply.status) {
    case 401:
    case 403:
      judged.hold = ChannelHold::unauthorized;
      judged.counts = false;
      break;
    case 408:
    case 425: break;
    case 429:
      judged.hold = ChannelHold::throttled;
      judged.counts = false;
      break;
    case 409: judged.compare_keys = true; break;
    default: judged.state = OutboxState::stopped; break;
  }
  return judged;
}

bool is_heard(int status) {
  return (status >= 200 && status < 300) || status == 409;
}

}  // namespace

DeliveryJudgement judge_delivery(const DeliveryRules& rules, const UpstreamReply& reply) {
  DeliveryJudgement judged;
  if (reply.status == 0) {
    judged.note = reply.text;
    judged.may_be_there = reply.may_have_arrived;
    if (!reply.may_have_arrived) {
      judged.hold = ChannelHold::unreachable;
      judged.counts = false;
    }
    return judged;
  }
  if (reply.status == 201 || (rules.any_success && is_heard(reply.status))) {
    judged.state = OutboxState::delivered;
    return judged;
  }
  if (reply.status >= 500 || rules.any_success) {
    judged.may_be_there = true;  // it may have failed after it was done
  } else if (reply.status >= 400) {
    judged = judge_client_error(reply);
  } else {
    judged.state = OutboxState::stopped;  // a proxy's page, a redirect: not what was asked
  }
  if (reply.retry_after) judged.retry_after = std::clamp(*reply.retry_after, Duration::zero(), kLongestRetryAfter);
  judged.note = described(reply);
  return judged;
}

Duration backoff(Duration first, Duration longest, std::uint32_t n, std::uint8_t dice) {
  constexpr std::uint32_t kMostDoublings = 20;
  const std::uint32_t doublings = std::min(n > 0 ? n - 1 : 0, kMostDoublings);
  const Duration whole = std::min(longest, first * (std::int64_t{1} << doublings));
  return whole - whole * dice / 512;
}

std::string registration_message(std::string_view certificate_pem, std::string_view name, std::string_view group) {
  std::string body = R"({"client.pem":)" + json_string(certificate_pem);
  if (!name.empty()) body += R"(,"name":)" + json_string(name);
  if (!group.empty()) body += R"(,"group":)" + json_string(group);
  return body + "}";
}

}  // namespace birthmark::core
