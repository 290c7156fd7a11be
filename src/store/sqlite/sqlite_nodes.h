// SPDX-License-Identifier: Apache-2.0
// The Nodes port on the registry's database: writes through its one writer, reads through its pool.
#pragma once

#include "core/ports/nodes.h"
#include "store/sqlite/group_commit.h"
#include "store/sqlite/reader_pool.h"

namespace birthmark::store {

class SqliteNodes final : public core::Nodes {
 public:
  // Both must outlive it.
  SqliteNodes(GroupCommit& writer, ReaderPool& readers) : writer_(writer), readers_(readers) {}

  Task<Result<core::OnboardingCertificate>> put_certificate(core::OnboardingCertificate certificate, std::vector<std::string> serials,
                                                            core::SerialList list, std::string audit_body) override;
  Task<Result<core::OnboardingCertificate>> revoke_certificate(core::RowId row, Instant at, std::string audit_body) override;
  Result<std::vector<core::OnboardingCertificate>> certificates(const std::string& factory) override;
  Result<std::optional<core::OnboardingCertificate>> certificate(const std::string& factory, const Fingerprint& fingerprint) override;
  Result<bool> lists_serial(core::RowId certificate, const std::string& serial) override;
  Result<std::vector<std::string>> serials(core::RowId certificate, const std::string& after, std::size_t limit) override;

  Result<std::optional<core::NodeRecord>> by_certificate(const std::string& factory, ByteView hash) override;
  Result<std::optional<core::NodeRecord>> by_serial(core::RowId onboarding, const std::string& serial) override;
  Result<std::optional<core::NodeRecord>> by_uuid(const core::DeviceIdentity& identity) override;
  Result<Bytes> certificate_der(core::RowId node) override;
  Result<std::vector<core::NodeRecord>> list_nodes(const std::string& factory, core::RowId after, std::size_t limit) override;
  Task<Result<core::NodeConflict>> record_node(core::NodeDraft draft, core::Preconditions expected) override;

  void note_knock(core::Knock knock) override;
  Result<std::vector<core::Knock>> knocks(const std::string& factory, std::size_t limit) override;
  Task<Result<std::uint64_t>> forget_knock(core::RowId row) override;

 private:
  GroupCommit& writer_;
  ReaderPool& readers_;
};

}  // namespace birthmark::store
