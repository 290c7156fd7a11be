// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/crl.h"

#include <algorithm>
#include <set>

#include "base/pem.h"

namespace birthmark::crypto {
namespace {

constexpr int kVersion2 = 1;
constexpr std::size_t kMostEntries = 10'000;

using EnumeratedHandle = std::unique_ptr<ASN1_ENUMERATED, Freer<ASN1_ENUMERATED_free>>;
using AuthorityKeyIdHandle = std::unique_ptr<AUTHORITY_KEYID, Freer<AUTHORITY_KEYID_free>>;

tl::unexpected<Error> construction_failed() {
  return openssl_failure(ErrorCode::internal, "the CRL could not be put together");
}

Result<Asn1IntegerHandle> to_integer(const std::string& decimal) {
  BIGNUM* number = nullptr;
  const bool digits = !decimal.empty() && std::all_of(decimal.begin(), decimal.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int used = digits ? BN_dec2bn(&number, decimal.c_str()) : 0;
  const BignumHandle owned(number);
  if (used == 0) return fail(ErrorCode::invalid, "'" + decimal + "' is not a serial number in base 10");
  Asn1IntegerHandle integer(BN_to_ASN1_INTEGER(number, nullptr));
  if (!integer) return construction_failed();
  return integer;
}

Status add_entry(X509_CRL* crl, const CrlEntry& entry, const ASN1_TIME* when) {
  BIRTHMARK_TRY(const Asn1IntegerHandle serial, to_integer(entry.serial_decimal));
  X509RevokedHandle revoked(X509_REVOKED_new());
  const EnumeratedHandle reason(ASN1_ENUMERATED_new());
  if (!revoked || !reason || ASN1_ENUMERATED_set(reason.get(), entry.reason) != 1) return construction_failed();
  ASN1_TIME* date = ASN1_STRING_dup(when);
  const bool made = date != nullptr && X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) == 1 &&
                    X509_REVOKED_set_revocationDate(revoked.get(), date) == 1 &&
                    X509_REVOKED_add1_ext_i2d(revoked.get(), NID_crl_reason, reason.get(), 0, X509V3_ADD_APPEND) == 1;
  ASN1_TIME_free(date);
  if (!made || X509_CRL_add0_revoked(crl, revoked.get()) != 1) return construction_failed();
  static_cast<void>(revoked.release());
  return {};
}

Status add_crl_extensions(X509_CRL* crl, const Certificate& root, std::uint64_t number) {
  const Bytes key_id = root.key_identifier();
  const AuthorityKeyIdHandle authority(AUTHORITY_KEYID_new());
  const Asn1IntegerHandle serial(ASN1_INTEGER_new());
  if (!authority || !serial) return construction_failed();
  authority->keyid = ASN1_OCTET_STRING_new();
  const bool made = authority->keyid != nullptr &&
                    ASN1_OCTET_STRING_set(authority->keyid, key_id.data(), static_cast<int>(key_id.size())) == 1 &&
                    X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority.get(), 0, X509V3_ADD_APPEND) == 1 &&
                    ASN1_INTEGER_set_uint64(serial.get(), number) == 1 &&
                    X509_CRL_add1_ext_i2d(crl, NID_crl_number, serial.get(), 0, X509V3_ADD_APPEND) == 1;
  if (!made) return construction_failed();
  return {};
}

Result<Bytes> signed_der(X509_CRL* crl, const PrivateKey& key) {
  if (X509_CRL_sign(crl, key.get(), digest_for(key)) <= 0) return openssl_failure(ErrorCode::internal, "signing the CRL failed");
  unsigned char* der = nullptr;
  const int size = i2d_X509_CRL(crl, &der);
  if (size <= 0) return construction_failed();
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

bool has_critical_extension(const X509_CRL* crl) {
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)) != 0) return true;
  }
  return false;
}

bool has_critical_extension(const X509_REVOKED* entry) {
  for (int i = 0; i < X509_REVOKED_get_ext_count(entry); ++i) {
    if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, i)) != 0) return true;
  }
  return false;
}

Result<CrlEntry> read_entry(const X509_REVOKED* revoked) {
  if (has_critical_extension(revoked)) return fail(ErrorCode::invalid, "an entry of the CRL has a critical extension");
  CrlEntry entry{integer_decimal(X509_REVOKED_get0_serialNumber(revoked)), 0};
  int critical = -1;
  const EnumeratedHandle reason(static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, &critical, nullptr)));
  if (!reason && critical != -1) return openssl_failure(ErrorCode::invalid, "the reason of a CRL entry cannot be read");
  if (!reason) return entry;
  const long number = ASN1_ENUMERATED_get(reason.get());
  if (number < 0 || number > 10) return fail(ErrorCode::invalid, "the reason of a CRL entry is none of RFC 5280");
  entry.reason = static_cast<int>(number);
  return entry;
}

