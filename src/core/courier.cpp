// SPDX-License-Identifier: Apache-2.0
#include "core/courier.h"

#include <algorithm>
#include <array>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/run_task.h"

namespace birthmark::core {
namespace {

constexpr const char* kAnotherKey = "the upstream has another key for this device: delete it there, then `birthmark upstream retry`";

constexpr Duration kLongestNap = std::chrono::seconds(1);
constexpr Duration kFarthestDue = std::chrono::hours(2);  // Retry-After is taken up to one
constexpr Duration kShortestNap = std::chrono::milliseconds(20);

std::string name_of(OutboxChannel channel) {
  return channel == OutboxChannel::upstream ? "upstream" : "events";
}

// For good, as long as no operator does something about it: the device is told what the upstream said, and not to come again.
tl::unexpected<Error> upstream_refused(const std::string& note) {
  const bool conflict = note == kAnotherKey || note.starts_with("HTTP 409");
  const std::string said = note.empty() ? std::string() : ": " + note;
  return fail(conflict ? ErrorCode::conflict : ErrorCode::forbidden, "the upstream does not take this device" + said);
}

// What is known of a message without waiting; nothing while it is on its way.
std::optional<Status> standing_of(const Result<std::optional<OutboxEntry>>& found) {
  if (!found) return Status(fail(ErrorCode::unavailable, found.error().public_message, found.error().detail));
  if (!*found) return Status();  // from before there was an upstream
  switch ((*found)->state) {
    case OutboxState::waiting:
    case OutboxState::sending: return std::nullopt;
    case OutboxState::stopped: return Status(upstream_refused((*found)->note));
    case OutboxState::superseded: return Status(fail(ErrorCode::unavailable, "this certificate was replaced; try again"));
    default: return Status();
  }
}

}  // namespace

Courier::Courier(Outbox& outbox, const X509Codec& codec, const Clock& clock, Random& random, UpstreamSite& site, CourierSettings settings)
    : outbox_(outbox), codec_(codec), clock_(clock), random_(random), site_(site), settings_(settings) {}

Courier::~Courier() {
  stop();
}

Status Courier::start() {
  BIRTHMARK_TRY(const std::uint64_t in_doubt, run_task(outbox_.recover(settings_.channel)));
  if (in_doubt > 0) log::info("courier.recovered", {{"channel", name_of(settings_.channel)}, {"messages", std::to_string(in_doubt)}});
  for (unsigned i = 0; i < std::max(settings_.parallel, 1U); ++i) workers_.emplace_back([this] { work(); });
  keeper_ = std::thread([this] { keep(); });
  return {};
}

void Courier::stop() {
  {
    const std::lock_guard held(mutex_);
    stopping_ = true;
    for (auto& [certificate, waiter] : waiters_) waiter.resume(fail(ErrorCode::unavailable, "the server is stopping; try again"));
    waiters_.clear();
  }
  keeper_wakes_.notify_all();
  worker_wakes_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  give_back_queue();
}

void Courier::notify() {
  {
    const std::lock_guard held(mutex_);
    woken_ = true;
  }
  keeper_wakes_.notify_one();
}

CourierFigures Courier::figures() const {
  const std::lock_guard held(mutex_);
  return figures_;
}

std::uint8_t Courier::dice() {
  std::array<std::uint8_t, 1> octet{};
  static_cast<void>(random_.fill(octet));  // without chance every wait is the longest
  return octet[0];
}

// --- those who wait ----------------------------------------------------------------------------------------------------------------

Task<Status> Courier::confirm(RowId certificate) {
  if (auto standing = standing_of(outbox_.find_message(settings_.channel, certificate))) co_return std::move(*standing);
  const auto wait = [this, certificate](Resume<Status> resume) {
    const std::lock_guard held(mutex_);
    // It may have been settled since that look; whoever settles it from now on finds the waiter.
    auto standing = standing_of(outbox_.find_message(settings_.channel, certificate));
    if (!standing && stopping_) standing = Status(fail(ErrorCode::unavailable, "the server is stopping; try again"));
    if (standing) return resume(std::move(*standing));
    waiters_.emplace(certificate, Waiter{clock_.uptime() + settings_.wait_deadline, std::move(resume)});
    woken_ = true;
    keeper_wakes_.notify_one();
  };
  co_return co_await suspend<Status>(wait);
}

void Courier::finish_waits(RowId certificate, const OutboxSettlement& settlement) {
  if (settlement.state == OutboxState::waiting) return;
  const std::lock_guard held(mutex_);
  const auto [first, last] = waiters_.equal_range(certificate);
  OutboxEntry entry;
  entry.state = settlement.state;
  entry.note = settlement.note;
  for (auto waiter = first; waiter != last; ++waiter)
    waiter->second.resume(*standing_of(Result<std::optional<OutboxEntry>>(std::optional<OutboxEntry>(entry))));
  waiters_.erase(first, last);
}

void Courier::end_late_waits() {
  const Duration now = clock_.uptime();
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (waiter->second.deadline > now) {
      ++waiter;
      continue;
    }
    waiter->second.resume(
        fail(ErrorCode::unavailable, "the upstream does not know this device yet; try again", "registered here, still in the outbox"));
    waiter = waiters_.erase(waiter);
  }
}

