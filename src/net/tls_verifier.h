// SPDX-License-Identifier: Apache-2.0
// Does a peer's certificate come from one of our anchors? OpenSSL's chain building at depth 0 with partial chains (protocol facts,
// gateway 2.2), and a bounded memory of verdicts: a peer that comes again costs no signature check. One per TlsServer generation; safe
// from every thread.
#pragma once

#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/tls_handles.h"
#include "net/tls_server.h"

namespace birthmark::net::tls {

struct Verdict {
  int error = X509_V_ERR_UNSPECIFIED;  // X509_V_OK: let through
  bool under_root = false;
  std::int64_t anchor = 0;
  std::time_t not_before = 0;  // of leaf and anchor together
  std::time_t not_after = 0;
};

class Verifier {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Verifier>> create(const TlsServerSettings& settings);

  [[nodiscard]] Verdict judge(X509* leaf, const Fingerprint& fingerprint) const;
  // For the certificate request: the anchors' subjects. The caller owns it; null when there are none.
  [[nodiscard]] STACK_OF(X509_NAME) * anchor_names() const;

 private:
  struct FingerprintHash {
    std::size_t operator()(const Fingerprint& fingerprint) const;
  };
  using Memory = std::unordered_map<Fingerprint, Verdict, FingerprintHash>;

  [[nodiscard]] std::optional<Verdict> remembered(const Fingerprint& fingerprint, std::time_t now) const;
  void remember(const Fingerprint& fingerprint, const Verdict& verdict) const;
  [[nodiscard]] Verdict verify(X509* leaf) const;
  [[nodiscard]] bool signed_by_known_root(X509* leaf) const;

  StoreHandle store_;
  std::vector<X509Handle> anchors_;
  std::map<const X509*, std::int64_t> tags_;
  std::vector<X509Handle> roots_;
  bool any_certificate_ = false;
  mutable std::mutex mutex_;
  mutable Memory young_;  // when full it becomes old_, and what was old is forgotten
  mutable Memory old_;
};

[[nodiscard]] Result<Fingerprint> fingerprint_of(ByteView der);

}  // namespace birthmark::net::tls
