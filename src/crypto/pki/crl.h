// SPDX-License-Identifier: Apache-2.0
// CRLs as signed commands about device CAs: revoke, disable, enable (protocol facts, Foundries 1.6). Made by the PKI owner's tool, read
// by `ca install` and by the factory API.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/profiles.h"

namespace birthmark::crypto {

// CRLReason numbers of RFC 5280 5.3.1 that are the vocabulary here. Every other one revokes.
inline constexpr int kReasonDisable = 6;  // certificateHold: no new registrations, known devices go on
inline constexpr int kReasonEnable = 8;   // removeFromCRL: takes a disable back
inline constexpr int kReasonRevoke = 9;   // privilegeWithdrawn: for good

enum class CaVerdict { revoke, disable, enable };
[[nodiscard]] CaVerdict verdict_of(int reason);
[[nodiscard]] int reason_of(CaVerdict verdict);
[[nodiscard]] std::string_view to_string(CaVerdict verdict);

struct CrlEntry {
  std::string serial_decimal;
  int reason = 0;  // 0 also when the entry has none
};

class Crl {
 public:
  // Refuses critical extensions and repeated serials: an indirect or partial CRL would mean something else than it seems to.
  [[nodiscard]] static Result<Crl> from_der(ByteView der);

  [[nodiscard]] const Bytes& der() const { return der_; }
  [[nodiscard]] std::string pem() const;
  [[nodiscard]] X509_CRL* get() const { return crl_.get(); }
  [[nodiscard]] Instant this_update() const { return this_update_; }
  [[nodiscard]] std::optional<Instant> next_update() const { return next_update_; }
  [[nodiscard]] const std::vector<CrlEntry>& entries() const { return entries_; }
  // cRLNumber where it is present and fits; fioctl writes 1 every time.
  [[nodiscard]] std::optional<std::uint64_t> number() const { return number_; }
  // Issuer name and signature fit; cRLSign is not asked of the root (protocol facts, Foundries 1.5).
  [[nodiscard]] bool is_signed_by(const Certificate& root) const;

 private:
  Crl(X509CrlHandle crl, Bytes der) : crl_(std::move(crl)), der_(std::move(der)) {}
  [[nodiscard]] Status read_entries();
  X509CrlHandle crl_;
  Bytes der_;
  Instant this_update_;
  std::optional<Instant> next_update_;
  std::vector<CrlEntry> entries_;
  std::optional<std::uint64_t> number_;
};

struct CrlRequest {
  std::vector<CrlEntry> entries;
  std::uint64_t number = 1;  // must rise from one CRL to the next
  Instant now;
  Duration valid_for{};
};

// v2, extensions authorityKeyIdentifier then cRLNumber; reasonCode non-critical in each entry.
[[nodiscard]] Result<Crl> make_crl(const RootAuthority& root, const CrlRequest& request);

}  // namespace birthmark::crypto
