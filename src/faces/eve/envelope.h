// SPDX-License-Identifier: Apache-2.0
// EVE's signed envelopes (protocol facts, EVE section 3): taken apart, and made. Who may have signed is for the caller to know.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "core/ports/node_crypto.h"
#include "core/ports/x509_codec.h"

namespace birthmark::faces::eve {

struct Envelope {
  std::string payload;  // may be empty
  Bytes sender_hash;    // of the sender's certificate: 16 or 32 octets, as its algorithm says
  Bytes signature;
  std::string sender_certificate;  // base64 of a PEM file; only /register has it
};

// `invalid`: no AuthContainer, or one whose algorithm and hash do not belong together.
[[nodiscard]] Result<Envelope> open_envelope(std::string_view body);

// A certificate as EVE sends it inside messages: base64 (RFC 4648, no line breaks) of a PEM file; the PEM itself is accepted too. DER.
[[nodiscard]] Result<Bytes> read_wrapped_certificate(std::string_view wrapped);

// Whether `hash`, in either length, is that of `whole`.
[[nodiscard]] bool is_hash_of(ByteView hash, const Sha256Digest& whole);

// The bytes of an envelope around `payload`; `signature` is r then s, `sender_hash` 32 octets.
[[nodiscard]] std::string make_envelope(std::string_view payload, ByteView sender_hash, ByteView signature);

}  // namespace birthmark::faces::eve