// --- the keeper --------------------------------------------------------------------------------------------------------------------

void Courier::keep() {
  std::unique_lock held(mutex_);
  while (!stopping_) {
    end_late_waits();
    woken_ = false;
    Duration longest = kLongestNap;
    if (may_send()) longest = refill(held);
    const Duration span = std::clamp(std::min(longest, until_something_ends()), kShortestNap, kLongestNap);
    keeper_wakes_.wait_for(held, span, [this] { return woken_ || stopping_; });
  }
}

// How long until a wait or a hold ends.
Duration Courier::until_something_ends() const {
  const Duration now = clock_.uptime();
  Duration span = kLongestNap;
  for (const auto& [certificate, waiter] : waiters_) span = std::min(span, waiter.deadline - now);
  if (figures_.hold == ChannelHold::unreachable || figures_.hold == ChannelHold::throttled)
    span = std::min(span, std::max(hold_until_ - now, kShortestNap));
  return span;
}

bool Courier::may_send() {
  switch (figures_.hold) {
    case ChannelHold::none: return true;
    case ChannelHold::unreachable: return clock_.uptime() >= hold_until_;
    case ChannelHold::throttled:
      if (clock_.uptime() < hold_until_) return false;
      release_hold();
      return true;
    case ChannelHold::unauthorized:
      if (site_.credentials_version() == credentials_at_hold_) return false;
      release_hold();
      return true;
  }
  return false;
}

// Claims ahead of the workers, and says how long there is nothing more to do here. While nobody answers, one message at a time tries.
Duration Courier::refill(std::unique_lock<std::mutex>& held) {
  const std::size_t parallel = std::max(settings_.parallel, 1U);
  std::size_t wanted = queue_.size() < parallel ? 2 * parallel - queue_.size() : 0;
  if (figures_.hold == ChannelHold::unreachable) wanted = queue_.empty() && under_way_ == 0 ? 1 : 0;
  if (wanted == 0) return kLongestNap;
  held.unlock();
  const Instant now = clock_.now();
  const auto due = outbox_.next_due(settings_.channel);
  // What is due later than anything is ever put off was written by a clock that has been set back since: it is due now.
  const bool any = due && *due && (**due <= now || **due > now + kFarthestDue);
  auto claimed = any ? run_task(outbox_.claim(settings_.channel, std::max(now, **due), wanted)) : Result<std::vector<OutboxMessage>>();
  held.lock();
  if (!due || !claimed) {
    log::error("courier.cannot_read_the_outbox", {{"error", (!due ? due.error() : claimed.error()).describe()}});
    return kLongestNap;
  }
  std::move(claimed->begin(), claimed->end(), std::back_inserter(queue_));
  if (!claimed->empty()) worker_wakes_.notify_all();
  if (!*due) return kLongestNap;
  return any ? (claimed->empty() ? kLongestNap / 10 : kLongestNap) : std::chrono::duration_cast<Duration>(**due - now);
}

// --- the workers -------------------------------------------------------------------------------------------------------------------

