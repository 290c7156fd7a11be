// SPDX-License-Identifier: Apache-2.0
// POST .../attest (protocol facts, EVE 2.2): the node's certificates, a nonce, the quote, and the keys of its encrypted disk.
#include <eve.pb.h>
#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "faces/eve/eve_face.h"
#include "faces/eve/quote.h"

namespace birthmark::faces::eve {
namespace {

constexpr std::size_t kMostCertificates = 32;
constexpr std::size_t kMostCertificateBytes = 128U << 10U;
constexpr std::size_t kMostKeyBytes = 64U << 10U;
constexpr std::size_t kHistory = 10;

net::Response unprocessable(const std::string& text) {
  return net::json_error(422, text);
}

net::Response unavailable(const Error& error) {
  return net::json_error(503, error.public_message);
}

std::string escrow_label(const core::NodeRecord& node) {
  return "eve-escrow " + node.identity.factory + " " + node.identity.external_id;
}

// The certificate whose key signs quotes, from what the node sent before; not_found when it sent none.
Result<Bytes> quote_key(const std::string& certificates, const core::X509Codec& codec) {
  wire::ZControllerCert known;
  if (!known.ParseFromString(certificates)) return fail(ErrorCode::internal, "the node's stored certificates cannot be read");
  for (const wire::ZCert& one : known.certs()) {
    if (one.type() != wire::CERT_DEVICE_RESTRICTED_SIGNING) continue;
    BIRTHMARK_TRY(const Bytes der, read_wrapped_certificate(one.cert()));
    BIRTHMARK_TRY(auto facts, codec.read_certificate(der));
    return std::move(facts.spki_der);
  }
  return fail(ErrorCode::not_found, "no certificate for quotes");
}

// Why the values a node reports are not those of the quote, or not those wanted; empty: all is well.
std::string why_values_differ(const wire::ZAttestQuote& sent, const Quote& quote, const PcrValues& wanted, const core::X509Codec& codec) {
  PcrValues reported;
  for (const wire::TpmPcrValue& value : sent.pcrvalues())
    if (value.hashalgo() == 2) reported[value.index()] = to_hex(as_bytes(value.value()));
  std::string joined;
  for (const std::uint32_t index : quote.pcrs) {
    const auto value = reported.find(index);
    if (value == reported.end()) return "register " + std::to_string(index) + " is quoted but not reported";
    joined += value->second;
  }
  const auto octets = from_hex(joined);
  if (!octets || !equal(codec.sha256(*octets).view(), quote.pcr_digest)) return "the reported registers are not those that were quoted";
  for (const auto& [index, value] : wanted) {
    const bool quoted = std::find(quote.pcrs.begin(), quote.pcrs.end(), index) != quote.pcrs.end();
    if (!quoted) return "register " + std::to_string(index) + " is wanted but was not quoted";
    if (reported[index] != value) return "register " + std::to_string(index) + " is " + reported[index] + ", not " + value;
  }
  return {};
}

}  // namespace

Task<net::Response> EveFace::attest(const Call& call) {
  wire::ZAttestReq asked;
  if (!asked.ParseFromString(call.payload)) co_return unprocessable("the message is not a ZAttestReq");
  switch (asked.reqtype()) {
    case wire::ATTEST_REQ_CERT: {
      wire::ZControllerCert sent;
      *sent.mutable_certs() = asked.certs();
      std::string certificates = sent.SerializeAsString();
      if (asked.certs_size() > static_cast<int>(kMostCertificates) || certificates.size() > kMostCertificateBytes)
        co_return unprocessable("too many certificates");
      co_return co_await keep_certificates(call, std::move(certificates));
    }
    case wire::ATTEST_REQ_NONCE: co_return co_await give_nonce(call);
    case wire::ATTEST_REQ_QUOTE: {
      const std::string quote = asked.quote().SerializeAsString();
      co_return co_await judge_quote(call, quote);
    }
    case wire::ATTEST_REQ_STORE_KEYS: {
      const std::string keys = asked.storagekeys().SerializeAsString();
      co_return co_await keep_storage_keys(call, keys);
    }
    default: co_return unprocessable("reqType is none of CERT, NONCE, QUOTE and STORE_KEYS");
  }
}

// Re-installing EVE makes these certificates anew while the node stays the same: refusing them would put it into maintenance mode. They are
// taken, and a change of one that was called immutable is told to the operator.
Task<net::Response> EveFace::keep_certificates(const Call& call, std::string certificates) {
  const auto before = newest(call.node, kCertificatesLog);
  if (!before) co_return unavailable(before.error());
  if (!before->empty() && *before != certificates)
    log::warning("a node's own certificates changed", {{"id", call.node.identity.external_id}, {"peer", call.request->peer.address}});
  if (*before != certificates) {
    auto stored = co_await store(call.node, kCertificatesLog, std::move(certificates), kHistory);
    if (!stored) co_return unavailable(stored.error());
  }
  wire::ZAttestResponse response;
  response.set_resptype(wire::ATTEST_RESP_CERT);
  std::string message = response.SerializeAsString();
  const int status = 201;
  co_return co_await answer(call, std::move(message), status);
}

Task<net::Response> EveFace::give_nonce(const Call& call) {
  std::string nonce(32, '\0');  // 12 to 32 octets are taken (protocol facts, EVE 2.2)
  const auto filled = parts_.random.fill(std::span(reinterpret_cast<std::uint8_t*>(nonce.data()), nonce.size()));
  if (!filled) co_return unavailable(filled.error());
  const std::size_t one = 1;
  auto stored = co_await store(call.node, kNonceLog, nonce, one);
  if (!stored) co_return unavailable(stored.error());
  wire::ZAttestResponse response;
  response.set_resptype(wire::ATTEST_RESP_NONCE);
  response.mutable_nonce()->set_nonce(nonce);
  std::string message = response.SerializeAsString();
  const int status = 201;
  co_return co_await answer(call, std::move(message), status);
}

EveFace::QuoteVerdict EveFace::verdict_of(const core::NodeRecord& node, const std::string& quote) const {
  wire::ZAttestQuote sent;
  static_cast<void>(sent.ParseFromString(quote));
  const auto certificates = newest(node, kCertificatesLog);
  const auto nonce = newest(node, kNonceLog);
  if (!certificates || !nonce) return {wire::QUOTE_FAILED, "the registry cannot be read", false};
  const auto key = quote_key(*certificates, parts_.codec);
  if (sent.attestdata().empty()) {
    // A node without a TPM has nothing to quote; one with a TPM has shown its certificate for quotes.
    if (key) return {wire::QUOTE_FAILED, "a node with a TPM sent no quote", false};
    return {wire::QUOTE_SUCCESS, "no TPM", false};
  }
  if (!key) return {wire::QUOTE_NO_CERT_FOUND, key.error().public_message, false};
  const auto read = read_quote(as_bytes(sent.attestdata()));
  if (!read) return {wire::QUOTE_FAILED, read.error().public_message, false};
  if (!parts_.crypto.verify_der(*key, as_bytes(sent.attestdata()), as_bytes(sent.signature())))
    return {wire::QUOTE_FAILED, "the quote is not signed by the node's quote key", false};
  if (nonce->empty() || !equal(read->extra_data, as_bytes(*nonce)))
    return {wire::QUOTE_NONCE_MISMATCH, "the quote is over another nonce than the newest", false};
  const auto own = newest(node, kTemplateLog);
  const auto common = parts_.field.newest({node.identity.factory, "eve-nodes", kTemplateLog}, 1);
  if (!own || !common) return {wire::QUOTE_FAILED, "the registry cannot be read", false};
  const std::string& text = !own->empty() ? *own : common->empty() ? *own : common->front().body;
  const auto wanted = text.empty() ? Result<PcrValues>(PcrValues{}) : read_pcr_template(text);
  if (!wanted) return {wire::QUOTE_FAILED, "the PCR template cannot be read", false};
  const std::string differs = why_values_differ(sent, *read, *wanted, parts_.codec);
  if (!differs.empty()) return {wire::QUOTE_FAILED, differs, false};
  return {wire::QUOTE_SUCCESS, wanted->empty() ? "quote verified" : "quote verified, registers as in the template", true};
}

// The integrity token is what later proves that this node was the one attested; only its hash is kept. A quoted node gets the keys of its
// disk back: after an update that changed the measured boot it cannot open it by itself.
Task<net::Response> EveFace::judge_quote(const Call& call, const std::string& quote) {
  const QuoteVerdict verdict = verdict_of(call.node, quote);
  wire::ZAttestResponse response;
  response.set_resptype(wire::ATTEST_RESP_QUOTE);
  wire::ZAttestQuoteResp& said = *response.mutable_quoteresp();
  said.set_response(static_cast<wire::ZAttestResponseCode>(verdict.code));
  if (verdict.code == wire::QUOTE_SUCCESS) {
    std::string token(32, '\0');
    const auto filled = parts_.random.fill(std::span(reinterpret_cast<std::uint8_t*>(token.data()), token.size()));
    if (!filled) co_return unavailable(filled.error());
    std::string hash = to_hex(parts_.codec.sha256(as_bytes(token)).view());
    const std::size_t one = 1;
    auto stored = co_await store(call.node, kTokenLog, std::move(hash), one);
    if (!stored) co_return unavailable(stored.error());
    said.set_integritytoken(token);
    if (verdict.quoted && !add_escrowed_keys(call.node, said))
      log::error("a node's escrowed keys cannot be opened", {{"id", call.node.identity.external_id}});
  } else {
    log::warning("attestation failed", {{"id", call.node.identity.external_id}, {"text", verdict.text}});
  }
  std::string note = (verdict.code == wire::QUOTE_SUCCESS ? "passed: " : "failed: ") + verdict.text;
  auto noted = co_await store(call.node, kAttestedLog, std::move(note), kHistory);
  if (!noted) co_return unavailable(noted.error());
  std::string message = response.SerializeAsString();
  const int status = 201;
  co_return co_await answer(call, std::move(message), status);
}

// False when there are keys that do not open.
bool EveFace::add_escrowed_keys(const core::NodeRecord& node, wire::ZAttestQuoteResp& response) const {
  const auto sealed = newest(node, kEscrowLog);
  if (!sealed) return false;
  if (sealed->empty()) return true;
  const auto opened = parts_.crypto.open(as_bytes(*sealed), escrow_label(node));
  wire::AttestStorageKeys keys;
  if (!opened || !keys.ParseFromArray(opened->data(), static_cast<int>(opened->size()))) return false;
  *response.mutable_keys() = keys.keys();
  return true;
}

Task<net::Response> EveFace::keep_storage_keys(const Call& call, const std::string& keys) {
  wire::AttestStorageKeys sent;
  if (!sent.ParseFromString(keys) || keys.size() > kMostKeyBytes) co_return unprocessable("storage_keys is too large");
  const auto token = newest(call.node, kTokenLog);
  if (!token) co_return unavailable(token.error());
  wire::ZAttestResponse response;
  response.set_resptype(wire::ATTEST_RESP_STORE_KEYS);
  const bool attested = !token->empty() && *token == to_hex(parts_.codec.sha256(as_bytes(sent.integritytoken())).view());
  response.mutable_storagekeysresp()->set_response(attested ? wire::STORE_SUCCESS : wire::STORE_ITOKEN_MISMATCH);
  if (attested) {
    sent.clear_integritytoken();
    const std::string plain = sent.SerializeAsString();
    auto sealed = parts_.crypto.seal(as_bytes(plain), escrow_label(call.node));
    if (!sealed) co_return unavailable(sealed.error());
    std::string body(as_text(*sealed));
    auto stored = co_await store(call.node, kEscrowLog, std::move(body), kHistory);
    if (!stored) co_return unavailable(stored.error());
  }
  std::string message = response.SerializeAsString();
  const int status = 201;
  co_return co_await answer(call, std::move(message), status);
}

}  // namespace birthmark::faces::eve
