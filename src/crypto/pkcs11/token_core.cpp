// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/token_core.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/log.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr int kMostAttempts = 3;
constexpr std::size_t kMostWaiting = 2048;
constexpr std::size_t kMostGivenUp = 64;  // threads that hang in the module
constexpr std::chrono::milliseconds kWatchEvery{100};

Error away(const std::string& reason) {
  return {ErrorCode::unavailable, "the signing key's token is not available; try again later", reason};
}

// After these nothing of the connection is good any more.
bool ends_connection(CK_RV value) {
  constexpr std::array<CK_RV, 9> kEnds = {CKR_CRYPTOKI_NOT_INITIALIZED, CKR_DEVICE_ERROR,       CKR_DEVICE_REMOVED,
                                          CKR_TOKEN_NOT_PRESENT,        CKR_USER_NOT_LOGGED_IN, CKR_KEY_HANDLE_INVALID,
                                          CKR_OBJECT_HANDLE_INVALID,    CKR_SLOT_ID_INVALID,    CKR_TOKEN_NOT_RECOGNIZED};
  return std::find(kEnds.begin(), kEnds.end(), value) != kEnds.end();
}

}  // namespace

SignJob::SignJob(std::shared_ptr<const TokenKey> key, core::SignatureScheme scheme, ByteView digest, Token::Answer answer)
    : Job(std::move(answer)), key_(std::move(key)), scheme_(scheme), size_(std::min(digest.size(), digest_.size())) {
  std::copy_n(digest.begin(), size_, digest_.begin());
}

Job::Outcome SignJob::perform(const Session& session) {
  RawResult made = sign_digest(session, key_->handle_.load(std::memory_order_acquire), scheme_, ByteView(digest_).first(size_));
  return {std::move(made.signature), made.value, made.function};
}

TokenCore::TokenCore(TokenSettings settings, std::shared_ptr<Module> module)
    : settings_(std::move(settings)), module_(std::move(module)), pin_(settings_.pin) {}

// Threads are detached: one may hang in the module for as long as the process lives. Each owns the core, and stop() waits for the others.
void TokenCore::start_thread(void (TokenCore::*body)()) {
  ++threads_;
  std::thread([self = shared_from_this(), body] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are main's business
    (self.get()->*body)();
    const std::lock_guard lock(self->mutex_);
    --self->threads_;
    self->changed_.notify_all();
  }).detach();
}

Status TokenCore::start() {
  std::unique_lock lock(mutex_);
  supervisor_ = 1;
  start_thread(&TokenCore::supervise);
  start_thread(&TokenCore::watch);
  // The module may hang in its very first call.
  const bool tried = changed_.wait_for(lock, settings_.timeout + std::chrono::seconds(5), [this] { return tried_; });
  if (state_ == TokenState::ready) return {};
  if (!tried) return fail(ErrorCode::unavailable, "the PKCS#11 module " + module_->path().string() + " does not answer");
  return tl::make_unexpected(last_error_);
}

void TokenCore::stop() {
  std::deque<std::shared_ptr<Job>> left;
  std::unique_lock lock(mutex_);
  stopping_ = true;
  left.swap(queue_);
  for (const auto& worker : workers_) worker->wake.notify_all();
  changed_.notify_all();
  lock.unlock();
  for (const auto& job : left) count_answer(job, tl::make_unexpected(away("the program is ending")));
  lock.lock();
  changed_.wait_for(lock, std::chrono::seconds(2), [this] { return threads_ == 0; });
}

void TokenCore::add(std::shared_ptr<Job> job) {
  job->deadline = std::chrono::steady_clock::now() + settings_.timeout;
  std::string refusal;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || state_ == TokenState::away || state_ == TokenState::refused) {
      refusal = stopping_ ? "the program is ending" : reason_;
    } else if (queue_.size() >= kMostWaiting) {
      refusal = std::to_string(queue_.size()) + " signatures wait already";
    } else {
      queue_.push_back(std::move(job));
      if (state_ == TokenState::ready) wake_some();
      return;
    }
  }
  count_answer(job, tl::make_unexpected(away(refusal)));
}

