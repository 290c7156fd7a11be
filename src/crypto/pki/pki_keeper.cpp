// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/pki_keeper.h"

#include <algorithm>
#include <mutex>

#include "base/log.h"
#include "base/run_task.h"
#include "crypto/csr_builder.h"
#include "crypto/pki/certificate.h"

namespace birthmark::crypto {
namespace {

using core::AuthorityRecord;
using core::AuthorityRole;
using core::AuthorityState;

// Judging and applying are two steps, and so are looking for a pending key and making one: nobody else in the same server, by whichever
// door, may come between them.
std::mutex installation;

void append(std::vector<Artefact>& artefacts, std::string name, const std::string& contents, ArtefactKind kind) {
  if (!contents.empty()) artefacts.push_back({std::move(name), contents, kind});
}

Result<std::string> tls_request(const PrivateKey& key, const std::string& factory, std::vector<std::string> hosts) {
  CsrSubject subject;
  subject.common_name = hosts.front();
  subject.organizational_unit = factory;
  // The gateway's name first, then ostree's: clients of the registration reference tell them apart by their order (Foundries 1.7).
  subject.dns_names = std::move(hosts);
  return make_csr_pem(key, subject);
}

Result<std::string> online_ca_request(const PrivateKey& key, const std::string& factory) {
  CsrSubject subject;
  subject.common_name = "fio-online-ca";
  subject.organizational_unit = factory;
  return make_csr_pem(key, subject);
}

}  // namespace

Result<std::vector<AuthorityRecord>> PkiKeeper::authorities() const {
  BIRTHMARK_TRY(auto records, parts_.registry.authorities());
  std::erase_if(records, [&](const AuthorityRecord& record) { return record.factory != parts_.factory; });
  return records;
}

Result<TrustJudgement> PkiKeeper::put_in_force(const std::vector<Artefact>& artefacts, TrustSituation situation) {
  BIRTHMARK_TRY(situation.authorities, authorities());
  situation.factory = parts_.factory;
  situation.held_keys = parts_.held_keys();
  situation.now = parts_.clock.now();
  BIRTHMARK_TRY(TrustJudgement judgement, judge_trust_change(situation, parts_.codec, artefacts));
  for (const KeyToKeep& key : judgement.keys) BIRTHMARK_CHECK(parts_.keys.keep(key.file_name, key.pem));
  if (!judgement.change.upserts.empty()) {
    core::TrustChange change = judgement.change;
    BIRTHMARK_CHECK(run_task(parts_.registry.apply(std::move(change))));
  }
  if (judgement.changes_anything()) BIRTHMARK_CHECK(parts_.reload());
  return judgement;
}

Result<TrustJudgement> PkiKeeper::install(const std::vector<Artefact>& artefacts, const std::string& actor) {
  const std::lock_guard alone(installation);
  TrustSituation situation;
  situation.actor = actor;
  return put_in_force(artefacts, std::move(situation));
}

Status PkiKeeper::submit(const core::PkiSubmission& submission, const std::string& actor) {
  const std::lock_guard alone(installation);
  std::vector<Artefact> artefacts;
  append(artefacts, "root-crt", submission.root, ArtefactKind::root);
  append(artefacts, "ca-crt", submission.device_cas, ArtefactKind::device_cas);
  append(artefacts, "tls-crt", submission.tls, ArtefactKind::tls);
  append(artefacts, "est-tls-crt", submission.est_tls, ArtefactKind::est_tls);
  append(artefacts, "ca-revoke-crl", submission.crl, ArtefactKind::crl);
  TrustSituation situation;
  situation.actor = actor;
  situation.knows_user = parts_.knows_user;
  const auto judged = put_in_force(artefacts, std::move(situation));
  if (!judged) return tl::make_unexpected(judged.error());
  for (const std::string& warning : judged->warnings) log::warning("PKI by API", {{"warning", warning}, {"actor", actor}});
  for (const std::string& note : judged->notes) log::info("PKI by API", {{"note", note}, {"actor", actor}});
  return {};
}

Result<core::PkiStanding> PkiKeeper::standing() const {
  BIRTHMARK_TRY(const auto records, authorities());
  core::PkiStanding standing;
  for (const AuthorityRecord& record : records) {
    BIRTHMARK_TRY(const Certificate certificate, Certificate::from_der(record.der));
    if (!standing.updated_at || *standing.updated_at < record.changed_at) standing.updated_at = record.changed_at;
    switch (record.role) {
      case AuthorityRole::root:
        standing.initialised = true;
        standing.root = certificate.pem();
        standing.created_at = record.changed_at;
        break;
      case AuthorityRole::device_ca:
        if (record.state == AuthorityState::revoked) break;
        standing.device_cas.append(standing.device_cas.empty() ? "" : "\n").append(certificate.pem());
        if (record.state == AuthorityState::disabled) standing.disabled_serials.push_back(certificate.serial_decimal());
        break;
      case AuthorityRole::tls_server:
        if (record.state == AuthorityState::active) standing.tls = certificate.pem();
        break;
      case AuthorityRole::est_server:
        if (record.state == AuthorityState::active) standing.est_tls = certificate.pem();
        break;
      case AuthorityRole::gateway_ca: break;  // none of the fleet's
    }
  }
  return standing;
}

// A key that has no certificate yet is offered again, so that a ceremony that was stopped half-way can simply be repeated and a certificate
// that comes late still finds its key. One that is, or was, in use never is.
Result<PrivateKey> PkiKeeper::pending_key(KeyPurpose purpose, const std::vector<AuthorityRecord>& known) {
  std::vector<SpkiHash> used;
  for (const AuthorityRecord& record : known) {
    BIRTHMARK_TRY(const Certificate certificate, Certificate::from_der(record.der));
    used.push_back(certificate.spki_sha256());
  }
  for (const HeldKey& held : parts_.keys.held()) {
    const bool pending = has_purpose(held.file_name, purpose) && std::find(used.begin(), used.end(), held.spki) == used.end();
    if (pending) return parts_.keys.load(held.file_name);
  }
  return parts_.keys.make(purpose);
}

Result<core::CertificateRequests> PkiKeeper::request(const core::CertificateOrder& order, const std::string& actor) {
  const std::lock_guard alone(installation);
  BIRTHMARK_TRY(const auto known, authorities());
  const bool initialised = std::any_of(known.begin(), known.end(), [](const auto& record) { return record.role == AuthorityRole::root; });
  if (order.first_time && initialised) {
    return fail(ErrorCode::conflict,
                "the factory's PKI is set up already: its root is set once; rotate-tls, add-device-ca and est change the rest");
  }
  core::CertificateRequests requests;
  if (order.tls) {
    BIRTHMARK_TRY(const PrivateKey key, pending_key(KeyPurpose::tls, known));
    BIRTHMARK_TRY(requests.tls, tls_request(key, parts_.factory, {parts_.hosts.gateway, parts_.hosts.ostree}));
  }
  if (order.online_ca) {
    BIRTHMARK_TRY(const PrivateKey key, pending_key(KeyPurpose::online_ca, known));
    BIRTHMARK_TRY(requests.online_ca, online_ca_request(key, parts_.factory));
  }
  if (order.est_tls) {
    BIRTHMARK_TRY(const PrivateKey key, pending_key(KeyPurpose::est_tls, known));
    BIRTHMARK_TRY(requests.est_tls, tls_request(key, parts_.factory, {parts_.hosts.est}));
  }
  log::info("certificate requests handed out", {{"actor", actor}});
  return requests;
}

}  // namespace birthmark::crypto
