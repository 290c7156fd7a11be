// SPDX-License-Identifier: Apache-2.0
// SSL_read and SSL_write on our own non-blocking socket. No read-ahead: nothing is ever left inside the SSL that the descriptor would not
// announce (a record is at most as large as the worker's read buffer).
#include "net/tls_channel.h"

#include "base/log.h"

namespace birthmark::net::tls {

TlsChannel::TlsChannel(SslHandle ssl, int descriptor, const PeerIdentity& peer, std::shared_ptr<const TlsServer::Generation> generation,
                       const Verifier& verifier, const std::string& listener)
    : generation_(std::move(generation)),
      verifier_(verifier),
      listener_(listener),
      ssl_(std::move(ssl)),
      socket_(descriptor),
      peer_address_(peer.address) {
  SSL_set_app_data(ssl_.get(), this);
}

IoResult TlsChannel::receive(std::span<char> into) {
  if (broken_) return socket_.receive(into);  // what the peer still sends is read away, so that it sees our alert and no reset
  ERR_clear_error();
  std::size_t moved = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &moved);
  leave_jobs_behind();
  if (result == 1) return {.state = IoState::done, .size = moved};
  return failed(result, moved);
}

// Only the handshake signs: once it is over, reads and writes need no job of their own (SSL_MODE_ASYNC, SSL_set_mode(3)).
void TlsChannel::leave_jobs_behind() {
  if ((SSL_get_mode(ssl_.get()) & SSL_MODE_ASYNC) != 0 && SSL_is_init_finished(ssl_.get()) == 1 && SSL_waiting_for_async(ssl_.get()) == 0)
    SSL_clear_mode(ssl_.get(), SSL_MODE_ASYNC);
}

int TlsChannel::answer_descriptor() const {
  OSSL_ASYNC_FD descriptor = -1;
  std::size_t count = 1;
  return SSL_get_all_async_fds(ssl_.get(), nullptr, &count) == 1 && count == 1 &&
                 SSL_get_all_async_fds(ssl_.get(), &descriptor, &count) == 1
             ? descriptor
             : -1;
}

IoResult TlsChannel::send(std::string_view bytes) {
  if (broken_) return {};
  ERR_clear_error();
  std::size_t moved = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &moved);
  if (result == 1) return {.state = IoState::done, .size = moved};
  return failed(result, moved);
}

IoResult TlsChannel::failed(int result, std::size_t) {
  const int reason = SSL_get_error(ssl_.get(), result);
  switch (reason) {
    case SSL_ERROR_WANT_READ: return {.state = IoState::want_read};
    case SSL_ERROR_WANT_WRITE: return {.state = IoState::want_write};
    case SSL_ERROR_WANT_ASYNC: return {.state = IoState::want_answer};
    case SSL_ERROR_ZERO_RETURN: return {.state = IoState::ended};
    default: break;
  }
  broken_ = true;
  if (SSL_is_init_finished(ssl_.get()) == 0) log_failure(reason);
  ERR_clear_error();
  return {.state = reason == SSL_ERROR_SSL ? IoState::rejected : IoState::broken};
}

// One line for each handshake that fails, naming the check. Who connected and went without a word is no news.
void TlsChannel::log_failure(int reason) {
  if (refusal_ != X509_V_OK) {
    log::info("TLS handshake refused", {{"listener", listener_},
                                        {"peer", peer_address_},
                                        {"subject", refused_subject_},
                                        {"check", X509_verify_cert_error_string(refusal_)}});
    return;
  }
  const std::string errors = take_errors();
  const bool silent = reason == SSL_ERROR_SYSCALL && errors.empty();
  log::write(silent ? log::Level::debug : log::Level::info, "TLS handshake failed",
             {{"listener", listener_}, {"peer", peer_address_}, {"reason", errors.empty() ? "the connection ended" : errors}});
}

void TlsChannel::close_write() {
  // Not after a failure, nor inside a handshake (SSL_shutdown(3)).
  if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) ERR_clear_error();  // the socket is full: the peer sees the end of the stream instead
  }
  socket_.close_write();
}

void TlsChannel::note_refusal(std::string subject, int error) {
  refused_subject_ = std::move(subject);
  refusal_ = error;
}

void TlsChannel::describe(PeerIdentity& peer) {
  peer.encrypted = true;
  if (!described_) peer_ = read_peer();
  described_ = true;
  peer.certificate = peer_;
}

std::shared_ptr<const PeerCertificate> TlsChannel::read_peer() {
  X509* leaf = SSL_get0_peer_certificate(ssl_.get());
  if (leaf == nullptr) return nullptr;
  auto peer = std::make_shared<PeerCertificate>();
  auto der = to_der(leaf);
  if (!der) return nullptr;
  auto fingerprint = fingerprint_of(*der);
  if (!fingerprint) return nullptr;
  peer->chain.push_back(std::move(*der));
  peer->fingerprint = *fingerprint;
  // After a resumed handshake nobody was asked yet; after a full one the answer is remembered.
  const Verdict verdict = verifier_.judge(leaf, *fingerprint);
  if (verdict.error != X509_V_OK) {
    log::info("resumed session refused",
              {{"listener", listener_}, {"peer", peer_address_}, {"check", X509_verify_cert_error_string(verdict.error)}});
    return nullptr;
  }
  peer->anchor = verdict.anchor;
  peer->under_root = verdict.under_root;
  // On the server's side the leaf is not part of it (SSL_get_peer_cert_chain(3)).
  const STACK_OF(X509)* others = SSL_get_peer_cert_chain(ssl_.get());
  for (int i = 0; others != nullptr && i < sk_X509_num(others); ++i) {
    auto more = to_der(sk_X509_value(others, i));
    if (more) peer->chain.push_back(std::move(*more));
  }
  return peer;
}

}  // namespace birthmark::net::tls
