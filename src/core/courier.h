// SPDX-License-Identifier: Apache-2.0
// Delivers one channel of the outbox: at least once, in order per device, for as long as it takes. Its keeper thread claims messages and
// watches the clock; its workers each have a connection of their own and wait for answers. Nothing here is on the way of a registration
// but confirm(), and that only when asked to wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/suspend.h"
#include "core/courier_figures.h"
#include "core/delivery_rules.h"
#include "core/ports/clock.h"
#include "core/ports/outbox.h"
#include "core/ports/upstream.h"
#include "core/ports/x509_codec.h"

namespace birthmark::core {

struct CourierSettings {
  OutboxChannel channel = OutboxChannel::upstream;
  unsigned parallel = 4;
  DeliveryRules rules;
  Duration wait_deadline = std::chrono::seconds(20);  // of confirm()
};

class Courier {
 public:
  // Everything handed in must outlive it.
  Courier(Outbox& outbox, const X509Codec& codec, const Clock& clock, Random& random, UpstreamSite& site, CourierSettings settings);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Takes over what an ended process left, then starts to deliver.
  [[nodiscard]] Status start();
  // Ends the waits of confirm(), lets the attempts under way end, gives back what was only claimed.
  void stop();

  // There may be something to do.
  void notify();
  // Waits until the certificate's message is delivered; see OutboxDesk.
  [[nodiscard]] Task<Status> confirm(RowId certificate);
  [[nodiscard]] CourierFigures figures() const;

 private:
  struct Waiter {
    Duration deadline;  // uptime
    Resume<Status> resume;
  };

  // The keeper's; with the mutex held.
  void keep();
  void end_late_waits();
  [[nodiscard]] bool may_send();
  [[nodiscard]] Duration refill(std::unique_lock<std::mutex>& held);
  [[nodiscard]] Duration until_something_ends() const;
  void release_hold();

  // A worker's; without it.
  void work();
  void deliver(Upstream& upstream, const OutboxMessage& message);
  void compare_keys(Upstream& upstream, const OutboxMessage& message, DeliveryJudgement& judged);
  void take_hold(const DeliveryJudgement& judged, std::uint64_t credentials);
  void give_back_queue();
  [[nodiscard]] bool write(std::vector<OutboxSettlement> settlements);
  void finish_waits(RowId certificate, const OutboxSettlement& settlement);
  void count(const OutboxMessage& message, const OutboxSettlement& settlement);
  [[nodiscard]] std::uint8_t dice();

  Outbox& outbox_;
  const X509Codec& codec_;
  const Clock& clock_;
  Random& random_;
  UpstreamSite& site_;
  const CourierSettings settings_;

  mutable std::mutex mutex_;
  std::condition_variable keeper_wakes_;
  std::condition_variable worker_wakes_;
  bool woken_ = false;
  bool stopping_ = false;
  std::deque<OutboxMessage> queue_;  // claimed, no worker has it yet
  unsigned under_way_ = 0;
  std::multimap<RowId, Waiter> waiters_;
  CourierFigures figures_;
  std::uint64_t credentials_at_hold_ = 0;
  std::uint32_t holds_in_a_row_ = 0;
  Duration hold_until_{0};  // uptime; of unreachable and throttled

  std::vector<std::thread> workers_;
  std::thread keeper_;
};

}  // namespace birthmark::core
