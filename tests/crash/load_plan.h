// SPDX-License-Identifier: Apache-2.0
// What store_load does to device number N, and so what store_crash_test may find of it: one place for both.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/registry_samples.h"

namespace birthmark::testing {

template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// The steps of one device, in order; each is one acknowledged transaction. A certificate's number says which step made it.
enum class LoadStep : std::uint64_t { enrolled = 0, reissued = 1, superseded = 2, denied = 3 };

struct LoadAcknowledgement {
  std::uint64_t device = 0;
  std::uint64_t step = 0;
};

[[nodiscard]] inline bool does(LoadStep step, std::uint64_t device) {
  switch (step) {
    case LoadStep::enrolled: return true;
    case LoadStep::reissued: return device % 3 == 0;
    case LoadStep::superseded: return device % 5 == 0;
    case LoadStep::denied: return device % 31 == 0;
  }
  return false;
}

[[nodiscard]] inline std::uint64_t load_number(std::uint64_t device, LoadStep step) {
  return device * 4 + static_cast<std::uint64_t>(step);
}

[[nodiscard]] inline core::IssuanceRecord load_issuance(std::uint64_t device, LoadStep step) {
  const std::uint64_t key = load_number(device, step == LoadStep::superseded ? step : LoadStep::enrolled);
  auto issuance = sample_issuance(device, key, load_number(device, step));
  if (step == LoadStep::superseded) issuance.audit_body = sample_audit_body(core::AuditEvent::device_superseded, issuance);
  return issuance;
}

}  // namespace birthmark::testing
