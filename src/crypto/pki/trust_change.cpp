// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/trust_change.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "core/audit.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/crl.h"
#include "crypto/pki/key_shelf.h"
#include "crypto/pki/pki_directory.h"
#include "crypto/pki/trust_artefacts.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {
namespace {

using core::AuthorityRecord;
using core::AuthorityRole;
using core::AuthorityState;

// A certificate that the server trusts, or will: its row, and what this set does to it.
struct Known {
  AuthorityRecord record;
  Certificate certificate;
  bool changed = false;
};

std::string describe(const Certificate& certificate) {
  return certificate.subject_text() + " (serial " + certificate.serial_decimal() + ")";
}

// One set of artefacts against one situation.
class Judge {
 public:
  Judge(const TrustSituation& situation, const core::X509Codec& codec) : situation_(situation), codec_(codec) {}

  Result<TrustJudgement> run(const std::vector<Artefact>& artefacts) {
    BIRTHMARK_CHECK(recall());
    BIRTHMARK_TRY(handed_, take_apart(artefacts));
    // The root first: everything else is measured by it. CRLs after the CAs they may name.
    BIRTHMARK_CHECK(judge_roots());
    BIRTHMARK_CHECK(judge_device_cas());
    BIRTHMARK_CHECK(judge_tls(AuthorityRole::tls_server));
    BIRTHMARK_CHECK(judge_tls(AuthorityRole::est_server));
    BIRTHMARK_CHECK(judge_crls());
    BIRTHMARK_CHECK(judge_whole_bundle());
    BIRTHMARK_CHECK(judge_keys());
    for (const Known& known : known_) {
      if (known.changed) judgement_.change.upserts.push_back(known.record);
    }
    return std::move(judgement_);
  }

 private:
  Status recall() {
    for (const AuthorityRecord& record : situation_.authorities) {
      if (record.factory != situation_.factory) continue;
      auto certificate = Certificate::from_der(record.der);
      if (!certificate) return fail(ErrorCode::internal, "a certificate in the registry cannot be read", certificate.error().describe());
      known_.push_back({record, std::move(*certificate), false});
    }
    return {};
  }

  // --- root ----------------------------------------------------------------------------------------------------------------------

  [[nodiscard]] const Certificate* root() const {
    for (const Known& known : known_) {
      if (known.record.role == AuthorityRole::root) return &known.certificate;
    }
    return nullptr;
  }

  Status judge_roots() {
    for (const HandedCertificate& handed : handed_.certificates) {
      if (handed.certificate.is_self_signed()) BIRTHMARK_CHECK(judge_root(handed));
    }
    const bool needed = !handed_.certificates.empty() || !handed_.crls.empty();
    if (root() == nullptr && needed && situation_.knows_user) {  // what an operator has to mend, a caller of the API has to bring
      return fail(ErrorCode::conflict, "the factory has no PKI yet: root-crt comes first, or together with the others");
    }
    if (root() == nullptr && needed) {
      return fail(ErrorCode::misconfigured, "this server has no root yet: install factory_ca.pem first or with the others");
    }
    return {};
  }

  Status judge_root(const HandedCertificate& handed) {
    const Certificate& candidate = handed.certificate;
    if (!candidate.is_ca()) return refuse(handed.from, "a self-signed certificate that is no CA is not a factory's root");
    BIRTHMARK_CHECK(check_factory(handed));
    if (const Certificate* present = root()) {
      if (*present == candidate) return note(handed.from, "the root is already installed");
      return refuse(handed.from, "this server has another root (" + describe(*present) + "); a root is set once", ErrorCode::conflict);
    }
    BIRTHMARK_CHECK(check_not_expired(handed));
    return add(handed, AuthorityRole::root);
  }

  // --- what every certificate must satisfy -----------------------------------------------------------------------------------------

  Status check_factory(const HandedCertificate& handed) const {
    const std::vector<std::string> units = handed.certificate.organizational_units();
    if (units == std::vector<std::string>{situation_.factory}) return {};
    return refuse(handed.from, handed.certificate.subject_text() + " is not of this factory: its OU must be '" + situation_.factory + "'");
  }

  Status check_not_expired(const HandedCertificate& handed) const {
    if (situation_.now < handed.certificate.not_after()) return {};
    return refuse(handed.from, handed.certificate.subject_text() + " expired at " + format_rfc3339(handed.certificate.not_after()));
  }

  Status check_signed_by_root(const HandedCertificate& handed) const {
    if (handed.certificate.is_signed_by(*root())) return {};
    return refuse(handed.from, handed.certificate.subject_text() + " is not signed by this factory's root");
  }

