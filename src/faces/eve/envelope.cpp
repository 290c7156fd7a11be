// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/envelope.h"

#include <eve.pb.h>
#include <algorithm>

#include "base/pem.h"
#include "base/text.h"

namespace birthmark::faces::eve {

namespace wire = birthmark::eve::wire;

namespace {

constexpr std::size_t kShortHash = 16, kLongHash = 32;
constexpr std::size_t kLongestWrapped = 16U << 10U;  // the facts say 10,240

void append_length(std::string& to, std::size_t length) {
  while (length >= 0x80U) {
    to.push_back(static_cast<char>(0x80U | (length & 0x7fU)));
    length >>= 7U;
  }
  to.push_back(static_cast<char>(length));
}

void append_field(std::string& to, char tag, std::string_view contents) {
  to.push_back(tag);
  append_length(to, contents.size());
  to.append(contents);
}

}  // namespace

Result<Envelope> open_envelope(std::string_view body) {
  wire::AuthContainer container;
  if (!container.ParseFromArray(body.data(), static_cast<int>(body.size())))
    return fail(ErrorCode::invalid, "the body is not an AuthContainer");
  if (!container.has_protectedpayload()) return fail(ErrorCode::invalid, "the AuthContainer has no protectedPayload");
  const std::size_t wanted = container.algo() == wire::HASH_SHA256_16BYTES   ? kShortHash
                             : container.algo() == wire::HASH_SHA256_32BYTES ? kLongHash
                                                                             : 0;
  if (wanted == 0) return fail(ErrorCode::forbidden, "algo is neither SHA256_16BYTES nor SHA256_32BYTES");
  if (container.sendercerthash().size() != wanted) return fail(ErrorCode::forbidden, "senderCertHash is not as long as algo says");
  Envelope envelope;
  envelope.payload = std::move(*container.mutable_protectedpayload()->mutable_payload());
  envelope.sender_hash = to_bytes(as_bytes(container.sendercerthash()));
  envelope.signature = to_bytes(as_bytes(container.signaturehash()));
  envelope.sender_certificate = std::move(*container.mutable_sendercert());
  return envelope;
}

Result<Bytes> read_wrapped_certificate(std::string_view wrapped) {
  if (wrapped.empty()) return fail(ErrorCode::invalid, "it is empty");
  if (wrapped.size() > kLongestWrapped) return fail(ErrorCode::invalid, "it is too long for a certificate");
  std::string pem(wrapped);
  if (!wrapped.starts_with("-----BEGIN")) {
    auto decoded = from_base64(wrapped);
    if (!decoded) return fail(ErrorCode::invalid, "it is not base64 of a PEM file");
    pem = as_text(*decoded);
  }
  auto block = decode_first_pem(pem);
  if (!block || block->label != "CERTIFICATE") return fail(ErrorCode::invalid, "it holds no PEM certificate");
  return std::move(block->contents);
}

bool is_hash_of(ByteView hash, const Sha256Digest& whole) {
  const bool sized = hash.size() == kShortHash || hash.size() == kLongHash;
  return sized && std::equal(hash.begin(), hash.end(), whole.octets.begin());
}

std::string make_envelope(std::string_view payload, ByteView sender_hash, ByteView signature) {
  std::string body;
  body.reserve(payload.size() + sender_hash.size() + signature.size() + 24);
  std::string inner;
  if (!payload.empty()) append_field(inner, 0x0a, payload);
  append_field(body, 0x0a, inner);
  body.append("\x10\x02", 2);
  append_field(body, 0x1a, as_text(sender_hash));
  append_field(body, 0x22, as_text(signature));
  return body;
}

}  // namespace birthmark::faces::eve
