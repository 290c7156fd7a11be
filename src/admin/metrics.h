// SPDX-License-Identifier: Apache-2.0
// What Prometheus scrapes: registrations as they happen, everything else read when it asks. Safe from every thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/registration_meter.h"

namespace birthmark::admin {

// A figure of the process or its store, as `birthmark status` knows it.
struct Figure {
  std::string name;
  std::uint64_t value = 0;
};

// A certificate that this server depends on.
struct Expiry {
  std::string role;  // "root", "device-ca", "tls"
  std::string subject;
  Instant not_after;
};

// How many registrations and other changes shared one transaction, and so one sync of the disk.
struct CommitSizes {
  // How many transactions carried at most 1, 2, 4 ... 512 changes, each counted once; the last: more.
  std::array<std::uint64_t, 11> counts{};
  std::uint64_t changes = 0;  // in all of them together
};

class Metrics final : public core::RegistrationMeter {
 public:
  Metrics();
  ~Metrics() override;

  void registration(std::string_view station, std::string_view result, std::chrono::nanoseconds latency) override;

  // The text exposition format, version 0.0.4.
  [[nodiscard]] std::string render(const std::vector<Figure>& figures, const std::vector<Expiry>& expiries, const CommitSizes& commit_sizes,
                                   bool ready) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace birthmark::admin
