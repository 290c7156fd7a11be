// SPDX-License-Identifier: Apache-2.0
// How a token is reached, and reached again. Order of an attempt: nobody inside the module, all sessions closed, (every second time) the
// module started anew, the token looked for, one session, login, every key found and tried. Where somebody hangs inside, nothing is
// closed: another session is opened beside.
#include <algorithm>

#include "base/log.h"
#include "crypto/digest.h"
#include "crypto/pkcs11/token_core.h"
#include "crypto/signature_schemes.h"

namespace birthmark::crypto::pkcs11 {
namespace {

constexpr std::chrono::milliseconds kProbeEvery{1000};
constexpr std::chrono::milliseconds kRetryEvery{400};
constexpr std::chrono::milliseconds kPatience{300};  // until everybody has left the module

bool is_about_the_pin(CK_RV value) {
  return value == CKR_PIN_INCORRECT || value == CKR_PIN_INVALID || value == CKR_PIN_LEN_RANGE || value == CKR_PIN_EXPIRED ||
         value == CKR_PIN_LOCKED;
}

}  // namespace

// A trial signature over a fixed text: what the public half does not verify was made by another key.
Status try_key(const Session& session, const FoundKey& key) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> room{};
  const ByteView digest = hash_into(room, digest_of(key.scheme), as_bytes("birthmark looks whether this key is the one it says"));
  const RawResult made = sign_digest(session, key.handle, key.scheme, digest);
  if (made.value != CKR_OK) return fail(ErrorCode::unavailable, "the token does not sign", failed_call(made.function, made.value));
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.public_half.get(), nullptr));
  const bool good = context && EVP_PKEY_verify_init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(context.get(), digest_of(key.scheme)) == 1 &&
                    EVP_PKEY_verify(context.get(), made.signature.data(), made.signature.size(), digest.data(), digest.size()) == 1;
  ERR_clear_error();
  if (good) return {};
  return fail(ErrorCode::misconfigured, "the key '" + key.label + "' signs, but not for the public key beside it in the token");
}

void TokenCore::supervise() {
  std::unique_lock lock(mutex_);
  const std::uint64_t my_number = supervisor_;
  lock.unlock();
  for (int attempt = 0; wait_for_work(my_number);) {
    lock.lock();
    const bool ready = state_ == TokenState::ready;
    supervisor_inside_ = std::chrono::steady_clock::now();
    lock.unlock();
    if (ready) {
      attempt = 0;
      probe();
    } else {
      reconnect(my_number, attempt++);
    }
    lock.lock();
    if (my_number == supervisor_) supervisor_inside_.reset();
    lock.unlock();
  }
}

// False when this supervisor's time is over.
bool TokenCore::wait_for_work(std::uint64_t my_number) {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return stopping_ || my_number != supervisor_; };
  if (!tried_ || over()) return !over();
  if (state_ == TokenState::ready) changed_.wait_for(lock, kProbeEvery, [&] { return over() || state_ != TokenState::ready; });
  if (state_ == TokenState::away) changed_.wait_for(lock, kRetryEvery, over);
  if (state_ == TokenState::refused) changed_.wait(lock, [&] { return over() || pin_allowed_; });
  return !over();
}

void TokenCore::probe() {
  CK_RV got = CKR_CRYPTOKI_NOT_INITIALIZED;
  const std::uint64_t epoch = epoch_;
  CK_TOKEN_INFO info{};
  {
    const Module::Use use(*module_);
    if (use.held() && module_->generation() == generation_.load()) got = module_->functions().C_GetTokenInfo(slot_, &info);
  }
  if (got != CKR_OK) lost(epoch, failed_call("C_GetTokenInfo", got));
}

void TokenCore::lost(std::uint64_t epoch, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (state_ != TokenState::ready || epoch != epoch_) return;  // somebody saw it before
  state_ = TokenState::recovering;
  reason_ = reason;
  module_->count_at_work(-1);
  log::warning("the token is lost, looking for it", {{"token", settings_.token.token_text()}, {"reason", reason}});
  changed_.notify_all();
}

void TokenCore::reconnect(std::uint64_t my_number, int attempt) {
  auto connected = connect(attempt % 2 == 1);
  if (connected && publish(*connected, my_number)) return;
  std::deque<std::shared_ptr<Job>> left;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    if (my_number != supervisor_) return;
    if (!connected) last_error_ = connected.error();
    const std::string reason = connected ? reason_ : connected.error().describe();
    const TokenState next = !connected && connected.error().code == ErrorCode::forbidden ? TokenState::refused : TokenState::away;
    if (state_ != next || reason != reason_)
      log::error("the token cannot be used", {{"token", settings_.token.token_text()}, {"reason", reason}});
    state_ = next;
    reason_ = why = reason;
    tried_ = true;
    left.swap(queue_);
    changed_.notify_all();
  }
  for (const auto& job : left)
    count_answer(job, fail(ErrorCode::unavailable, "the signing key's token is not available; try again later", why));
}

Result<TokenCore::Connected> TokenCore::connect(bool restart) {
  {
    const Module::Alone alone(*module_, kPatience);
    if (alone.held()) {
      ++epoch_;  // from here on no earlier session and no earlier handle is used
      // Another token of the module that works must not suffer for this one.
      if (restart && module_->tokens_at_work() == 0) BIRTHMARK_CHECK(module_->restart());
      return connect_inside(true);
    }
  }
  // Somebody hangs inside: beside it, without taking anything away.
  const Module::Use use(*module_);
  if (!use.held()) return fail(ErrorCode::unavailable, "the PKCS#11 module is being started anew");
  if (generation_ != 0 && module_->generation() != generation_.load())
    return fail(ErrorCode::unavailable, "a call into the PKCS#11 module does not return");
  return connect_inside(false);
}

