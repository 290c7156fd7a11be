// SPDX-License-Identifier: Apache-2.0
// The SiteCertificates port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/site_certificates.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteSiteCertificates final : public core::SiteCertificates {
 public:
  // Both must outlive it.
  SqliteSiteCertificates(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<core::SiteCertificate>> add_certificate(core::SiteCertificate certificate, std::string audit_body) override;
  Task<Result<std::uint64_t>> revoke_certificates(core::HolderCertificates which, Instant at, std::string audit_body) override;
  Result<std::vector<core::SiteCertificate>> site_certificates() override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
