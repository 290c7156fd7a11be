// SPDX-License-Identifier: Apache-2.0
// Settings into SSL_CTX objects, one for each identity of a generation, and the callbacks that OpenSSL calls back with.
#include "net/tls_server.h"

#include <algorithm>

#include "net/ascii.h"
#include "net/tls_channel.h"
#include "net/tls_library.h"

namespace birthmark::net {

using namespace tls;

// Immutable once made; every connection holds the one it began with.
struct TlsServer::Generation {
  std::string name;
  std::unique_ptr<Verifier> verifier;
  std::vector<SslContextHandle> contexts;
  std::vector<std::vector<std::string>> names;  // of each context
};

namespace {

// AEAD with forward secrecy only (protocol facts, gateway 6.22); TLS 1.3 has nothing else.
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::size_t kMaxHandshakeBytes = 64U << 10U;  // a peer's whole certificate chain

tl::unexpected<Error> bad_tls(const std::string& listener, std::string_view what) {
  return fail(ErrorCode::misconfigured, "TLS of listener " + listener + ": " + std::string(what), take_errors());
}

TlsChannel* channel_of(X509_STORE_CTX* context) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return ssl == nullptr ? nullptr : static_cast<TlsChannel*>(SSL_get_app_data(ssl));
}

// In the place of OpenSSL's own chain verification: asks the verifier, and keeps what is wrong for the log.
int verify_peer(X509_STORE_CTX* context, void*) {
  TlsChannel* channel = channel_of(context);
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  if (channel == nullptr || leaf == nullptr) return 0;
  Verdict verdict;
  if (auto der = to_der(leaf)) {
    if (auto fingerprint = fingerprint_of(*der)) verdict = channel->verifier().judge(leaf, *fingerprint);
  }
  X509_STORE_CTX_set_error(context, verdict.error);
  if (verdict.error == X509_V_OK) return 1;
  channel->note_refusal(subject_of(leaf), verdict.error);
  return 0;
}

int choose_identity(SSL* ssl, int*, void* argument) {
  const auto* generation = static_cast<const TlsServer::Generation*>(argument);
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_OK;
  for (std::size_t i = 1; i < generation->contexts.size(); ++i) {
    const auto& names = generation->names[i];
    const bool ours = std::any_of(names.begin(), names.end(), [&](const std::string& name) { return equal_ignoring_case(name, asked); });
    if (ours) SSL_set_SSL_CTX(ssl, generation->contexts[i].get());
  }
  return SSL_TLSEXT_ERR_OK;
}

Status use_identity(SSL_CTX* context, const TlsServerSettings& settings, const TlsIdentity& identity) {
  if (identity.chain.empty()) return bad_tls(settings.name, "there is no certificate");
  PkeyHandle read;
  if (identity.private_key == nullptr) {
    auto key = read_private_key(identity.private_key_pem);
    if (!key) return bad_tls(settings.name, "the private key: " + key.error().describe());
    read = std::move(*key);
  }
  EVP_PKEY* const key = identity.private_key == nullptr ? read.get() : identity.private_key.get();
  if (identity.private_key != nullptr) SSL_CTX_set_mode(context, SSL_MODE_ASYNC);
  for (std::size_t i = 0; i < identity.chain.size(); ++i) {
    auto certificate = read_certificate(identity.chain[i]);
    if (!certificate) return bad_tls(settings.name, "certificate " + std::to_string(i + 1) + ": " + certificate.error().describe());
    const bool taken =
        i == 0 ? SSL_CTX_use_certificate(context, certificate->get()) == 1 : SSL_CTX_add1_chain_cert(context, certificate->get()) == 1;
    if (!taken) return bad_tls(settings.name, "the certificate cannot be used");
  }
  if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return bad_tls(settings.name, "the private key does not belong to the certificate");
  }
  return {};
}

void ask_for_certificate(SSL_CTX* context, const TlsServerSettings& settings, const Verifier& verifier) {
  SSL_CTX_set_cert_verify_callback(context, verify_peer, nullptr);
  if (settings.client_certificate == ClientCertificate::none) return;
  const int strictness = settings.client_certificate == ClientCertificate::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | strictness, nullptr);
  if (STACK_OF(X509_NAME)* names = verifier.anchor_names(); names != nullptr) SSL_CTX_set_client_CA_list(context, names);
}