  Known* find(const Certificate& certificate, AuthorityRole role) {
    for (Known& known : known_) {
      if (known.record.role == role && known.certificate == certificate) return &known;
    }
    return nullptr;
  }

  // --- device CAs ------------------------------------------------------------------------------------------------------------------

  Status judge_device_cas() {
    for (const HandedCertificate& handed : handed_.certificates) {
      if (handed.certificate.is_ca() && !handed.certificate.is_self_signed()) BIRTHMARK_CHECK(judge_device_ca(handed));
    }
    return {};
  }

  Status judge_device_ca(const HandedCertificate& handed) {
    const Certificate& candidate = handed.certificate;
    BIRTHMARK_CHECK(check_signed_by_root(handed));
    BIRTHMARK_CHECK(check_factory(handed));
    if (candidate.subject_der() == root()->subject_der() || candidate.spki_sha256() == root()->spki_sha256()) {
      return refuse(handed.from, "a device CA must have a name and a key of its own, not the root's");
    }
    BIRTHMARK_CHECK(check_not_revoked(handed));
    if (const Known* present = find(candidate, AuthorityRole::device_ca)) {
      return note(handed.from,
                  "device CA " + describe(candidate) + " is already installed, " + std::string(to_string(present->record.state)));
    }
    BIRTHMARK_CHECK(check_serial_is_free(handed));
    BIRTHMARK_CHECK(check_not_expired(handed));
    BIRTHMARK_CHECK(check_owner(handed));
    return add(handed, AuthorityRole::device_ca);
  }

  // By key, not by certificate: what a revoked CA signed would verify under any certificate for the same key.
  Status check_not_revoked(const HandedCertificate& handed) const {
    for (const Known& known : known_) {
      if (known.record.role != AuthorityRole::device_ca || known.record.state != AuthorityState::revoked) continue;
      if (known.certificate.spki_sha256() != handed.certificate.spki_sha256()) continue;
      return refuse(handed.from, "device CA " + describe(known.certificate) + " was revoked, and that is permanent");
    }
    return {};
  }

  // CRLs name CAs by serial alone.
  Status check_serial_is_free(const HandedCertificate& handed) const {
    for (const Known& known : known_) {
      if (known.record.role != AuthorityRole::device_ca) continue;
      if (known.certificate.serial_decimal() != handed.certificate.serial_decimal()) continue;
      return refuse(handed.from, "another device CA has the same serial: " + describe(known.certificate));
    }
    return {};
  }

  // What is handed in as the bundle of device CAs holds all that are trusted, and may hold more: only a CRL takes one away (Foundries 1.6).
  Status judge_whole_bundle() const {
    const auto& handed = handed_.certificates;
    const auto bundle = std::find_if(handed.begin(), handed.end(), [](const auto& one) { return one.kind == ArtefactKind::device_cas; });
    if (bundle == handed.end()) return {};
    for (const Known& known : known_) {
      if (known.record.role != AuthorityRole::device_ca || known.record.state == AuthorityState::revoked) continue;
      const bool present = std::any_of(handed.begin(), handed.end(), [&](const auto& one) { return one.certificate == known.certificate; });
      if (present) continue;
      return refuse(bundle->from,
                    "the bundle lacks device CA " + describe(known.certificate) +
                        ", which is trusted: it may only grow; a CRL with another reason than 6 and 8 takes a CA away",
                    ErrorCode::conflict);
    }
    return {};
  }

  // The CN of a local CA names the owner of its devices (Foundries 1.7); that of an online CA is the service's choice.
  Status check_owner(const HandedCertificate& handed) {
    const std::vector<std::string> names = handed.certificate.common_names();
    const bool names_owner = names.size() == 1 && names.front().starts_with("fio-") && names.front().size() > 4;
    if (situation_.knows_user) return check_known_owner(handed, names_owner ? names.front().substr(4) : std::string());
    if (names_owner) return {};
    if (handed.in_bundle || is_online_ca(handed)) {
      judgement_.warnings.push_back(handed.from + ": the CN of " + handed.certificate.subject_text() + " does not begin with fio-");
      return {};
    }
    return refuse(handed.from, "the CN of a local device CA must be fio-<owner>, not " + handed.certificate.subject_text());
  }

  Status check_known_owner(const HandedCertificate& handed, const std::string& owner) const {
    if (has_key_for(handed, KeyPurpose::online_ca)) return {};
    if (!owner.empty() && situation_.knows_user(owner)) return {};
    return refuse(handed.from,
                  "device CA " + describe(handed.certificate) +
                      ": its key was not made here as a pending online CA, so its CN must be fio-<id of a user of the factory>");
  }

