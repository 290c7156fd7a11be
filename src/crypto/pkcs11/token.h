// SPDX-License-Identifier: Apache-2.0
// One token of the process: logged in, with a pool of sessions that sign in parallel, on threads of their own. It looks after itself: lost
// sessions, a token that is pulled and put back, a module that must be started anew; meanwhile it answers "unavailable" at once. A PIN
// that the token refused is never tried again by itself.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/pkcs11/found_key.h"
#include "crypto/pkcs11/pin.h"
#include "crypto/pkcs11/pin_guard.h"

#include "crypto/pkcs11/uri.h"

namespace birthmark::crypto::pkcs11 {

class TokenCore;

struct TokenSettings {
  std::filesystem::path module;
  Uri token;                       // its key attributes are not looked at
  std::shared_ptr<const Pin> pin;  // null: no login, which shows public halves only
  std::shared_ptr<PinGuard> guard = std::make_shared<PinGuard>();
  unsigned sessions = 0;                    // 0: the token's own limit, eight where it has none
  std::chrono::milliseconds timeout{5000};  // for one signature; a call into the module that takes longer is given up
  bool makes_keys = false;                  // read-write sessions
};

// A key of a token, checked when it was opened. What it is never changes; where it is, after a reconnection, does.
class TokenKey {
 public:
  explicit TokenKey(Uri uri, FoundKey found) : uri_(std::move(uri)), found_(std::move(found)), handle_(found_.handle) {}
  [[nodiscard]] const Uri& uri() const { return uri_; }
  [[nodiscard]] core::SignatureScheme default_scheme() const { return found_.scheme; }
  [[nodiscard]] const SpkiHash& spki_sha256() const { return found_.spki_sha256; }
  [[nodiscard]] EVP_PKEY* public_half() const { return found_.public_half.get(); }

 private:
  friend class TokenCore;
  friend class SignJob;
  const Uri uri_;
  const FoundKey found_;
  std::atomic<unsigned long> handle_;
};

struct TokenFigures {
  std::uint64_t signatures = 0;     // made and verified to be in form
  std::uint64_t failures = 0;       // asked for and answered with an error
  std::uint64_t retries = 0;        // tried again on another session
  std::uint64_t reconnections = 0;  // sessions lost and found again
  std::uint64_t sessions = 0;       // open now
  std::uint64_t waiting = 0;        // signatures asked for and not answered
};

class Token {
 public:
  // Loads the module, finds the token, logs in. Errors say in plain words what is wrong: no module, no such token (and which there are),
  // PIN refused (forbidden).
  [[nodiscard]] static Result<std::shared_ptr<Token>> open(TokenSettings settings);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // Finds and checks a key: it signs, cannot leave the token, and a trial signature verifies under its public half.
  [[nodiscard]] Result<std::shared_ptr<const TokenKey>> key(const Uri& uri);
  // Makes a P-256 key; conflict when the label is taken.
  [[nodiscard]] Result<std::shared_ptr<const TokenKey>> make_key(const std::string& label, ByteView id);
  // The ids of private keys by this label are asked by ceremonies before they make one. not_found when there is none.
  [[nodiscard]] const Uri& uri() const;

  // `answer` is called once, from another thread, with a DER signature over `digest`; within the timeout whatever happens.
  using Answer = std::function<void(Result<Bytes>)>;
  void sign(const std::shared_ptr<const TokenKey>& key, core::SignatureScheme scheme, ByteView digest, Answer answer);
  // The same, waiting. Never on a thread that others wait for.
  [[nodiscard]] Result<Bytes> sign_now(const std::shared_ptr<const TokenKey>& key, core::SignatureScheme scheme, ByteView digest);

  // Why no signature can be had now; nothing when one can.
  [[nodiscard]] std::optional<std::string> trouble() const;
  [[nodiscard]] TokenFigures figures() const;
  // An operator's word: a PIN (null: the same) that may be tried, once, although one was refused.
  void try_pin(std::shared_ptr<const Pin> pin);

 private:
  explicit Token(std::shared_ptr<TokenCore> core) : core_(std::move(core)) {}
  const std::shared_ptr<TokenCore> core_;
};

}  // namespace birthmark::crypto::pkcs11