void TokenCore::count_answer(const std::shared_ptr<Job>& job, Result<Bytes> result) {
  const bool good = result.has_value();
  if (job->answer(std::move(result))) ++(good ? signatures_ : failures_);
}

// One more pair of hands for what was just queued.
void TokenCore::wake_some() {
  if (!idle_.empty()) {
    const auto worker = std::move(idle_.back());
    idle_.pop_back();
    worker->woken = true;
    worker->wake.notify_one();
    return;
  }
  if (workers_.size() >= limit_ || threads_ > limit_ + kMostGivenUp) return;
  auto worker = std::make_shared<Worker>();
  workers_.push_back(worker);
  ++threads_;
  std::thread([self = shared_from_this(), worker] {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    self->work(worker);
    const std::lock_guard lock(self->mutex_);
    --self->threads_;
    self->changed_.notify_all();
  }).detach();
}

void TokenCore::work(const std::shared_ptr<Worker>& me) {
  for (auto job = next_job(me); job != nullptr; job = next_job(me)) {
    const Next next = serve(*me, job);
    if (next == Next::retire) break;
  }
  const std::lock_guard lock(mutex_);
  std::erase(workers_, me);
  std::erase(idle_, me);
}

std::shared_ptr<Job> TokenCore::next_job(const std::shared_ptr<Worker>& me) {
  std::unique_lock lock(mutex_);
  me->job = nullptr;
  while (true) {
    if (stopping_ || me->abandoned) return nullptr;
    if (state_ == TokenState::ready && !queue_.empty()) break;
    idle_.push_back(me);
    me->woken = false;
    me->wake.wait(lock, [&] { return me->woken || stopping_ || me->abandoned; });
    if (!me->woken) std::erase(idle_, me);
  }
  me->job = std::move(queue_.front());
  queue_.pop_front();
  me->since = std::chrono::steady_clock::now();
  return me->job;
}

TokenCore::Next TokenCore::serve(Worker& me, const std::shared_ptr<Job>& job) {
  std::uint64_t epoch = 0;
  Job::Outcome outcome{Bytes(), CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize"};
  {
    const Module::Use use(*module_);
    epoch = epoch_.load();
    if (use.held() && module_->generation() == generation_.load() && epoch == ready_epoch_.load()) {
      if (me.epoch != epoch) me.session = CK_INVALID_HANDLE;
      me.epoch = epoch;
      if (me.session == CK_INVALID_HANDLE) {
        if (const CK_RV opened = open_session_for(me); opened != CKR_OK) return no_session(me, job, opened);
      }
      outcome = job->perform({&module_->functions(), me.session});
      // Closed while still inside: once nobody is, the number may be another session's.
      if (outcome.trouble != CKR_OK || me.abandoned) {
        (void)module_->functions().C_CloseSession(me.session);
        me.session = CK_INVALID_HANDLE;
      }
    }
  }
  if (outcome.trouble == CKR_OK) {
    count_answer(job, std::move(outcome.result));
  } else {
    handle_trouble(job, outcome.trouble, outcome.function, epoch);
  }
  return Next::go_on;
}

CK_RV TokenCore::open_session_for(Worker& me) {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      me.session = spare_.back();
      spare_.pop_back();
      return CKR_OK;
    }
  }
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (settings_.makes_keys ? CKF_RW_SESSION : 0);
  CK_SESSION_HANDLE opened = CK_INVALID_HANDLE;
  const CK_RV got = module_->functions().C_OpenSession(slot_, flags, nullptr, nullptr, &opened);
  me.session = got == CKR_OK ? opened : CK_INVALID_HANDLE;
  return got;
}

