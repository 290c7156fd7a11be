// SPDX-License-Identifier: Apache-2.0
// What each answer of an upstream means. The rows are the table of docs/operating/upstream.md.
#include "core/delivery_rules.h"

#include <gtest/gtest.h>

namespace birthmark::core {
namespace {

UpstreamReply answered(int status, std::optional<Duration> retry_after = std::nullopt) {
  UpstreamReply reply;
  reply.status = status;
  reply.retry_after = retry_after;
  reply.text = "words";
  return reply;
}

TEST(DeliveryRules, EveryAnswerHasItsMeaning) {
  struct Row {
    int status;
    OutboxState state;
    ChannelHold hold;
    bool may_be_there;
  };
  const std::vector<Row> rows = {
      {201, OutboxState::delivered, ChannelHold::none, false},       {200, OutboxState::stopped, ChannelHold::none, false},
      {302, OutboxState::stopped, ChannelHold::none, false},         {400, OutboxState::stopped, ChannelHold::none, false},
      {404, OutboxState::stopped, ChannelHold::none, false},         {401, OutboxState::waiting, ChannelHold::unauthorized, false},
      {403, OutboxState::waiting, ChannelHold::unauthorized, false}, {408, OutboxState::waiting, ChannelHold::none, false},
      {425, OutboxState::waiting, ChannelHold::none, false},         {429, OutboxState::waiting, ChannelHold::throttled, false},
      {500, OutboxState::waiting, ChannelHold::none, true},          {503, OutboxState::waiting, ChannelHold::none, true},
  };
  for (const Row& row : rows) {
    const DeliveryJudgement judged = judge_delivery({}, answered(row.status));
    EXPECT_EQ(judged.state, row.state) << row.status;
    EXPECT_EQ(judged.hold, row.hold) << row.status;
    EXPECT_EQ(judged.may_be_there, row.may_be_there) << row.status;
    EXPECT_FALSE(judged.compare_keys) << row.status;
    if (row.state != OutboxState::delivered) EXPECT_EQ(judged.note, "HTTP " + std::to_string(row.status) + ": words");
  }
  EXPECT_TRUE(judge_delivery({}, answered(409)).compare_keys);
}

TEST(DeliveryRules, WithoutAnAnswerItMattersWhetherItMayHaveArrived) {
  UpstreamReply reply;
  reply.text = "connection refused";
  EXPECT_EQ(judge_delivery({}, reply).hold, ChannelHold::unreachable);
  EXPECT_FALSE(judge_delivery({}, reply).may_be_there);
  EXPECT_FALSE(judge_delivery({}, reply).counts) << "the message is not to blame";
  reply.may_have_arrived = true;
  EXPECT_EQ(judge_delivery({}, reply).hold, ChannelHold::none);
  EXPECT_TRUE(judge_delivery({}, reply).may_be_there);
}

TEST(DeliveryRules, RetryAfterIsKeptWithinReason) {
  using std::chrono::hours;
  using std::chrono::seconds;
  EXPECT_EQ(judge_delivery({}, answered(429, seconds(7))).retry_after, Duration(seconds(7)));
  EXPECT_EQ(judge_delivery({}, answered(408, hours(1'000))).retry_after, Duration(hours(1)));
  EXPECT_FALSE(judge_delivery({}, answered(408)).retry_after);
}

TEST(DeliveryRules, AnySuccessIsForThoseWhoOnlyListen) {
  DeliveryRules rules;
  rules.any_success = true;
  for (const int status : {200, 201, 202, 204, 409}) EXPECT_EQ(judge_delivery(rules, answered(status)).state, OutboxState::delivered);
  for (const int status : {302, 400, 401, 403, 500}) {
    EXPECT_EQ(judge_delivery(rules, answered(status)).state, OutboxState::waiting) << status;
    EXPECT_EQ(judge_delivery(rules, answered(status)).hold, ChannelHold::none) << status;
  }
}

TEST(DeliveryRules, BackoffDoublesUpToItsLimitAndNeverComesBackAtOnce) {
  const Duration first = std::chrono::seconds(1);
  const Duration longest = std::chrono::minutes(5);
  EXPECT_EQ(backoff(first, longest, 1, 0), first);
  EXPECT_EQ(backoff(first, longest, 4, 0), 8 * first);
  EXPECT_EQ(backoff(first, longest, 4'000'000'000U, 0), longest);
  for (std::uint32_t n = 1; n < 40; ++n) {
    EXPECT_GE(backoff(first, longest, n, 255), backoff(first, longest, n, 0) / 2);
    EXPECT_LT(backoff(first, longest, n, 255), backoff(first, longest, n, 0));
  }
}

TEST(DeliveryRules, TheMessageIsThatOfTheFactoryApi) {
  EXPECT_EQ(registration_message("PEM\n", "", ""), R"({"client.pem":"PEM\n"})");
  EXPECT_EQ(registration_message("PEM", "a \"name\"", "line"), R"({"client.pem":"PEM","name":"a \"name\"","group":"line"})");
}

}  // namespace
}  // namespace birthmark::core
