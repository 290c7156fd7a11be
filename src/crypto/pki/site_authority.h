// SPDX-License-Identifier: Apache-2.0
// A small CA of this server's own, made when it is first needed: signs the TLS certificates of its own listeners, and those of stations and
// operators. It has nothing to do with the factory's PKI: nothing it signs is ever a device.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "core/ports/clock.h"
#include "crypto/pki/certificate.h"
#include "crypto/private_key.h"

namespace birthmark::crypto {

class SiteAuthority {
 public:
  // DIR/site-ca.pem and DIR/keys/site-ca.key; not_found when there is none.
  [[nodiscard]] static Result<SiteAuthority> load(const std::filesystem::path& directory);
  // The same, made when it is not there. Interrupted, it is simply called again.
  [[nodiscard]] static Result<SiteAuthority> load_or_make(const std::filesystem::path& directory, const std::string& factory,
                                                          core::Random& random, Instant now);

  [[nodiscard]] const Certificate& certificate() const { return certificate_; }

  // serverAuth, CN=<common_name>, for these DNS names and IP addresses.
  [[nodiscard]] Result<Certificate> certify_server(const PrivateKey& key, const std::string& common_name,
                                                   const std::vector<std::string>& names, core::Random& random, Instant now) const;
  // clientAuth, for the key of the request; its holder proves it with the request's signature. Whoever gets it must be recorded first.
  [[nodiscard]] Result<Certificate> certify_holder(const CertificateRequest& request, const std::string& holder, Duration validity,
                                                   core::Random& random, Instant now) const;

 private:
  SiteAuthority(Certificate certificate, PrivateKey key, std::string factory)
      : certificate_(std::move(certificate)), key_(std::move(key)), factory_(std::move(factory)) {}

  Certificate certificate_;
  PrivateKey key_;
  std::string factory_;
};

}  // namespace birthmark::crypto
