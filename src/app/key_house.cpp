// SPDX-License-Identifier: Apache-2.0
#include "app/key_house.h"

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "crypto/pkcs11/pkcs11_signer.h"
#include "crypto/pkcs11/provider.h"

namespace birthmark::app {

namespace pkcs11 = crypto::pkcs11;

Status check_key_name(const std::string& name) {
  if (pkcs11::is_uri(name)) {
    BIRTHMARK_TRY(const auto uri, pkcs11::Uri::parse(name));
    if (!uri.names_key()) return fail(ErrorCode::invalid, "the URI names no key: add object=LABEL or id=%XX");
    return {};
  }
  const std::filesystem::path given(name);
  const bool climbs = std::find(given.begin(), given.end(), "..") != given.end();
  if (name.empty() || given.is_absolute() || climbs)
    return fail(ErrorCode::invalid, "'" + name + "' is neither a path below the data directory nor a pkcs11: URI");
  return {};
}

KeyHouse::KeyHouse(std::filesystem::path directory, HsmConfig config)
    : directory_(std::move(directory)),
      config_(std::move(config)),
      guard_(std::make_shared<pkcs11::PinGuard>(directory_ / "keys" / "refused-pins")) {}

// In this order: the URI's own file, [hsm] pin_file, what systemd hands over, the environment as it was at the start, the terminal.
Result<std::shared_ptr<const pkcs11::Pin>> KeyHouse::pin_for(const pkcs11::Uri& uri) const {
  if (!uri.pin_file.empty()) return pkcs11::Pin::from_file(uri.pin_file);
  if (!config_.pin_file.empty()) return pkcs11::Pin::from_file(directory_ / config_.pin_file);
  if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr) {
    const auto path = std::filesystem::path(credentials) / "hsm-pin";
    if (std::error_code failure; std::filesystem::exists(path, failure)) return pkcs11::Pin::from_file(path);
  }
  if (auto pin = pkcs11::captured_environment_pin()) return pin;
  auto typed = pkcs11::Pin::from_terminal("PIN of " + uri.token_text() + ": ");
  if (!typed)
    typed.error().public_message = "the PIN of " + uri.token_text() +
                                   " is not known: set pin_file in [hsm], or give the systemd credential hsm-pin or BIRTHMARK_HSM_PIN";
  return typed;
}

Result<std::shared_ptr<pkcs11::Token>> KeyHouse::token_for(const pkcs11::Uri& uri) {
  pkcs11::TokenSettings settings;
  settings.module = uri.module_path.empty() ? std::filesystem::path(config_.module) : std::filesystem::path(uri.module_path);
  settings.token = uri;
  settings.token.object.clear();
  settings.token.id.clear();
  if (settings.token.token.empty() && settings.token.serial.empty()) settings.token.token = config_.token;
  const std::lock_guard lock(mutex_);
  HeldToken& held = tokens_[settings.module.string() + " " + settings.token.text()];
  if (held.token) return held.token;
  settings.guard = guard_;
  settings.sessions = config_.sessions;
  settings.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config_.timeout);
  BIRTHMARK_TRY(settings.pin, pin_for(settings.token));
  held.asked = settings.token;
  BIRTHMARK_TRY(held.token, pkcs11::Token::open(std::move(settings)));
  return held.token;
}

Result<KeyHouse::Opened> KeyHouse::open(const std::string& name) {
  BIRTHMARK_TRY(const auto uri, pkcs11::Uri::parse(name));
  Opened opened;
  BIRTHMARK_TRY(opened.token, token_for(uri));
  pkcs11::Uri key;
  key.object = uri.object;
  key.id = uri.id;
  BIRTHMARK_TRY(opened.key, opened.token->key(key));
  return opened;
}

Result<std::shared_ptr<core::Signer>> KeyHouse::signer(const std::string& name) {
  if (!pkcs11::is_uri(name)) {
    BIRTHMARK_TRY(auto key, crypto::PrivateKey::load(directory_ / name));
    return crypto::make_file_signer(std::move(key));
  }
  auto opened = open(name);
  // A key that a setting names and a token has not: an operator's business, not "no such file".
  if (!opened && opened.error().code == ErrorCode::not_found) opened.error().code = ErrorCode::misconfigured;
  if (!opened) return forward_error(opened);
  return pkcs11::make_pkcs11_signer(opened->token, opened->key);
}

Result<KeyHouse::TlsKey> KeyHouse::tls_key(const std::string& name) {
  TlsKey key;
  if (!pkcs11::is_uri(name)) {
    BIRTHMARK_TRY(key.pem, read_file(directory_ / name));
    return key;
  }
  BIRTHMARK_TRY(const Opened opened, open(name));
  BIRTHMARK_TRY(key.in_token, pkcs11::make_token_pkey(opened.token, opened.key));
  return key;
}

Result<crypto::PrivateKey> KeyHouse::private_key(const std::string& name) {
  if (!pkcs11::is_uri(name)) return crypto::PrivateKey::load(directory_ / name);
  BIRTHMARK_TRY(const Opened opened, open(name));
  return pkcs11::token_private_key(opened.token, opened.key);
}

Result<SpkiHash> KeyHouse::public_key(const std::string& name) {
  if (!pkcs11::is_uri(name)) {
    BIRTHMARK_TRY(const auto key, crypto::PrivateKey::load(directory_ / name));
    return key.spki_sha256();
  }
  BIRTHMARK_TRY(const Opened opened, open(name));
  return opened.key->spki_sha256();
}

std::vector<std::string> KeyHouse::troubles() const {
  std::vector<std::string> texts;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, held] : tokens_) {
    if (!held.token) continue;
    if (auto trouble = held.token->trouble()) texts.push_back(std::move(*trouble));
  }
  return texts;
}

std::optional<pkcs11::TokenFigures> KeyHouse::figures() const {
  const std::lock_guard lock(mutex_);
  std::optional<pkcs11::TokenFigures> all;
  for (const auto& [name, held] : tokens_) {
    if (!held.token) continue;
    const auto one = held.token->figures();
    if (!all) all.emplace();
    all->signatures += one.signatures;
    all->failures += one.failures;
    all->retries += one.retries;
    all->reconnections += one.reconnections;
    all->sessions += one.sessions;
    all->waiting += one.waiting;
  }
  return all;
}

void KeyHouse::try_pins() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, held] : tokens_) {
    if (!held.token || !held.token->trouble()) continue;
    auto pin = pin_for(held.asked);
    if (!pin) log::error("the PIN cannot be read", {{"token", held.asked.token_text()}, {"reason", pin.error().describe()}});
    held.token->try_pin(pin ? *pin : nullptr);
  }
}

}  // namespace birthmark::app
