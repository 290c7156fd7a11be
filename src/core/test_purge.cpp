// SPDX-License-Identifier: Apache-2.0
#include "core/test_purge.h"

namespace birthmark::core {

Task<Result<std::uint64_t>> purge_test_devices(Registry& registry, const Clock& clock, std::string factory, PurgeScope scope,
                                               OperatorAct act) {
  constexpr std::size_t kPage = 200;
  Lifecycle lifecycle(registry, clock);
  DeviceFilter filter;
  filter.status = DeviceStatus::active;
  filter.test = true;
  if (scope == PurgeScope::expired) filter.expires_before = clock.now();
  std::uint64_t purged = 0;
  RowId after = 0;
  for (;;) {
    auto page = registry.list(filter, after, kPage);
    if (!page) co_return forward_error(page);
    if (page->empty()) co_return purged;
    for (const DeviceSummary& device : *page) {
      after = device.row;
      if (device.identity.factory != factory) continue;
      OperatorAct reason = act;
      auto done = co_await lifecycle.forget_key(device.identity, std::move(reason));
      if (!done && done.error().code != ErrorCode::conflict) co_return forward_error(done);
      if (done) ++purged;
    }
  }
}

}  // namespace birthmark::core