  [[nodiscard]] bool has_key_for(const HandedCertificate& handed, KeyPurpose purpose) const {
    const SpkiHash key = handed.certificate.spki_sha256();
    return std::any_of(situation_.held_keys.begin(), situation_.held_keys.end(),
                       [&](const auto& held) { return held.second == key && has_purpose(held.first, purpose); });
  }

  [[nodiscard]] bool is_online_ca(const HandedCertificate& handed) const {
    if (std::filesystem::path(handed.from).filename().string().starts_with("online")) return true;
    const SpkiHash key = handed.certificate.spki_sha256();
    return std::any_of(situation_.held_keys.begin(), situation_.held_keys.end(),
                       [&](const auto& held) { return held.second == key && held.first.starts_with("online"); });
  }

  // --- TLS ---------------------------------------------------------------------------------------------------------------------------

  // Which server's certificate it is: the member says so, or the key that it was made for.
  [[nodiscard]] AuthorityRole server_role(const HandedCertificate& handed) const {
    const bool est = handed.kind == ArtefactKind::est_tls || (handed.kind == ArtefactKind::any && has_key_for(handed, KeyPurpose::est_tls));
    return est ? AuthorityRole::est_server : AuthorityRole::tls_server;
  }

  Status judge_tls(AuthorityRole role) {
    const HandedCertificate* chosen = nullptr;
    for (const HandedCertificate& handed : handed_.certificates) {
      if (handed.certificate.is_ca() || handed.certificate.is_self_signed() || server_role(handed) != role) continue;
      if (chosen != nullptr) return refuse(handed.from, "there is a second TLS certificate in this set, beside " + chosen->from);
      chosen = &handed;
    }
    if (chosen == nullptr) return {};
    if (!chosen->certificate.has_server_auth()) {
      return refuse(chosen->from, chosen->certificate.subject_text() + " is neither a CA nor a TLS server certificate (serverAuth)");
    }
    BIRTHMARK_CHECK(check_signed_by_root(*chosen));
    BIRTHMARK_CHECK(check_tls_factory(*chosen));
    BIRTHMARK_CHECK(check_tls_key(*chosen));
    BIRTHMARK_CHECK(check_not_expired(*chosen));
    BIRTHMARK_CHECK(check_server_names(*chosen, role));
    return put_tls_in_charge(*chosen, role);
  }

  // Clients find the server by them; `fioctl config rotate-certs` insists on exactly one of EST (Foundries 1.7).
  Status check_server_names(const HandedCertificate& handed, AuthorityRole role) {
    const std::size_t names = handed.certificate.dns_names().size();
    if (role == AuthorityRole::est_server) {
      return names == 1 ? Status() : refuse(handed.from, "the EST server's certificate must have exactly one DNS name");
    }
    if (names == 0) return refuse(handed.from, handed.certificate.subject_text() + " names no host: it has no DNS name (subjectAltName)");
    if (names == 1) {
      judgement_.warnings.push_back(handed.from + ": the TLS certificate should name two hosts, first the gateway, then ostree");
    }
    return {};
  }

  Status check_tls_factory(const HandedCertificate& handed) const {
    const std::vector<std::string> units = handed.certificate.organizational_units();
    return units.empty() ? Status() : check_factory(handed);  // a service may name its certificates by CN alone
  }

  Status check_tls_key(const HandedCertificate& handed) const {
    if (holds_key(handed.certificate.spki_sha256())) return {};
    return refuse(handed.from, "this server holds no private key for " + handed.certificate.subject_text() +
                                   ": it was made for another server's request");
  }

  Status put_tls_in_charge(const HandedCertificate& handed, AuthorityRole role) {
    Known* present = find(handed.certificate, role);
    if (present != nullptr && present->record.state == AuthorityState::active) {
      return note(handed.from, "the TLS certificate is already installed");
    }
    if (situation_.now + kClockTolerance < handed.certificate.not_before()) {
      judgement_.warnings.push_back(handed.from + ": the TLS certificate is not valid before " +
                                    format_rfc3339(handed.certificate.not_before()) + "; check the clocks");
    }
    for (Known& known : known_) {
      if (known.record.role != role || known.record.state != AuthorityState::active) continue;
      set_state(known, AuthorityState::replaced, situation_.now, handed.from);
    }
    if (present == nullptr) return add(handed, role);
    set_state(*present, AuthorityState::active, situation_.now, handed.from);
    return {};
  }

