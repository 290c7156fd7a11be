// SPDX-License-Identifier: Apache-2.0
#include "tls_peer.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <charconv>
#include <csignal>

#include "base/text.h"

namespace birthmark::net_test {

struct TlsPeer::State {
  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = nullptr;
  std::string session;
};

namespace {

X509* read_certificate(const Bytes& der) {
  const unsigned char* at = der.data();
  return d2i_X509(nullptr, &at, static_cast<long>(der.size()));
}

int version_number(const std::string& version) {
  if (version == "1.1") return TLS1_1_VERSION;
  return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

void show(SSL_CTX* context, const TlsPeerOptions& options) {
  if (options.certificate == nullptr) return;
  X509* leaf = read_certificate(options.certificate->der);
  SSL_CTX_use_certificate(context, leaf);
  X509_free(leaf);
  BIO* bio = BIO_new_mem_buf(options.certificate->key_pem.data(), static_cast<int>(options.certificate->key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  BIO_free(bio);
  for (const auto* more : options.also_sent) SSL_CTX_add0_chain_cert(context, read_certificate(more->der));
}

}  // namespace

TlsPeer::TlsPeer(std::uint16_t port, const TlsPeerOptions& options) : socket_(port), state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  SSL_CTX* context = state_->context;
  SSL_CTX_set_security_level(context, 0);
  if (!options.version.empty()) {
    SSL_CTX_set_min_proto_version(context, version_number(options.version));
    SSL_CTX_set_max_proto_version(context, version_number(options.version));
  }
  if (!options.suites.empty()) SSL_CTX_set_cipher_list(context, options.suites.c_str());
  show(context, options);
  ::fcntl(socket_.descriptor(), F_SETFL, O_NONBLOCK);
  state_->ssl = SSL_new(context);
  SSL_set_fd(state_->ssl, socket_.descriptor());
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(state_->ssl, options.server_name.c_str());
  if (options.session.empty()) return;
  const auto* at = reinterpret_cast<const unsigned char*>(options.session.data());
  SSL_SESSION* session = d2i_SSL_SESSION(nullptr, &at, static_cast<long>(options.session.size()));
  SSL_set_session(state_->ssl, session);
  SSL_SESSION_free(session);
}

std::string client_hello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);
  SSL_connect(ssl.get());  // would go on once the server has answered
  ERR_clear_error();
  char* octets = nullptr;
  const long size = BIO_get_mem_data(sent, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

TlsPeer::~TlsPeer() = default;

// True when the call may be repeated.
bool TlsPeer::wait(int result) {
  const int reason = SSL_get_error(state_->ssl, result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    pollfd watched{
        .fd = socket_.descriptor(), .events = static_cast<short>(reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), .revents = 0};
    if (::poll(&watched, 1, static_cast<int>(kPatience.count())) > 0) return true;
    failure_ = "no answer in time";
    return false;
  }
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text.data(), text.size());
  failure_ = code != 0 ? text.data() : reason == SSL_ERROR_ZERO_RETURN ? "closed" : "connection lost";
  return false;
}

bool TlsPeer::connect() {
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(state_->ssl);
    if (result == 1) return true;
    if (!wait(result)) return false;
  }
}

bool TlsPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t moved = 0;
    const int result = SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &moved);
    if (result == 1) {
      bytes.remove_prefix(moved);
    } else if (!wait(result)) {
      return false;
    }
  }
  return true;
}

std::optional<Answer> TlsPeer::receive() {
  std::array<char, 16'384> buffer{};
  while (true) {
    const std::size_t head_end = held_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      Answer answer;
      answer.head = held_.substr(0, head_end + 2);
      std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
      const std::string lower = to_lower(answer.head);
      const std::size_t at = lower.find("\r\ncontent-length: ");
      std::size_t length = 0;
      if (at != std::string::npos) std::from_chars(lower.data() + at + 18, lower.data() + lower.size(), length);
      if (held_.size() >= head_end + 4 + length) {
        answer.body = held_.substr(head_end + 4, length);
        held_.erase(0, head_end + 4 + length);
        return answer;
      }
    }
    ERR_clear_error();
    std::size_t moved = 0;
    const int result = SSL_read_ex(state_->ssl, buffer.data(), buffer.size(), &moved);
    if (result == 1) {
      held_.append(buffer.data(), moved);
    } else if (!wait(result)) {
      return std::nullopt;
    }
  }
}

std::optional<Answer> TlsPeer::ask(std::string_view request) {
  if (SSL_is_init_finished(state_->ssl) == 0 && !connect()) return std::nullopt;
  send(request);  // a server that refuses early answers although it did not read all
  return receive();
}

void TlsPeer::shutdown() {
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(state_->ssl));
}

std::string TlsPeer::version() const {
  return SSL_get_version(state_->ssl);
}

std::string TlsPeer::server_subject() const {
  X509* certificate = SSL_get0_peer_certificate(state_->ssl);
  std::array<char, 128> text{};
  if (certificate == nullptr) return {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text.data(), text.size());
  return text.data();
}

bool TlsPeer::resumed() const {
  return SSL_session_reused(state_->ssl) == 1;
}

std::string TlsPeer::session() const {
  SSL_SESSION* session = SSL_get0_session(state_->ssl);
  if (session == nullptr || SSL_SESSION_is_resumable(session) == 0) return {};
  const int size = i2d_SSL_SESSION(session, nullptr);
  std::string text(static_cast<std::size_t>(size), '\0');
  auto* at = reinterpret_cast<unsigned char*>(text.data());
  i2d_SSL_SESSION(session, &at);
  return text;
}

}  // namespace birthmark::net_test
