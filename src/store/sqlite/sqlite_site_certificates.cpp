// SPDX-License-Identifier: Apache-2.0
// Certificates of stations and operators: the adapter, and what its calls mean inside a transaction.
#include "store/sqlite/sqlite_site_certificates.h"

#include "store/registry_rules.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/write_call.h"

namespace birthmark::store {
namespace {

constexpr char kAll[] = R"(
SELECT f.name, c.role, c.holder, c.fingerprint, c.serial, c.created_at, c.not_after, c.revoked_at
FROM site_certificate c JOIN factory f ON f.id = c.factory ORDER BY c.id)";
constexpr char kTaken[] = "SELECT 1 FROM site_certificate WHERE fingerprint = ?1";
constexpr char kInsert[] =
    "INSERT INTO site_certificate (factory, role, holder, fingerprint, serial, created_at, not_after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
constexpr char kRevoke[] = R"(
UPDATE site_certificate SET revoked_at = ?5
WHERE factory = ?1 AND role = ?2 AND holder = ?3 AND (?4 IS NULL OR serial = ?4) AND revoked_at IS NULL)";

core::SiteCertificate read_certificate(Statement& row) {
  core::SiteCertificate certificate;
  certificate.factory = row.text(0);
  certificate.role = static_cast<core::HolderRole>(row.integer(1));
  certificate.holder = row.text(2);
  certificate.fingerprint = Fingerprint::from(row.blob(3)).value_or(Fingerprint{});
  certificate.serial = Serial::from_magnitude(row.blob(4)).value_or(Serial{});
  certificate.created_at = from_unix_ms(row.integer(5));
  certificate.not_after = from_unix_ms(row.integer(6));
  certificate.revoked_at = read_optional_instant(row, 7);
  return certificate;
}

}  // namespace

// --- inside the transaction ----------------------------------------------------------------------------------------------------------

Result<core::SiteCertificate> Ledger::add_site_certificate(const core::SiteCertificate& certificate, const std::string& audit_body) {
  BIRTHMARK_TRY(Statement * taken, prepared(kTaken));
  {
    const Statement::Use use(*taken);
    taken->bind(1, certificate.fingerprint.view());
    BIRTHMARK_TRY(const bool found, step(*taken));
    if (found) return certificate_taken(certificate.serial.hex());
  }
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(certificate.factory));
  BIRTHMARK_TRY(Statement * insert, prepared(kInsert));
  insert->bind(1, factory);
  insert->bind(2, static_cast<std::int64_t>(certificate.role));
  insert->bind(3, std::string_view(certificate.holder));
  insert->bind(4, certificate.fingerprint.view());
  insert->bind(5, certificate.serial.magnitude());
  insert->bind(6, to_unix_ms(certificate.created_at));
  insert->bind(7, to_unix_ms(certificate.not_after));
  BIRTHMARK_CHECK(run(*insert));
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  return certificate;
}

Result<std::uint64_t> Ledger::revoke_site_certificates(const core::HolderCertificates& which, Instant at, const std::string& audit_body) {
  BIRTHMARK_TRY(const std::int64_t factory, factory_row(which.factory));
  BIRTHMARK_TRY(Statement * update, prepared(kRevoke));
  update->bind(1, factory);
  update->bind(2, static_cast<std::int64_t>(which.role));
  update->bind(3, std::string_view(which.holder));
  if (which.serial)
    update->bind(4, which.serial->magnitude());
  else
    update->bind_null(4);
  update->bind(5, to_unix_ms(at));
  BIRTHMARK_CHECK(run(*update));
  const auto revoked = static_cast<std::uint64_t>(connection_.changes());
  if (revoked == 0) return revoked;
  BIRTHMARK_CHECK(append_audit(audit_body));
  ++state_.figures.trust_epoch;
  return revoked;
}

// --- the adapter -----------------------------------------------------------------------------------------------------------------------

Task<Result<core::SiteCertificate>> SqliteSiteCertificates::add_certificate(core::SiteCertificate certificate, std::string audit_body) {
  return write_call<core::SiteCertificate>(writer_, [certificate = std::move(certificate), audit_body = std::move(audit_body)](
                                                        Ledger& ledger) { return ledger.add_site_certificate(certificate, audit_body); });
}

Task<Result<std::uint64_t>> SqliteSiteCertificates::revoke_certificates(core::HolderCertificates which, Instant at,
                                                                        std::string audit_body) {
  return write_call<std::uint64_t>(writer_, [which = std::move(which), at, audit_body = std::move(audit_body)](Ledger& ledger) {
    return ledger.revoke_site_certificates(which, at, audit_body);
  });
}

Result<std::vector<core::SiteCertificate>> SqliteSiteCertificates::site_certificates() {
  return readers_.with(kAll, [](Statement& row) -> Result<std::vector<core::SiteCertificate>> {
    std::vector<core::SiteCertificate> all;
    for (;;) {
      BIRTHMARK_TRY(const bool found, row.step());
      if (!found) return all;
      all.push_back(read_certificate(row));
    }
  });
}

}  // namespace birthmark::store