// DECISIONS.md, TLS: tickets only where a listener wants them; they die with the generation, whose keys they are sealed with.
Status set_resumption(SSL_CTX* context, const TlsServerSettings& settings) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (settings.tickets == 0) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (SSL_CTX_set_num_tickets(context, settings.tickets) != 1) return bad_tls(settings.name, "tickets");
  const auto context_id = fingerprint_of(as_bytes(settings.name));
  if (!context_id || SSL_CTX_set_session_id_context(context, context_id->octets.data(), Fingerprint::kSize) != 1) {
    return bad_tls(settings.name, "session id context");
  }
  return {};
}

Result<SslContextHandle> make_context(const TlsServerSettings& settings, const TlsIdentity& identity, const Verifier& verifier) {
  SslContextHandle context(SSL_CTX_new_ex(server_library(), nullptr, TLS_server_method()));
  if (!context) return bad_tls(settings.name, "OpenSSL gives no context");
  SSL_CTX_set_security_level(context.get(), 2);  // no RSA below 2048 bits, no SHA-1
  const bool good =
      SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context.get(), kTls12Suites) == 1;
  if (!good) return bad_tls(settings.name, "OpenSSL has not the protocols and suites that are needed");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_max_cert_list(context.get(), kMaxHandshakeBytes);
  BIRTHMARK_CHECK(use_identity(context.get(), settings, identity));
  ask_for_certificate(context.get(), settings, verifier);
  BIRTHMARK_CHECK(set_resumption(context.get(), settings));
  return context;
}

Result<std::shared_ptr<const TlsServer::Generation>> make_generation(const TlsServerSettings& settings) {
  if (settings.identities.empty()) return bad_tls(settings.name, "there is no certificate");
  auto generation = std::make_shared<TlsServer::Generation>();
  generation->name = settings.name;
  BIRTHMARK_TRY(generation->verifier, Verifier::create(settings));
  for (const TlsIdentity& identity : settings.identities) {
    BIRTHMARK_TRY(SslContextHandle context, make_context(settings, identity, *generation->verifier));
    SSL_CTX_set_tlsext_servername_callback(context.get(), choose_identity);
    SSL_CTX_set_tlsext_servername_arg(context.get(), generation.get());
    generation->contexts.push_back(std::move(context));
    generation->names.push_back(identity.names);
  }
  return std::shared_ptr<const TlsServer::Generation>(std::move(generation));
}

}  // namespace

Result<std::shared_ptr<TlsServer>> TlsServer::create(const TlsServerSettings& settings) {
  std::shared_ptr<TlsServer> server(new TlsServer);
  BIRTHMARK_CHECK(server->reload(settings));
  return server;
}

TlsServer::~TlsServer() = default;

Status TlsServer::reload(const TlsServerSettings& settings) {
  BIRTHMARK_TRY(auto generation, prepare(settings));
  use(std::move(generation));
  return {};
}

Result<std::shared_ptr<const TlsServer::Generation>> TlsServer::prepare(const TlsServerSettings& settings) {
  return make_generation(settings);
}

void TlsServer::use(std::shared_ptr<const Generation> generation) {
  const std::lock_guard lock(mutex_);
  current_.swap(generation);  // what was there ends after the lock, unless a connection holds it
}

std::unique_ptr<Channel> TlsServer::open(int descriptor, const PeerIdentity& peer) const {
  std::shared_ptr<const Generation> generation;
  {
    const std::lock_guard lock(mutex_);
    generation = current_;
  }
  SslHandle ssl(SSL_new(generation->contexts.front().get()));
  if (!ssl || SSL_set_fd(ssl.get(), descriptor) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(ssl.get());
  const Verifier& verifier = *generation->verifier;
  const std::string& listener = generation->name;
  return std::make_unique<TlsChannel>(std::move(ssl), descriptor, peer, std::move(generation), verifier, listener);
}

}  // namespace birthmark::net