  // --- CRLs --------------------------------------------------------------------------------------------------------------------------

  Status judge_crls() {
    std::sort(handed_.crls.begin(), handed_.crls.end(), [](const HandedCrl& a, const HandedCrl& b) {
      return std::pair(a.crl.this_update(), a.crl.number().value_or(0)) < std::pair(b.crl.this_update(), b.crl.number().value_or(0));
    });
    for (const HandedCrl& handed : handed_.crls) BIRTHMARK_CHECK(judge_crl(handed));
    return {};
  }

  Status judge_crl(const HandedCrl& handed) {
    if (!handed.crl.is_signed_by(*root())) return refuse(handed.from, "the CRL is not signed by this factory's root");
    if (handed.crl.entries().empty()) return refuse(handed.from, "the CRL names no device CA", ErrorCode::invalid);
    bool fresh_checked = false;
    for (const CrlEntry& entry : handed.crl.entries()) {
      Known* target = device_ca_with_serial(entry.serial_decimal);
      if (target == nullptr)
        return refuse(handed.from, "no device CA with serial " + entry.serial_decimal + " is installed", ErrorCode::not_found);
      const CaVerdict verdict = verdict_of(entry.reason);
      if (in_effect(*target, verdict)) {
        note_only(handed.from,
                  "device CA " + describe(target->certificate) + " is already " + std::string(to_string(target->record.state)));
        continue;
      }
      // An old CRL that says nothing new is harmless, so that the same files can be installed again; one that would act must be fresh.
      if (!fresh_checked) BIRTHMARK_CHECK(check_fresh(handed));
      fresh_checked = true;
      BIRTHMARK_CHECK(apply_verdict(handed, *target, verdict));
    }
    return {};
  }

  Known* device_ca_with_serial(const std::string& serial) {
    for (Known& known : known_) {
      if (known.record.role == AuthorityRole::device_ca && known.certificate.serial_decimal() == serial) return &known;
    }
    return nullptr;
  }

  // A revocation stands over a disable that comes late.
  static bool in_effect(const Known& known, CaVerdict verdict) {
    switch (verdict) {
      case CaVerdict::revoke: return known.record.state == AuthorityState::revoked;
      case CaVerdict::disable: return known.record.state == AuthorityState::disabled || known.record.state == AuthorityState::revoked;
      case CaVerdict::enable: break;
    }
    return known.record.state == AuthorityState::active;
  }

  Status check_fresh(const HandedCrl& handed) const {
    const Crl& crl = handed.crl;
    if (crl.this_update() > situation_.now + kClockTolerance) {
      return refuse(handed.from, "the CRL is from the future (" + format_rfc3339(crl.this_update()) + "): check the clocks");
    }
    if (!crl.next_update()) return refuse(handed.from, "the CRL does not say how long it is valid");
    if (*crl.next_update() + kClockTolerance < situation_.now) {
      return refuse(handed.from, "the CRL expired at " + format_rfc3339(*crl.next_update()) + ": make a new one");
    }
    return {};
  }

  Status apply_verdict(const HandedCrl& handed, Known& target, CaVerdict verdict) {
    if (verdict == CaVerdict::revoke) {
      set_state(target, AuthorityState::revoked, handed.crl.this_update(), handed.from);
      return {};
    }
    if (target.record.state == AuthorityState::revoked) {
      return refuse(handed.from, "device CA " + describe(target.certificate) + " was revoked, and that is permanent");
    }
    // A disable from before the last enable (or the other way round) is an old command played again. CRLs count in whole seconds.
    const auto since = std::chrono::floor<std::chrono::seconds>(target.record.changed_at);
    if (target.record.row != 0 && handed.crl.this_update() < since) {
      return refuse(handed.from, "the CRL is older than the present state of " + describe(target.certificate) + ": make a new one",
                    ErrorCode::conflict);
    }
    const AuthorityState state = verdict == CaVerdict::disable ? AuthorityState::disabled : AuthorityState::active;
    set_state(target, state, handed.crl.this_update(), handed.from);
    return {};
  }

  // --- keys --------------------------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool holds_key(const SpkiHash& key) const {
    const bool held =
        std::any_of(situation_.held_keys.begin(), situation_.held_keys.end(), [&](const auto& one) { return one.second == key; });
    return held ||
           std::any_of(handed_.keys.begin(), handed_.keys.end(), [&](const HandedKey& one) { return one.key.spki_sha256() == key; });
  }

  Status judge_keys() {
    for (const HandedKey& handed : handed_.keys) BIRTHMARK_CHECK(judge_key(handed));
    return {};
  }

