// SPDX-License-Identifier: Apache-2.0
// What a device says of its next key (PATCH /device, protocol facts, gateway 3.6). An announcement is worth something only while the key
// that made it is the device's current one: after a repair or a switch, nobody comes in by an old word.
#pragma once

#include <optional>

#include "core/ports/field_log.h"

namespace birthmark::core {

[[nodiscard]] FieldAppend key_announcement(const DeviceIdentity& identity, const SpkiHash& current, const SpkiHash& next, Instant now);
// The next key, as announced by the holder of `current`; nothing when there is none, or when it is `current` itself.
[[nodiscard]] Result<std::optional<SpkiHash>> announced_key(FieldLog& field, const DeviceIdentity& identity,
                                                            const std::optional<SpkiHash>& current);

}  // namespace birthmark::core