// The token gives no more sessions: those that there are do the work. Any other answer is trouble.
TokenCore::Next TokenCore::no_session(Worker& me, const std::shared_ptr<Job>& job, CK_RV value) {
  {
    const std::lock_guard lock(mutex_);
    const auto others = static_cast<unsigned>(std::count_if(workers_.begin(), workers_.end(), [&](const auto& worker) {
      return worker.get() != &me && worker->session != CK_INVALID_HANDLE && worker->epoch == epoch_;
    }));
    if (value == CKR_SESSION_COUNT && others > 0) {
      limit_ = std::min(limit_, others);
      queue_.push_front(job);
      me.job = nullptr;
      // Somebody who is free now would not hear of the job otherwise.
      if (!idle_.empty()) wake_some();
      return Next::retire;
    }
  }
  handle_trouble(job, value, "C_OpenSession", me.epoch);
  return Next::go_on;
}

void TokenCore::handle_trouble(const std::shared_ptr<Job>& job, CK_RV value, const char* function, std::uint64_t epoch) {
  ++job->attempts;
  // The first failure may be one session's; the second is the connection's.
  if (ends_connection(value) || job->attempts > 1) lost(epoch, failed_call(function, value));
  const bool again = job->attempts < kMostAttempts && std::chrono::steady_clock::now() < job->deadline && !job->answered();
  if (again) {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && state_ != TokenState::away && state_ != TokenState::refused) {
      ++retries_;
      queue_.push_front(job);
      if (state_ == TokenState::ready) wake_some();
      return;
    }
  }
  count_answer(job, tl::make_unexpected(away(failed_call(function, value))));
}

void TokenCore::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, kWatchEvery);
    lock.unlock();
    give_up_late_ones();
    lock.lock();
  }
}

// Jobs past their time are answered wherever they are; a thread that is inside with one is written off and replaced, and so is a
// supervisor that does not come back.
void TokenCore::give_up_late_ones() {
  std::vector<std::shared_ptr<Job>> late;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    while (!queue_.empty() && queue_.front()->deadline < now) {
      late.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    for (std::size_t i = 0; i < workers_.size();) {
      const auto worker = workers_[i];
      if (worker->job == nullptr || now - worker->since < settings_.timeout) {
        ++i;
        continue;
      }
      late.push_back(worker->job);
      worker->abandoned = true;
      workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
      if (!queue_.empty() && state_ == TokenState::ready) wake_some();
    }
    if (supervisor_inside_ && now - *supervisor_inside_ > settings_.timeout + std::chrono::seconds(1) && !stopping_ &&
        supervisor_ < kMostGivenUp) {
      state_ = TokenState::away;
      reason_ = "the PKCS#11 module does not answer";
      last_error_ = away(reason_);
      supervisor_inside_.reset();
      ++supervisor_;
      start_thread(&TokenCore::supervise);
    }
  }
  for (const auto& job : late) count_answer(job, tl::make_unexpected(away("the token did not sign in time")));
}

bool TokenCore::remember(std::shared_ptr<TokenKey> key, std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) return false;
  keys_.push_back(std::move(key));
  return true;
}

std::shared_ptr<TokenKey> TokenCore::known_key(const Uri& uri) const {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key->uri() == uri; });
  return known == keys_.end() ? nullptr : *known;
}

std::optional<std::string> TokenCore::trouble() const {
  const std::lock_guard lock(mutex_);
  if (state_ == TokenState::ready) return std::nullopt;
  return settings_.token.token_text() + ": " + reason_;
}

TokenFigures TokenCore::figures() const {
  const std::lock_guard lock(mutex_);
  const auto open =
      std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->session != CK_INVALID_HANDLE; });
  const auto busy = std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->job != nullptr; });
  return {signatures_,
          failures_,
          retries_,
          reconnections_,
          static_cast<std::uint64_t>(open) + spare_.size(),
          queue_.size() + static_cast<std::uint64_t>(busy)};
}

}  // namespace birthmark::crypto::pkcs11
