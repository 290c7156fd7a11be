// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs11/token.h"

#include <future>

#include "crypto/pkcs11/token_core.h"

namespace birthmark::crypto::pkcs11 {

namespace {

// Something else than a signature, done on a session of the pool. A failure that may be the connection's is tried again there.
class ErrandJob final : public Job {
 public:
  using Errand = std::function<Status(const Session&)>;
  ErrandJob(Errand errand, Token::Answer answer) : Job(std::move(answer)), errand_(std::move(errand)) {}
  Outcome perform(const Session& session) override {
    Status done = errand_(session);
    if (done) return {Bytes(), CKR_OK, ""};
    const bool again = done.error().code == ErrorCode::unavailable;
    return {tl::make_unexpected(std::move(done.error())), again ? CK_RV{CKR_FUNCTION_FAILED} : CK_RV{CKR_OK}, "looking for a key"};
  }

 private:
  const Errand errand_;
};

// Waits for the answer of a job that always comes: within the token's timeout and a little.
Result<Bytes> wait_for(TokenCore& core, const std::function<std::shared_ptr<Job>(Token::Answer)>& make) {
  const auto answered = std::make_shared<std::promise<Result<Bytes>>>();
  auto future = answered->get_future();
  core.add(make([answered](Result<Bytes> result) { answered->set_value(std::move(result)); }));
  return future.get();
}

Status run_errand(TokenCore& core, const ErrandJob::Errand& errand) {
  const auto done = wait_for(core, [&](Token::Answer answer) { return std::make_shared<ErrandJob>(errand, std::move(answer)); });
  if (done) return {};
  return tl::make_unexpected(done.error());
}

// What an errand brings back. Shared: an errand that hangs in the module outlives whoever sent it.
struct KeyErrand {
  Uri uri;
  std::optional<FoundKey> found;
  std::uint64_t epoch = 0;
};

}  // namespace

Result<std::shared_ptr<Token>> Token::open(TokenSettings settings) {
  BIRTHMARK_TRY(auto module, Module::open(settings.module));
  auto core = std::make_shared<TokenCore>(std::move(settings), std::move(module));
  std::shared_ptr<Token> token(new Token(core));
  BIRTHMARK_CHECK(core->start());
  return token;
}

Token::~Token() {
  core_->stop();
}

const Uri& Token::uri() const {
  return core_->settings().token;
}

Result<std::shared_ptr<const TokenKey>> Token::key(const Uri& uri) {
  constexpr int kMostTries = 3;
  if (auto known = core_->known_key(uri)) return std::shared_ptr<const TokenKey>(std::move(known));
  for (int tries = 0; tries < kMostTries; ++tries) {
    const auto errand = std::make_shared<KeyErrand>();
    errand->uri = uri;
    BIRTHMARK_CHECK(run_errand(*core_, [errand, core = core_](const Session& session) -> Status {
      errand->epoch = core->epoch();
      BIRTHMARK_TRY(errand->found, find_key(session, errand->uri));
      return try_key(session, *errand->found);
    }));
    auto made = std::make_shared<TokenKey>(uri, std::move(*errand->found));
    if (core_->remember(made, errand->epoch)) return std::shared_ptr<const TokenKey>(std::move(made));
  }
  return fail(ErrorCode::unavailable,
              uri.key_text() + " was found, but " + core_->settings().token.token_text() + " does not stay connected");
}

Result<std::shared_ptr<const TokenKey>> Token::make_key(const std::string& label, ByteView id) {
  Uri uri;
  uri.object = label;
  const auto there = key(uri);
  if (there) return fail(ErrorCode::conflict, "Key " + label + " already exists on the HSM device");
  if (there.error().code != ErrorCode::not_found) return tl::make_unexpected(there.error());
  // One errand that is not tried again: a second key by the same label would be worse than an error.
  const auto made = std::make_shared<Status>();
  BIRTHMARK_CHECK(run_errand(*core_, [made, label, wanted = to_bytes(id)](const Session& session) -> Status {
    *made = generate_p256(session, label, wanted);
    return {};
  }));
  if (!*made) return tl::make_unexpected(made->error());
  return key(uri);
}

void Token::sign(const std::shared_ptr<const TokenKey>& key, core::SignatureScheme scheme, ByteView digest, Answer answer) {
  core_->add(std::make_shared<SignJob>(key, scheme, digest, std::move(answer)));
}

Result<Bytes> Token::sign_now(const std::shared_ptr<const TokenKey>& key, core::SignatureScheme scheme, ByteView digest) {
  return wait_for(*core_, [&](Answer answer) { return std::make_shared<SignJob>(key, scheme, digest, std::move(answer)); });
}

std::optional<std::string> Token::trouble() const {
  return core_->trouble();
}

TokenFigures Token::figures() const {
  return core_->figures();
}

void Token::try_pin(std::shared_ptr<const Pin> pin) {
  core_->try_pin(std::move(pin));
}

}  // namespace birthmark::crypto::pkcs11
