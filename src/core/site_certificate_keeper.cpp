// SPDX-License-Identifier: Apache-2.0
#include "core/site_certificate_keeper.h"

#include "base/text.h"
#include "core/token_keeper.h"

namespace birthmark::core {

Task<Result<SiteCertificate>> SiteCertificateKeeper::add(SiteCertificate certificate, OperatorAct act) {
  if (auto named = check_station_name(certificate.holder); !named) co_return forward_error(named);
  certificate.created_at = clock_.now();
  const bool station = certificate.role == HolderRole::station;
  std::string body = audit_body(station ? AuditEvent::station_added : AuditEvent::operator_added, certificate.created_at,
                                {{"factory", certificate.factory},
                                 {"name", certificate.holder},
                                 {"serial", certificate.serial.hex()},
                                 {"certificate", to_hex(certificate.fingerprint.view())},
                                 {"not_after", format_rfc3339(certificate.not_after)},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  co_return co_await certificates_.add_certificate(std::move(certificate), std::move(body));
}

Task<Result<std::uint64_t>> SiteCertificateKeeper::revoke(HolderCertificates which, OperatorAct act) {
  const Instant now = clock_.now();
  const std::string role(to_string(which.role));
  const std::string missing = "there is no " + role + ' ' + which.holder + " with a certificate" +
                              (which.serial ? ' ' + which.serial->hex() : std::string()) + " that could be revoked";
  std::string body = audit_body(which.role == HolderRole::station ? AuditEvent::station_revoked : AuditEvent::operator_revoked, now,
                                {{"factory", which.factory},
                                 {"name", which.holder},
                                 {"serial", which.serial ? which.serial->hex() : "all"},
                                 {"reason", act.reason},
                                 {"actor", act.actor}});
  auto revoked = co_await certificates_.revoke_certificates(std::move(which), now, std::move(body));
  if (revoked && *revoked == 0) co_return fail(ErrorCode::not_found, missing);
  co_return revoked;
}

}  // namespace birthmark::core
