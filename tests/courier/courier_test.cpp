// SPDX-License-Identifier: Apache-2.0
// core/courier: what waits is delivered, in order and once where the other side says so, and nothing that happens there loses a message.
#include "core/courier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>

#include "../contract/registry_samples.h"
#include "../support/fake_clock.h"
#include "base/run_task.h"
#include "store/memory/memory_registry.h"

namespace birthmark::testing {
namespace {

using core::OutboxState;

constexpr auto kChannel = core::OutboxChannel::upstream;

// An upstream that answers as the test says, and remembers what it was asked.
class FakeUpstreamSite final : public core::UpstreamSite {
 public:
  using Answer = std::function<core::UpstreamReply(const core::OutboxMessage&)>;

  void answer_with(Answer answer) {
    const std::lock_guard held(mutex_);
    answer_ = std::move(answer);
  }
  void answer_with(int status) {
    answer_with([status](const core::OutboxMessage&) {
      core::UpstreamReply reply;
      reply.status = status;
      return reply;
    });
  }
  void nobody_answers() {
    answer_with([](const core::OutboxMessage&) { return core::UpstreamReply{}; });
  }
  void show_key(core::UpstreamKey key) {
    const std::lock_guard held(mutex_);
    key_ = std::move(key);
  }
  void change_credentials() { ++credentials_; }
  std::vector<std::string> bodies() {
    const std::lock_guard held(mutex_);
    return bodies_;
  }
  std::size_t asked() { return bodies().size(); }

  std::unique_ptr<core::Upstream> connect() override { return std::make_unique<Connection>(*this); }
  std::uint64_t credentials_version() override { return credentials_; }

 private:
  struct Connection final : core::Upstream {
    explicit Connection(FakeUpstreamSite& owner) : site(owner) {}
    core::UpstreamReply deliver(const core::OutboxMessage& message) override {
      Answer answer;
      {
        const std::lock_guard held(site.mutex_);
        site.bodies_.push_back(message.body);
        answer = site.answer_;
      }
      return answer(message);
    }
    core::UpstreamKey key_of(const core::DeviceIdentity&) override {
      const std::lock_guard held(site.mutex_);
      return site.key_;
    }
    FakeUpstreamSite& site;
  };

  std::mutex mutex_;
  Answer answer_;
  core::UpstreamKey key_;
  std::vector<std::string> bodies_;
  std::atomic<std::uint64_t> credentials_ = 1;
};

class SteadyRandom final : public core::Random {
 public:
  Status fill(std::span<std::uint8_t> to) override {
    std::fill(to.begin(), to.end(), std::uint8_t{0});
    return {};
  }
};

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() {
    EXPECT_TRUE(run_task(store_->apply(sample_trust())));
    upstream_.answer_with(201);
  }