  Status judge_key(const HandedKey& handed) {
    const SpkiHash hash = handed.key.spki_sha256();
    if (root() != nullptr && root()->spki_sha256() == hash) {
      return refuse(handed.from, "this is the root's private key: it must never be on a server");
    }
    const auto same_key =
        std::find_if(situation_.held_keys.begin(), situation_.held_keys.end(), [&](const auto& one) { return one.second == hash; });
    if (same_key != situation_.held_keys.end()) return note(handed.from, "the key is already held, as " + same_key->first);
    if (!belongs_to_living_certificate(hash)) {
      return refuse(handed.from, "the key belongs to no device CA or TLS certificate that is installed or in this set");
    }
    const std::string name = std::filesystem::path(handed.from).filename().string();
    if (!is_plain_name(name) || !name.ends_with(".key")) {
      return refuse(handed.from, "a private key must be in a file called <name>.key", ErrorCode::invalid);
    }
    const bool taken =
        std::any_of(situation_.held_keys.begin(), situation_.held_keys.end(), [&](const auto& one) { return one.first == name; }) ||
        std::any_of(judgement_.keys.begin(), judgement_.keys.end(), [&](const KeyToKeep& one) { return one.file_name == name; });
    if (taken) return refuse(handed.from, "the server holds another key called " + name + ": rename this one", ErrorCode::conflict);
    BIRTHMARK_TRY(std::string pem, handed.key.to_pem());
    judgement_.keys.push_back({name, std::move(pem)});
    return note(handed.from, "the key is kept as keys/" + name);
  }

  [[nodiscard]] bool belongs_to_living_certificate(const SpkiHash& key) const {
    return std::any_of(known_.begin(), known_.end(), [&](const Known& known) {
      return known.record.role != AuthorityRole::root && known.record.state != AuthorityState::revoked &&
             known.certificate.spki_sha256() == key;
    });
  }

  // --- effects -----------------------------------------------------------------------------------------------------------------------

  Status add(const HandedCertificate& handed, AuthorityRole role) {
    // The server reads its certificates with its own strict reader: one that it refuses would keep it from starting.
    const auto readable = codec_.read_certificate(handed.certificate.der());
    if (!readable) return refuse(handed.from, readable.error().public_message, ErrorCode::invalid);
    constexpr std::uint16_t kKeyCertSign = 1U << 5U;  // asked of those who say what their key is for
    const bool may_sign = !readable->key_usage || (*readable->key_usage & kKeyCertSign) != 0;
    const bool signs = role == AuthorityRole::root || role == AuthorityRole::device_ca;
    if (signs && !may_sign) return refuse(handed.from, handed.certificate.subject_text() + " is a CA whose keyUsage lacks keyCertSign");
    BIRTHMARK_TRY(Certificate copy, Certificate::from_der(handed.certificate.der()));
    known_.push_back(
        {{0, situation_.factory, role, AuthorityState::active, handed.certificate.der(), situation_.now}, std::move(copy), true});
    record(known_.back(), handed.from);
    return {};
  }

  void set_state(Known& known, AuthorityState state, Instant at, const std::string& from) {
    known.record.state = state;
    known.record.changed_at = at;
    known.changed = true;
    record(known, from);
  }

  void record(const Known& known, const std::string& from) {
    const std::string what(to_string(known.record.role));
    const std::string state(to_string(known.record.state));
    judgement_.change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, situation_.now,
                                                              {{"factory", situation_.factory},
                                                               {"what", what},
                                                               {"subject", known.certificate.subject_text()},
                                                               {"serial", known.certificate.serial_decimal()},
                                                               {"fingerprint", to_hex(known.certificate.fingerprint().view())},
                                                               {"state", state},
                                                               {"artefact", from},
                                                               {"actor", situation_.actor}}));
    note_only(from, what + " " + describe(known.certificate) + ": " + state);
  }

  Status note(const std::string& from, const std::string& text) {
    note_only(from, text);
    return {};
  }
  void note_only(const std::string& from, const std::string& text) { judgement_.notes.push_back(from + ": " + text); }

  const TrustSituation& situation_;
  const core::X509Codec& codec_;
  Handed handed_;
  std::vector<Known> known_;
  TrustJudgement judgement_;
};

}  // namespace

Result<TrustJudgement> judge_trust_change(const TrustSituation& situation, const core::X509Codec& codec,
                                          const std::vector<Artefact>& artefacts) {
  return Judge(situation, codec).run(artefacts);
}

}  // namespace birthmark::crypto
