// SPDX-License-Identifier: Apache-2.0
#include "core/trust_store.h"

#include <algorithm>

namespace birthmark::core {
namespace {

// The newest authority of a key comes first: a CA renewed with the same key replaces its predecessor.
void order_by_preference(std::vector<DeviceAuthority>& authorities, const std::vector<std::shared_ptr<Signer>>& signers) {
  const auto rank = [&](const DeviceAuthority& authority) {
    const auto found = std::find(signers.begin(), signers.end(), authority.signer);
    return authority.signer ? found - signers.begin() : static_cast<std::ptrdiff_t>(signers.size());
  };
  std::sort(authorities.begin(), authorities.end(), [&](const DeviceAuthority& a, const DeviceAuthority& b) {
    const auto rank_a = rank(a), rank_b = rank(b);
    return rank_a != rank_b ? rank_a < rank_b : a.record.row > b.record.row;
  });
}

std::shared_ptr<Signer> signer_for(const SpkiHash& key, const std::vector<std::shared_ptr<Signer>>& signers) {
  const auto found = std::find_if(signers.begin(), signers.end(), [&](const auto& signer) { return signer->spki_sha256() == key; });
  return found == signers.end() ? nullptr : *found;
}

}  // namespace

const DeviceAuthority* TrustSnapshot::by_row(RowId row) const {
  const auto found = std::find_if(device_authorities.begin(), device_authorities.end(),
                                  [&](const DeviceAuthority& authority) { return authority.record.row == row; });
  return found == device_authorities.end() ? nullptr : &*found;
}

std::optional<std::string> why_not_issuing(const DeviceAuthority& authority, Instant now) {
  const auto names = authority.facts.values(NameAttributeType::common_name);
  const std::string name = "device CA " + (names.empty() ? std::string("without a name") : std::string(names.front()));
  if (!authority.signer) return name + ": its key is not on this server";
  if (authority.record.state != AuthorityState::active) return name + " is " + std::string(to_string(authority.record.state));
  if (now < authority.facts.not_before) return name + " is not valid before " + format_rfc3339(authority.facts.not_before);
  if (now >= authority.facts.not_after) return name + " expired at " + format_rfc3339(authority.facts.not_after);
  return std::nullopt;
}

std::shared_ptr<const TrustSnapshot> TrustStore::current() const {
  const std::lock_guard lock(snapshot_mutex_);
  return snapshot_;
}

Result<std::shared_ptr<const TrustSnapshot>> TrustStore::read(const std::vector<std::shared_ptr<Signer>>& signers) const {
  auto snapshot = std::make_shared<TrustSnapshot>();
  snapshot->factory = factory_;
  snapshot->needs_root = issuing_ == AuthorityRole::device_ca;
  // The epoch first: a change between the two reads makes the snapshot look older than it is, which only costs a retry.
  BIRTHMARK_TRY(snapshot->epoch, registry_.trust_epoch());
  BIRTHMARK_TRY(auto records, registry_.authorities());
  for (AuthorityRecord& record : records) {
    if (record.factory != factory_) continue;
    if (record.role == AuthorityRole::root) snapshot->root = record;
    if (record.role == AuthorityRole::tls_server && record.state == AuthorityState::active) snapshot->tls_server = record;
    if (record.role == AuthorityRole::est_server && record.state == AuthorityState::active) snapshot->est_server = record;
    if (record.role != issuing_) continue;
    BIRTHMARK_TRY(auto facts, codec_.read_certificate(record.der));
    auto signer = signer_for(facts.spki_sha256, signers);
    snapshot->device_authorities.push_back({std::move(record), std::move(facts), std::move(signer)});
  }
  order_by_preference(snapshot->device_authorities, signers);
  return std::shared_ptr<const TrustSnapshot>(std::move(snapshot));
}

Status TrustStore::reload(std::vector<std::shared_ptr<Signer>> signers) {
  BIRTHMARK_TRY(auto snapshot, read(signers));
  use(std::move(snapshot), std::move(signers));
  return {};
}

// One that was read before the trust changed again is found stale by the first who decides under it, and refreshed.
void TrustStore::use(std::shared_ptr<const TrustSnapshot> snapshot, Signers signers) {
  const std::lock_guard reload_lock(reload_mutex_);
  signers_ = std::move(signers);
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(snapshot);
}

Status TrustStore::refresh(std::uint64_t stale) {
  const std::lock_guard reload_lock(reload_mutex_);
  if (current()->epoch != stale) return {};
  BIRTHMARK_TRY(auto snapshot, read(signers_));
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(snapshot);
  return {};
}

}  // namespace birthmark::core
