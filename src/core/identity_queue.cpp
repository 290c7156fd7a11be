// SPDX-License-Identifier: Apache-2.0
#include "core/identity_queue.h"

namespace birthmark::core {
namespace {

std::string key_of(const DeviceIdentity& identity) {
  std::string key = identity.factory;
  key += '\0';
  key += static_cast<char>(identity.ecosystem);
  key += identity.external_id;
  return key;
}

}  // namespace

Task<IdentityQueue::Turn> IdentityQueue::enter(const DeviceIdentity& identity) {
  std::string key = key_of(identity);
  Shard& shard = shard_of(key);
  {
    const std::lock_guard lock(shard.mutex);
    if (shard.lines.try_emplace(key).second) co_return Turn(*this, std::move(key));
  }
  const auto wait_in_line = [&shard, &key](Resume<Entered> resume) {
    const std::lock_guard lock(shard.mutex);
    const auto [line, free] = shard.lines.try_emplace(key);
    if (free) {
      resume(Entered{});  // the holder left in the meantime
    } else {
      line->second.push_back(std::move(resume));
    }
  };
  co_await suspend<Entered>(wait_in_line);
  co_return Turn(*this, std::move(key));
}

void IdentityQueue::leave(const std::string& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto line = shard.lines.find(key);
  if (line->second.empty()) {
    shard.lines.erase(line);
    return;
  }
  Resume<Entered> next = std::move(line->second.front());
  line->second.erase(line->second.begin());
  next(Entered{});
}

}  // namespace birthmark::core
