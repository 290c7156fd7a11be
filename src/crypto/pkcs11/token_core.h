// SPDX-License-Identifier: Apache-2.0
// The inside of Token: a queue of jobs, the threads that take them into the module, the supervisor that connects, and the watchdog that
// gives up on whoever stays inside too long. Threads own it together, so one that hangs in the module for ever holds nobody else up.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "crypto/pkcs11/session.h"
#include "crypto/pkcs11/token.h"

namespace birthmark::crypto::pkcs11 {

using SteadyTime = std::chrono::steady_clock::time_point;

// What a thread takes into the module, perhaps more than once, and answers exactly once.
class Job {
 public:
  struct Outcome {
    Result<Bytes> result;
    CK_RV trouble = CKR_OK;  // with the session or the token: the job may be tried again
    const char* function = "";
  };
  virtual ~Job() = default;
  [[nodiscard]] virtual Outcome perform(const Session& session) = 0;

  SteadyTime deadline;
  int attempts = 0;

  // False when somebody answered before.
  bool answer(Result<Bytes> result) {
    if (answered_.exchange(true)) return false;
    auto call = std::move(answer_);
    call(std::move(result));
    return true;
  }
  [[nodiscard]] bool answered() const { return answered_.load(); }

 protected:
  explicit Job(Token::Answer answer) : answer_(std::move(answer)) {}

 private:
  Token::Answer answer_;
  std::atomic<bool> answered_{false};
};

class SignJob final : public Job {
 public:
  SignJob(std::shared_ptr<const TokenKey> key, core::SignatureScheme scheme, ByteView digest, Token::Answer answer);
  [[nodiscard]] Outcome perform(const Session& session) override;

 private:
  const std::shared_ptr<const TokenKey> key_;
  const core::SignatureScheme scheme_;
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest_{};
  const std::size_t size_;
};

enum class TokenState : std::uint8_t {
  ready,
  recovering,  // lost a moment ago: jobs wait for the first attempt to reconnect
  away,        // that failed; tried again twice a second
  refused,     // the PIN: waits for an operator
};

class TokenCore : public std::enable_shared_from_this<TokenCore> {
 public:
  TokenCore(TokenSettings settings, std::shared_ptr<Module> module);

  // Starts the threads and waits for the first connection.
  [[nodiscard]] Status start();
  void stop();

  void add(std::shared_ptr<Job> job);
  // False when the token was connected anew since `epoch`, in which the key was found.
  [[nodiscard]] bool remember(std::shared_ptr<TokenKey> key, std::uint64_t epoch);
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] std::shared_ptr<TokenKey> known_key(const Uri& uri) const;
  void try_pin(std::shared_ptr<const Pin> pin);

  [[nodiscard]] const TokenSettings& settings() const { return settings_; }
  [[nodiscard]] std::optional<std::string> trouble() const;
  [[nodiscard]] TokenFigures figures() const;

 private:
  struct Worker {
    std::condition_variable wake;
    bool woken = false;
    std::atomic<bool> abandoned{false};
    std::atomic<CK_SESSION_HANDLE> session{CK_INVALID_HANDLE};
    std::atomic<std::uint64_t> epoch{0};  // of the session
    std::shared_ptr<Job> job;             // being performed
    SteadyTime since;                     // when it took that
  };
  enum class Next : std::uint8_t { go_on, retire };
  struct Connected {
    TokenInfo info;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    std::vector<CK_OBJECT_HANDLE> handles;  // of keys_, in order
  };

  // token_core.cpp: the pool
  void work(const std::shared_ptr<Worker>& me);
  [[nodiscard]] std::shared_ptr<Job> next_job(const std::shared_ptr<Worker>& me);
  [[nodiscard]] Next serve(Worker& me, const std::shared_ptr<Job>& job);
  [[nodiscard]] CK_RV open_session_for(Worker& me);
  [[nodiscard]] Next no_session(Worker& me, const std::shared_ptr<Job>& job, CK_RV value);
  void handle_trouble(const std::shared_ptr<Job>& job, CK_RV value, const char* function, std::uint64_t epoch);
  void wake_some();  // under mutex_
  void start_thread(void (TokenCore::*body)());
  void watch();
  void give_up_late_ones();
  void count_answer(const std::shared_ptr<Job>& job, Result<Bytes> result);

  // token_connect.cpp: the supervisor
  void supervise();
  [[nodiscard]] bool wait_for_work(std::uint64_t my_number);
  void probe();
  void reconnect(std::uint64_t my_number, int attempt);
  [[nodiscard]] Result<Connected> connect(bool restart);
  [[nodiscard]] Result<Connected> connect_inside(bool alone);
  [[nodiscard]] Status log_in(const Session& session, const TokenInfo& info);
  [[nodiscard]] Status find_keys_again(const Session& session, Connected& connected);
  [[nodiscard]] bool publish(const Connected& connected, std::uint64_t my_number);
  void lost(std::uint64_t epoch, const std::string& reason);
  [[nodiscard]] unsigned session_limit(const TokenInfo& info) const;

  const TokenSettings settings_;
  const std::shared_ptr<Module> module_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // state, threads, the supervisor's turn
  TokenState state_ = TokenState::recovering;
  std::string reason_ = "it was never reached";
  Error last_error_;
  bool stopping_ = false;
  bool tried_ = false;  // the first connection was attempted
  std::shared_ptr<const Pin> pin_;
  bool pin_allowed_ = false;  // an operator's word, good for one attempt
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::vector<std::shared_ptr<Worker>> idle_;  // the last one to become idle is woken first: its memory is warm
  unsigned limit_ = 1;
  std::vector<std::shared_ptr<TokenKey>> keys_;
  std::vector<CK_SESSION_HANDLE> spare_;       // opened while connecting
  std::atomic<std::uint64_t> epoch_{0};        // rises when every session is closed, while nobody is inside
  std::atomic<std::uint64_t> ready_epoch_{0};  // the one whose sessions and key handles are known
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<CK_SLOT_ID> slot_{0};
  std::string serial_;
  bool connected_once_ = false;
  unsigned threads_ = 0;
  std::uint64_t supervisor_ = 0;                 // number of the one in charge
  std::optional<SteadyTime> supervisor_inside_;  // since when it is in the module

  std::atomic<std::uint64_t> signatures_{0}, failures_{0}, retries_{0}, reconnections_{0};
};

}  // namespace birthmark::crypto::pkcs11
