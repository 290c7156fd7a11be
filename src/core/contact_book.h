// SPDX-License-Identifier: Apache-2.0
// When devices were last here and what they said of themselves in passing (the x-ats-* headers): gathered in memory, written in batches by
// whoever calls flush() once a second, so that no answer waits for it.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/device_gate.h"
#include "core/ports/field_log.h"

namespace birthmark::core {

// Of one request. Absent: the device did not say, what is known stays; present and empty: there is none any more.
struct StateHeaders {
  std::optional<std::string_view> tag, target, ostree_hash, apps;
  [[nodiscard]] bool any() const { return tag || target || ostree_hash || apps; }
};

struct DeviceState {
  std::string tag, target, ostree_hash, apps;
  bool operator==(const DeviceState&) const = default;
};

class ContactBook {
 public:
  explicit ContactBook(FieldLog& field) : field_(field) {}

  void note(const AdmittedDevice& device, const StateHeaders& headers, Instant now);
  [[nodiscard]] DeviceState state_of(const AdmittedDevice& device);
  void flush();

 private:
  struct Page {
    DeviceState state;
    Instant written;  // the last contact that was handed on
    bool read = false;
  };
  [[nodiscard]] Page& page_of(const AdmittedDevice& device);
  void read_state(const AdmittedDevice& device, Page& page);

  FieldLog& field_;
  std::mutex mutex_;
  std::unordered_map<RowId, Page> young_;  // when full it becomes old_, and what was old is forgotten
  std::unordered_map<RowId, Page> old_;
  std::vector<Contact> contacts_;
};

}  // namespace birthmark::core
