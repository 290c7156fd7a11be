// SPDX-License-Identifier: Apache-2.0
// Port: the factory's PKI as its owner sees it through an API: requests for the server's keys go out, certificates and CRLs come in
// (protocol facts, Foundries 1.3 to 1.8). Adapter: app/pki_desk over crypto/pki/pki_keeper, which judges.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"

namespace birthmark::core {

// Which certificate requests somebody wants.
struct CertificateOrder {
  bool first_time = false;  // the factory must have no root yet
  bool tls = false;
  bool online_ca = false;
  bool est_tls = false;
};

// PEM, one block with one final newline; empty: not asked for.
struct CertificateRequests {
  std::string tls;
  std::string online_ca;
  std::string est_tls;
};

// PEM as it came in; empty: not sent. `device_cas` and `crl` may hold several blocks.
struct PkiSubmission {
  std::string root;
  std::string device_cas;
  std::string tls;
  std::string est_tls;
  std::string crl;

  [[nodiscard]] bool empty() const { return root.empty() && device_cas.empty() && tls.empty() && est_tls.empty() && crl.empty(); }
};

struct PkiStanding {
  bool initialised = false;  // there is a root
  std::string root;          // PEM; empty: none
  std::string device_cas;    // without revoked ones, in the order they came, a blank line between them
  std::string tls;
  std::string est_tls;
  std::vector<std::string> disabled_serials;  // of device CAs, base 10
  std::optional<Instant> created_at;          // of the root
  std::optional<Instant> updated_at;          // the last change
};

class FactoryPki {
 public:
  virtual ~FactoryPki() = default;
  [[nodiscard]] virtual Result<PkiStanding> standing() = 0;
  // Keys are made where there is none that still waits for its certificate. conflict: there is a root already (first_time).
  [[nodiscard]] virtual Task<Result<CertificateRequests>> request(CertificateOrder order, std::string actor) = 0;
  // All of it or nothing; in force when it answers. The error's message names the member.
  [[nodiscard]] virtual Task<Status> submit(PkiSubmission submission, std::string actor) = 0;
};

}  // namespace birthmark::core