std::optional<std::uint64_t> read_number(const X509_CRL* crl) {
  const Asn1IntegerHandle number(static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl, NID_crl_number, nullptr, nullptr)));
  std::uint64_t value = 0;
  if (!number || ASN1_INTEGER_get_uint64(&value, number.get()) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return value;
}

}  // namespace

CaVerdict verdict_of(int reason) {
  if (reason == kReasonDisable) return CaVerdict::disable;
  return reason == kReasonEnable ? CaVerdict::enable : CaVerdict::revoke;
}

int reason_of(CaVerdict verdict) {
  switch (verdict) {
    case CaVerdict::disable: return kReasonDisable;
    case CaVerdict::enable: return kReasonEnable;
    case CaVerdict::revoke: break;
  }
  return kReasonRevoke;
}

std::string_view to_string(CaVerdict verdict) {
  switch (verdict) {
    case CaVerdict::disable: return "disable";
    case CaVerdict::enable: return "enable";
    case CaVerdict::revoke: break;
  }
  return "revoke";
}

Result<Crl> Crl::from_der(ByteView der) {
  const unsigned char* at = der.data();
  X509CrlHandle raw(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (!raw) return openssl_failure(ErrorCode::invalid, "the CRL cannot be read");
  if (at != der.data() + der.size()) return fail(ErrorCode::invalid, "something follows the CRL");
  const ASN1_TIME* last = X509_CRL_get0_lastUpdate(raw.get());
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(raw.get());
  if (ASN1_TIME_check(last) != 1 || (next != nullptr && ASN1_TIME_check(next) != 1)) {
    return fail(ErrorCode::invalid, "the CRL's validity cannot be read");
  }
  if (has_critical_extension(raw.get())) return fail(ErrorCode::invalid, "the CRL has a critical extension");
  Crl crl(std::move(raw), to_bytes(der));
  crl.this_update_ = to_instant(last);
  if (next != nullptr) crl.next_update_ = to_instant(next);
  crl.number_ = read_number(crl.get());
  BIRTHMARK_CHECK(crl.read_entries());
  return crl;
}

Status Crl::read_entries() {
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl_.get());
  const int count = revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
  if (static_cast<std::size_t>(std::max(count, 0)) > kMostEntries) return fail(ErrorCode::too_large, "the CRL has too many entries");
  std::set<std::string> seen;
  for (int i = 0; i < count; ++i) {
    BIRTHMARK_TRY(CrlEntry entry, read_entry(sk_X509_REVOKED_value(revoked, i)));
    if (!seen.insert(entry.serial_decimal).second)
      return fail(ErrorCode::invalid, "the CRL names serial " + entry.serial_decimal + " twice");
    entries_.push_back(std::move(entry));
  }
  return {};
}

std::string Crl::pem() const {
  return encode_pem("X509 CRL", der_);
}

bool Crl::is_signed_by(const Certificate& root) const {
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl_.get()), X509_get_subject_name(root.get())) != 0) return false;
  const bool fits = X509_CRL_verify(crl_.get(), X509_get0_pubkey(root.get())) == 1;
  ERR_clear_error();
  return fits;
}

Result<Crl> make_crl(const RootAuthority& root, const CrlRequest& request) {
  if (request.valid_for < std::chrono::seconds(1)) return fail(ErrorCode::invalid, "a CRL must be valid for at least one second");
  const X509CrlHandle crl(X509_CRL_new());
  const Asn1TimeHandle now = to_asn1_time(request.now);
  const Asn1TimeHandle until = to_asn1_time(request.now + request.valid_for);
  if (!crl || !now || !until) return construction_failed();
  const bool begun = X509_CRL_set_version(crl.get(), kVersion2) == 1 &&
                     X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(root.certificate.get())) == 1 &&
                     X509_CRL_set1_lastUpdate(crl.get(), now.get()) == 1 && X509_CRL_set1_nextUpdate(crl.get(), until.get()) == 1;
  if (!begun) return construction_failed();
  for (const CrlEntry& entry : request.entries) BIRTHMARK_CHECK(add_entry(crl.get(), entry, now.get()));
  BIRTHMARK_CHECK(add_crl_extensions(crl.get(), root.certificate, request.number));
  BIRTHMARK_TRY(const Bytes der, signed_der(crl.get(), root.key));
  BIRTHMARK_TRY(Crl made, Crl::from_der(der));
  if (!made.is_signed_by(root.certificate)) return openssl_failure(ErrorCode::internal, "the CRL's new signature does not verify");
  return made;
}

}  // namespace birthmark::crypto