void Courier::work() {
  const std::unique_ptr<Upstream> upstream = site_.connect();
  std::unique_lock held(mutex_);
  for (;;) {
    worker_wakes_.wait(held, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const OutboxMessage message = std::move(queue_.front());
    queue_.pop_front();
    ++under_way_;
    held.unlock();
    deliver(*upstream, message);
    held.lock();
    --under_way_;
    if (queue_.size() >= settings_.parallel) continue;
    woken_ = true;
    keeper_wakes_.notify_one();
  }
}

void Courier::deliver(Upstream& upstream, const OutboxMessage& message) {
  const std::uint64_t credentials = site_.credentials_version();  // before: a change meanwhile must not be missed
  const UpstreamReply reply = upstream.deliver(message);
  BIRTHMARK_CRASH_POINT("courier.after_answer");
  DeliveryJudgement judged = judge_delivery(settings_.rules, reply);
  if (judged.compare_keys) compare_keys(upstream, message, judged);

  OutboxSettlement settlement;
  settlement.row = message.row;
  settlement.state = judged.state;
  settlement.attempts = message.attempts + (judged.counts ? 1 : 0);
  settlement.may_be_there = judged.may_be_there;
  settlement.note = judged.note;
  settlement.due_at = clock_.now();
  if (judged.state == OutboxState::waiting && judged.hold == ChannelHold::none) {
    const DeliveryRules& rules = settings_.rules;
    settlement.due_at += judged.retry_after.value_or(backoff(rules.first_retry, rules.longest_retry, settlement.attempts, dice()));
  }
  take_hold(judged, credentials);
  if (!write({settlement})) return;
  BIRTHMARK_CRASH_POINT("courier.after_settle");
  count(message, settlement);
  finish_waits(message.certificate, settlement);
}

// 409: somebody registered this device there before. If that was us, with an answer that got lost, they have our key.
void Courier::compare_keys(Upstream& upstream, const OutboxMessage& message, DeliveryJudgement& judged) {
  const UpstreamKey theirs = upstream.key_of(message.identity);
  if (theirs.answer != UpstreamKey::Answer::key || !message.key) {
    judged.state = OutboxState::unverified;
    judged.note = theirs.answer == UpstreamKey::Answer::may_not_read
                      ? "already there; its key cannot be compared: the token may not read devices (devices:read)"
                      : "already there; its key could not be compared";
    return;
  }
  if (SpkiHash::from(codec_.sha256(theirs.spki_der).view()) == message.key) {
    judged.state = OutboxState::delivered;
    return;
  }
  judged.state = OutboxState::stopped;
  judged.may_be_there = true;
  judged.note = kAnotherKey;
}

// An answer of any kind ends `unreachable`; the other holds end by themselves.
void Courier::take_hold(const DeliveryJudgement& judged, std::uint64_t credentials) {
  {
    const std::lock_guard held(mutex_);
    if (judged.hold == ChannelHold::none) {
      if (figures_.hold == ChannelHold::unreachable) release_hold();
      return;
    }
    const DeliveryRules& rules = settings_.rules;
    const bool first = figures_.hold != judged.hold;
    if (figures_.hold == ChannelHold::unauthorized && !first) return;
    holds_in_a_row_ = first ? 1 : holds_in_a_row_ + 1;
    figures_.hold = judged.hold;
    figures_.hold_reason = judged.note;
    credentials_at_hold_ = credentials;
    hold_until_ = clock_.uptime() + judged.retry_after.value_or(backoff(rules.first_pause, rules.longest_pause, holds_in_a_row_, dice()));
    if (first) {
      const bool alarm = judged.hold == ChannelHold::unauthorized;
      log::write(
          alarm ? log::Level::error : log::Level::warning, "courier.on_hold",
          {{"channel", name_of(settings_.channel)}, {"until", alarm ? "the token file changes" : "they answer"}, {"reason", judged.note}});
    }
  }
  give_back_queue();
}

void Courier::release_hold() {
  log::info("courier.goes_on", {{"channel", name_of(settings_.channel)}});
  figures_.hold = ChannelHold::none;
  figures_.hold_reason.clear();
  holds_in_a_row_ = 0;
  woken_ = true;
  keeper_wakes_.notify_one();
}

// What was claimed and never sent waits again, without any doubt about it.
void Courier::give_back_queue() {
  std::vector<OutboxSettlement> back;
  {
    const std::lock_guard held(mutex_);
    for (const OutboxMessage& message : queue_) {
      OutboxSettlement settlement;
      settlement.row = message.row;
      settlement.attempts = message.attempts;
      settlement.due_at = clock_.now();
      back.push_back(std::move(settlement));
    }
    queue_.clear();
  }
  if (!back.empty()) static_cast<void>(write(std::move(back)));
}

// What came of an attempt must not be lost while the disk has no room: it is written as soon as it can be. False when the server stopped
// before; the next start treats the messages as in doubt.
bool Courier::write(std::vector<OutboxSettlement> settlements) {
  for (bool told = false;; told = true) {
    auto written = run_task(outbox_.settle(settlements));
    if (written) return true;
    if (!told) log::error("courier.cannot_write_the_outbox", {{"error", written.error().describe()}});
    std::unique_lock held(mutex_);
    if (worker_wakes_.wait_for(held, kLongestNap, [this] { return stopping_; })) return false;
  }
}

void Courier::count(const OutboxMessage& message, const OutboxSettlement& settlement) {
  if (settlement.state == OutboxState::stopped) {
    log::error("courier.message_stopped",
               {{"channel", name_of(settings_.channel)}, {"id", message.identity.external_id}, {"reason", settlement.note}});
  }
  const std::lock_guard held(mutex_);
  switch (settlement.state) {
    case OutboxState::delivered: ++figures_.delivered; break;
    case OutboxState::unverified: ++figures_.unverified; break;
    case OutboxState::stopped: ++figures_.stopped; break;
    default: ++figures_.failed; break;
  }
}

}  // namespace birthmark::core
