// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and later, the system's CAs and one file more, host name check (RFC 9110 4.3.4). Bytes go through SocketChannel, so a peer that
// went away never raises SIGPIPE.
#include "net/tls_client.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "net/tls_handles.h"

namespace birthmark::net {
namespace {

using tls::SslContextHandle;
using tls::SslHandle;
using tls::take_errors;
using BioMethodHandle = std::unique_ptr<BIO_METHOD, tls::Freer<BIO_meth_free>>;

tl::unexpected<Error> tls_failure(ErrorCode code, std::string message) {
  return fail(code, std::move(message), take_errors());
}

// --- bytes between OpenSSL and the socket ------------------------------------------------------------------------------------------

SocketChannel& socket_of(BIO* bio) {
  return *static_cast<SocketChannel*>(BIO_get_data(bio));
}

// What a BIO answers: 1 with the size, or 0 after saying whether a later call may succeed.
int answer(BIO* bio, const IoResult& moved, std::size_t* size) {
  BIO_clear_retry_flags(bio);
  *size = moved.size;
  if (moved.state == IoState::want_read) BIO_set_retry_read(bio);
  if (moved.state == IoState::want_write) BIO_set_retry_write(bio);
  if (moved.state == IoState::ended) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return moved.state == IoState::done ? 1 : 0;
}

int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  return answer(bio, socket_of(bio).receive({into, size}), got);
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  return answer(bio, socket_of(bio).send({bytes, size}), written);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* socket_method() {
  static const BioMethodHandle kMethod = [] {
    BioMethodHandle method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "birthmark socket"));
    BIRTHMARK_ASSERT(method && BIO_meth_set_read_ex(method.get(), bio_read) == 1 && BIO_meth_set_write_ex(method.get(), bio_write) == 1 &&
                     BIO_meth_set_ctrl(method.get(), bio_control) == 1 && BIO_meth_set_create(method.get(), bio_create) == 1);
    return method;
  }();
  return kMethod.get();
}

// --- one connection ----------------------------------------------------------------------------------------------------------------

class OpensslChannel final : public TlsClientChannel {
 public:
  OpensslChannel(int descriptor, SslHandle ssl, std::string host) : socket_(descriptor), ssl_(std::move(ssl)), host_(std::move(host)) {}

  [[nodiscard]] Status attach() {
    BIO* bio = BIO_new(socket_method());
    if (bio == nullptr) return tls_failure(ErrorCode::internal, "no memory for a TLS connection");
    BIO_set_data(bio, &socket_);
    SSL_set_bio(ssl_.get(), bio, bio);  // takes it over
    return {};
  }

  IoState handshake() override {
    ERR_clear_error();
    const int done = SSL_connect(ssl_.get());
    return done == 1 ? IoState::done : state_after(done);
  }

  IoResult receive(std::span<char> into) override {
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
    if (done == 1) return {.state = IoState::done, .size = size};
    return {.state = state_after(done)};
  }

  IoResult send(std::string_view bytes) override {
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
    if (done == 1) return {.state = IoState::done, .size = size};
    return {.state = state_after(done)};
  }

  void close_write() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  bool everything_acknowledged() const override { return socket_.everything_acknowledged(); }

  Error failure() const override { return failure_; }

 private:
  // An end of the stream without close_notify is `broken`: whoever cut it must not decide where an answer ends (RFC 8446 6.1).
  IoState state_after(int outcome) {
    switch (SSL_get_error(ssl_.get(), outcome)) {
      case SSL_ERROR_WANT_READ: return IoState::want_read;
      case SSL_ERROR_WANT_WRITE: return IoState::want_write;
      case SSL_ERROR_ZERO_RETURN: return IoState::ended;
      default: break;
    }
    broken_ = true;
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK && SSL_is_init_finished(ssl_.get()) == 0) {
      failure_ = {ErrorCode::misconfigured, "the certificate of " + host_ + " is not accepted: " + X509_verify_cert_error_string(verdict),
                  take_errors()};
    } else {
      failure_ = {ErrorCode::unavailable, "the TLS connection to " + host_ + " failed", take_errors()};
    }
    return IoState::broken;
  }

  SocketChannel socket_;
  SslHandle ssl_;
  std::string host_;
  Error failure_{ErrorCode::unavailable, "the TLS connection failed", {}};
  bool broken_ = false;
};

// --- contexts ----------------------------------------------------------------------------------------------------------------------

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return ::inet_pton(AF_INET, host.c_str(), octets.data()) == 1 || ::inet_pton(AF_INET6, host.c_str(), octets.data()) == 1;
}

class OpensslContext final : public TlsClientContext {
 public:
  OpensslContext(SslContextHandle context, PeerCheck check) : context_(std::move(context)), check_(check) {}

  Result<std::unique_ptr<TlsClientChannel>> connect(int descriptor, const std::string& host) override {
    ERR_clear_error();
    SslHandle ssl(SSL_new(context_.get()));
    if (!ssl) return tls_failure(ErrorCode::internal, "no memory for a TLS connection");
    if (check_ == PeerCheck::none) {
      log::warning("tls.peer_not_checked", {{"host", host}, {"why", "certificate verification is switched off"}});
    } else if (auto named = expect(ssl.get(), host); !named) {
      return forward_error(named);
    }
    if (!is_address(host) && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)
      return tls_failure(ErrorCode::invalid, "\"" + host + "\" is not a host name");
    auto channel = std::make_unique<OpensslChannel>(descriptor, std::move(ssl), host);
    BIRTHMARK_CHECK(channel->attach());
    return std::unique_ptr<TlsClientChannel>(std::move(channel));
  }

 private:
  static Status expect(SSL* ssl, const std::string& host) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str())
                                     : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
    if (set != 1) return tls_failure(ErrorCode::invalid, "\"" + host + "\" is not a host name");
    return {};
  }

  SslContextHandle context_;
  PeerCheck check_;
};

Status load_trust(SSL_CTX* context, const TlsTrust& trust) {
  if (SSL_CTX_set_default_verify_paths(context) != 1)
    return tls_failure(ErrorCode::misconfigured, "the system's CA certificates cannot be used");
  if (!trust.ca_file.empty() && SSL_CTX_load_verify_file(context, trust.ca_file.c_str()) != 1)
    return tls_failure(ErrorCode::misconfigured, trust.ca_file + " holds no CA certificates that can be used");
  return {};
}

// Without one OpenSSL asks at the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Status load_own_certificate(SSL_CTX* context, const TlsTrust& trust) {
  if (trust.certificate_file.empty()) return {};
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, trust.certificate_file.c_str()) != 1)
    return tls_failure(ErrorCode::misconfigured, trust.certificate_file + " holds no certificate that can be used");
  const std::string& key = trust.key_file.empty() ? trust.certificate_file : trust.key_file;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return tls_failure(ErrorCode::misconfigured, key + " holds no private key that fits " + trust.certificate_file);
  return {};
}

}  // namespace

Result<std::unique_ptr<TlsClientContext>> TlsClientContext::create(const TlsTrust& trust) {
  ERR_clear_error();
  SslContextHandle context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return tls_failure(ErrorCode::internal, "no TLS context");
  BIRTHMARK_CHECK(load_trust(context.get(), trust));
  BIRTHMARK_CHECK(load_own_certificate(context.get(), trust));
  // A send may be repeated from another buffer, and may be accepted in part.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_verify(context.get(), trust.peer_check == PeerCheck::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return std::unique_ptr<TlsClientContext>(std::make_unique<OpensslContext>(std::move(context), trust.peer_check));
}

}  // namespace birthmark::net