  core::RowId record(std::uint64_t device, std::uint64_t certificate) {
    core::IssuanceRecord issuance = sample_issuance(device, device, certificate);
    issuance.issued_at = clock_.now();
    issuance.outbox = {{kChannel, "body " + std::to_string(certificate)}};
    core::Preconditions expected;
    if (const auto known = store_->find(issuance.identity); known && *known) expected.current_key = (*known)->current_key;
    expected.trust_epoch = *store_->trust_epoch();
    const auto outcome = run_task(store_->record(std::move(issuance), expected));
    EXPECT_TRUE(outcome && outcome->conflict == core::RecordConflict::none);
    if (courier_) courier_->notify();
    return outcome ? outcome->certificate : 0;
  }
  void start(unsigned parallel = 2, Duration wait_deadline = std::chrono::seconds(20)) {
    core::CourierSettings settings;
    settings.parallel = parallel;
    settings.wait_deadline = wait_deadline;
    courier_ = std::make_unique<core::Courier>(*store_, codec_, clock_, random_, upstream_, settings);
    EXPECT_TRUE(courier_->start());
  }
  core::OutboxEntry entry(core::RowId certificate) {
    const auto found = store_->find_message(kChannel, certificate);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : core::OutboxEntry{};
  }
  template <class Condition>
  [[nodiscard]] bool eventually(const Condition& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      courier_->notify();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  [[nodiscard]] bool becomes(core::RowId certificate, OutboxState state) {
    return eventually([&] { return entry(certificate).state == state; });
  }

  const DigestCodec codec_;
  FakeClock clock_{from_unix_ms(kSampleEpochMs)};
  SteadyRandom random_;
  std::unique_ptr<store::MemoryRegistry> store_ = store::make_memory_registry(codec_);
  FakeUpstreamSite upstream_;
  std::unique_ptr<core::Courier> courier_;
};

TEST_F(CourierTest, DeliversEachMessageOnce) {
  std::vector<core::RowId> certificates;
  for (std::uint64_t device = 1; device <= 50; ++device) certificates.push_back(record(device, device));
  start(4);
  for (const core::RowId certificate : certificates) EXPECT_TRUE(becomes(certificate, OutboxState::delivered));
  EXPECT_EQ(upstream_.asked(), 50U);
  EXPECT_EQ(courier_->figures().delivered, 50U);
}

TEST_F(CourierTest, KeepsTheOrderOfADeviceAcrossFailures) {
  record(1, 1);
  record(1, 2);
  const auto third = record(1, 3);
  std::atomic<int> failures = 2;
  upstream_.answer_with([&](const core::OutboxMessage&) {
    core::UpstreamReply reply;
    reply.status = failures-- > 0 ? 500 : 201;
    return reply;
  });
  start(4);
  EXPECT_TRUE(eventually([&] {
    clock_.pass(std::chrono::seconds(1));
    return entry(third).state == OutboxState::delivered;
  }));
  EXPECT_EQ(upstream_.bodies(), (std::vector<std::string>{"body 1", "body 1", "body 1", "body 2", "body 3"}));
}

TEST_F(CourierTest, RefusedCredentialsPauseEverythingUntilTheyChange) {
  upstream_.answer_with(401);
  const auto first = record(1, 1);
  start(1);
  EXPECT_TRUE(eventually([&] { return courier_->figures().hold == core::ChannelHold::unauthorized; }));
  const std::size_t asked = upstream_.asked();
  const auto second = record(2, 2);
  clock_.pass(std::chrono::hours(24));
  for (int i = 0; i < 20; ++i) courier_->notify();
  upstream_.answer_with(201);
  EXPECT_EQ(upstream_.asked(), asked) << "time alone changes nothing";
  upstream_.change_credentials();
  EXPECT_TRUE(becomes(first, OutboxState::delivered));
  EXPECT_TRUE(becomes(second, OutboxState::delivered));
  EXPECT_EQ(courier_->figures().hold, core::ChannelHold::none);
}

TEST_F(CourierTest, WhileNobodyAnswersMessagesStayAsTheyWere) {
  upstream_.nobody_answers();
  std::vector<core::RowId> certificates;
  for (std::uint64_t device = 1; device <= 20; ++device) certificates.push_back(record(device, device));
  start(2);
  EXPECT_TRUE(eventually([&] { return courier_->figures().hold == core::ChannelHold::unreachable; }));
  EXPECT_TRUE(eventually([&] {
    clock_.pass(std::chrono::seconds(5));
    return upstream_.asked() > 10;
  }));
  for (const core::RowId certificate : certificates) EXPECT_EQ(entry(certificate).attempts, 0U);
  upstream_.answer_with(201);
  EXPECT_TRUE(eventually([&] {
    clock_.pass(std::chrono::seconds(5));
    return courier_->figures().delivered == 20;
  }));
  EXPECT_EQ(courier_->figures().hold, core::ChannelHold::none);
}

TEST_F(CourierTest, AClockThatIsSetBackPutsNothingOff) {
  const auto certificate = record(1, 1);
  clock_.jump(-std::chrono::hours(24 * 365));
  start();
  EXPECT_TRUE(becomes(certificate, OutboxState::delivered));
}

TEST_F(CourierTest, ComparesKeysWhenTheDeviceIsThere) {
  using Answer = core::UpstreamKey::Answer;
  upstream_.answer_with(409);
  start(1);
  upstream_.show_key({Answer::may_not_read, {}});
  const auto unread = record(1, 1);
  EXPECT_TRUE(becomes(unread, OutboxState::unverified));
  EXPECT_NE(entry(unread).note.find("devices:read"), std::string::npos);
  upstream_.show_key({Answer::key, {1, 2, 3}});
  const auto other = record(2, 2);
  EXPECT_TRUE(becomes(other, OutboxState::stopped));
  EXPECT_NE(entry(other).note.find("another key"), std::string::npos);
  // The key whose hash the record names.
  const Bytes spki = {4, 5, 6};
  core::IssuanceRecord ours = sample_issuance(3, 3, 3);
  ours.spki_sha256 = *SpkiHash::from(codec_.sha256(spki).view());
  ours.issued_at = clock_.now();
  ours.outbox = {{kChannel, "ours"}};
  core::Preconditions expected;
  expected.trust_epoch = *store_->trust_epoch();
  upstream_.show_key({Answer::key, spki});
  const auto outcome = run_task(store_->record(std::move(ours), expected));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(becomes(outcome->certificate, OutboxState::delivered));
}

TEST_F(CourierTest, ConfirmWaitsForTheDelivery) {
  std::promise<void> may_answer;
  auto gate = may_answer.get_future().share();
  upstream_.answer_with([gate](const core::OutboxMessage&) {
    gate.wait();
    core::UpstreamReply reply;
    reply.status = 201;
    return reply;
  });
  start(1);
  const auto certificate = record(1, 1);
  auto waiting = std::async(std::launch::async, [&] { return run_task(courier_->confirm(certificate)); });
  EXPECT_TRUE(eventually([&] { return upstream_.asked() == 1; }));
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  may_answer.set_value();
  EXPECT_TRUE(waiting.get());
  EXPECT_TRUE(run_task(courier_->confirm(certificate))) << "at once, once it is known";
  EXPECT_TRUE(run_task(courier_->confirm(4'711))) << "there was never a message";
}

TEST_F(CourierTest, ConfirmGivesUpAtItsDeadlineAndSaysWhatTheUpstreamRefused) {
  upstream_.nobody_answers();
  start(1, std::chrono::seconds(3));
  const auto certificate = record(1, 1);
  auto waiting = std::async(std::launch::async, [&] { return run_task(courier_->confirm(certificate)); });
  EXPECT_TRUE(eventually([&] {
    clock_.pass(std::chrono::seconds(1));
    return waiting.wait_for(std::chrono::milliseconds(0)) == std::future_status::ready;
  }));
  const Status late = waiting.get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::unavailable);
  upstream_.answer_with(400);
  EXPECT_TRUE(eventually([&] {
    clock_.pass(std::chrono::seconds(1));
    return entry(certificate).state == OutboxState::stopped;
  }));
  const Status refused = run_task(courier_->confirm(certificate));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden) << "coming again would change nothing";
  EXPECT_NE(refused.error().public_message.find("HTTP 400"), std::string::npos) << refused.error().public_message;
}

TEST_F(CourierTest, StoppingEndsWaitsAndLeavesNoDoubt) {
  upstream_.nobody_answers();
  start(1);
  for (std::uint64_t device = 1; device <= 5; ++device) record(device, device);
  EXPECT_TRUE(eventually([&] { return upstream_.asked() > 0; }));
  const auto certificate = record(6, 6);
  auto waiting = std::async(std::launch::async, [&] { return run_task(courier_->confirm(certificate)); });
  courier_->stop();
  EXPECT_FALSE(waiting.get());
  EXPECT_EQ(store_->outbox_totals(kChannel)->waiting, 6U);
  EXPECT_EQ(*run_task(store_->recover(kChannel)), 0U);
}

}  // namespace
}  // namespace birthmark::testing