Result<TokenCore::Connected> TokenCore::connect_inside(bool alone) {
  const CK_FUNCTION_LIST& functions = module_->functions();
  BIRTHMARK_TRY(const auto tokens, list_tokens(functions));
  Connected connected;
  BIRTHMARK_TRY(connected.info, choose_token(tokens, settings_.token));
  if (alone) (void)functions.C_CloseAllSessions(connected.info.slot);
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (settings_.makes_keys ? CKF_RW_SESSION : 0);
  const CK_RV got = functions.C_OpenSession(connected.info.slot, flags, nullptr, nullptr, &connected.session);
  if (got != CKR_OK) return fail(ErrorCode::unavailable, "the token gives no session", failed_call("C_OpenSession", got));
  const Session session{&functions, connected.session};
  Status good = log_in(session, connected.info);
  if (good) good = find_keys_again(session, connected);
  if (good) return connected;
  (void)functions.C_CloseSession(connected.session);
  return tl::make_unexpected(good.error());
}

Status TokenCore::log_in(const Session& session, const TokenInfo& info) {
  std::shared_ptr<const Pin> pin;
  bool allowed = false;
  {
    const std::lock_guard lock(mutex_);
    pin = pin_;
    allowed = std::exchange(pin_allowed_, false);
  }
  if (!pin) return {};
  const std::string who = settings_.token.token_text();
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
    return fail(ErrorCode::forbidden, "the PIN of " + who + " is locked: its security officer must set a new one");
  if (!allowed && settings_.guard->was_refused(info.serial, *pin))
    return fail(ErrorCode::forbidden, who + " refused this PIN before, and it is not tried again by itself: correct the PIN");
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0)
    return fail(ErrorCode::forbidden,
                "one more wrong PIN locks " + who + ": log in to it once by hand (pkcs11-tool --login), then start again");
  const ByteView text = pin->view();
  const CK_RV got = session.functions->C_Login(session.handle, CKU_USER, const_cast<CK_UTF8CHAR*>(text.data()), text.size());
  if (got == CKR_OK || got == CKR_USER_ALREADY_LOGGED_IN) {
    settings_.guard->forget(info.serial);
    return {};
  }
  if (got == CKR_USER_PIN_NOT_INITIALIZED)
    return fail(ErrorCode::forbidden, who + " has no user PIN yet: set one (pkcs11-tool --init-pin)", failed_call("C_Login", got));
  if (!is_about_the_pin(got)) return fail(ErrorCode::unavailable, who + " lets nobody log in", failed_call("C_Login", got));
  if (auto noted = settings_.guard->note_refusal(info.serial, *pin); !noted)
    log::error("the refused PIN cannot be noted", {{"reason", noted.error().describe()}});
  return fail(ErrorCode::forbidden, who + " refuses the PIN; it is not tried again by itself, so that it is never locked: correct the PIN",
              failed_call("C_Login", got));
}

// Each key that somebody uses, by its URI; another key in its place would sign what nobody can verify.
Status TokenCore::find_keys_again(const Session& session, Connected& connected) {
  std::vector<std::shared_ptr<TokenKey>> keys;
  {
    const std::lock_guard lock(mutex_);
    keys = keys_;
  }
  for (const auto& key : keys) {
    BIRTHMARK_TRY(const FoundKey found, find_key(session, key->uri()));
    if (found.spki_sha256 != key->spki_sha256())
      return fail(ErrorCode::misconfigured, key->uri().key_text() + " is now another key than the one that was used until now");
    BIRTHMARK_CHECK(try_key(session, found));
    connected.handles.push_back(found.handle);
  }
  return {};
}

unsigned TokenCore::session_limit(const TokenInfo& info) const {
  constexpr unsigned kWithoutLimit = 8;
  constexpr CK_ULONG kMostThreads = 32;
  const bool unlimited = info.most_sessions == CK_EFFECTIVELY_INFINITE || info.most_sessions == CK_UNAVAILABLE_INFORMATION;
  const CK_ULONG theirs = unlimited ? (settings_.sessions > 0 ? settings_.sessions : kWithoutLimit) : info.most_sessions;
  const CK_ULONG ours = settings_.sessions > 0 ? settings_.sessions : kMostThreads;
  return static_cast<unsigned>(std::min(theirs, ours));
}

bool TokenCore::publish(const Connected& connected, std::uint64_t my_number) {
  const std::lock_guard lock(mutex_);
  if (my_number != supervisor_ || stopping_) return true;  // another one does it
  if (keys_.size() != connected.handles.size()) {
    reason_ = "a key was opened meanwhile";  // the next attempt finds it too
    return false;
  }
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i]->handle_.store(connected.handles[i], std::memory_order_release);
  if (ready_epoch_ != epoch_) spare_.clear();
  spare_.push_back(connected.session);
  slot_ = connected.info.slot;
  serial_ = connected.info.serial;
  generation_ = module_->generation();
  ready_epoch_ = epoch_.load();
  module_->count_at_work(1);
  limit_ = session_limit(connected.info);
  state_ = TokenState::ready;
  reason_.clear();
  tried_ = true;
  if (connected_once_) {
    ++reconnections_;
    log::info("the token is back", {{"token", settings_.token.token_text()}});
  }
  connected_once_ = true;
  for (std::size_t i = 0; i < std::min<std::size_t>(queue_.size(), limit_); ++i) wake_some();
  changed_.notify_all();
  return true;
}

void TokenCore::try_pin(std::shared_ptr<const Pin> pin) {
  const std::lock_guard lock(mutex_);
  if (pin) pin_ = std::move(pin);
  pin_allowed_ = true;
  changed_.notify_all();
}

}  // namespace birthmark::crypto::pkcs11
