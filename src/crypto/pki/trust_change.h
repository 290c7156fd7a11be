// SPDX-License-Identifier: Apache-2.0
// Judges artefacts of the PKI owner before a server trusts them: a set of certificates, CRLs and keys is accepted as a whole or refused
// with the file and the reason. Called by `ca install` and by the factory API. Changes nothing itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ports/registry.h"
#include "core/ports/x509_codec.h"

namespace birthmark::crypto {

// What an artefact must be. `any`: what it is, it says itself.
enum class ArtefactKind : std::uint8_t { any, root, device_cas, tls, est_tls, crl };

// A file, or a member of an API's request, as it was handed in: PEM, with one or more blocks and any prose between them.
struct Artefact {
  std::string name;  // for messages and for what is to be kept
  std::string contents;
  ArtefactKind kind = ArtefactKind::any;
};

// What the server trusts and holds now.
struct TrustSituation {
  std::string factory;
  std::vector<core::AuthorityRecord> authorities;           // rows of other factories are passed over
  std::vector<std::pair<std::string, SpkiHash>> held_keys;  // under DIR/keys, by file name
  Instant now;
  std::string actor;  // for the audit
  // Set where users are known: a device CA whose key was not made here must be CN=fio-<user id> (protocol facts, Foundries 1.7).
  std::function<bool(std::string_view user_id)> knows_user{};
};

// A private key to be stored as DIR/keys/<file_name>, 0400, before the change is applied.
struct KeyToKeep {
  std::string file_name;
  std::string pem;
};

struct TrustJudgement {
  core::TrustChange change;
  std::vector<KeyToKeep> keys;
  std::vector<std::string> notes;     // what each artefact does, or that it does nothing new
  std::vector<std::string> warnings;  // accepted, yet worth a look

  [[nodiscard]] bool changes_anything() const { return !change.upserts.empty() || !keys.empty(); }
};

// Whether the clocks of the PKI owner's machine and the server may differ by this much.
inline constexpr Duration kClockTolerance = std::chrono::minutes(2);

[[nodiscard]] Result<TrustJudgement> judge_trust_change(const TrustSituation& situation, const core::X509Codec& codec,
                                                        const std::vector<Artefact>& artefacts);

}  // namespace birthmark::crypto
