// SPDX-License-Identifier: Apache-2.0
// Stations that register devices without pause until their server is gone, and remember what each was told.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "device.h"
#include "http_peer.h"

namespace birthmark::e2e {

struct Registration {
  Device device;
  std::string certificate;  // client.pem of the 201; empty: no whole answer came
};

class Load {
 public:
  Load(std::uint16_t port, unsigned stations);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
  // Ends the stations that the server's end did not; everything they tried. Answers other than 201 are in `refusals`.
  [[nodiscard]] std::vector<Registration> finish();
  [[nodiscard]] const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  void work(std::uint16_t port);

  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> acknowledged_ = 0;
  std::mutex mutex_;
  std::vector<Registration> registrations_;
  std::vector<std::string> refusals_;
  std::vector<std::thread> stations_;
};

}  // namespace birthmark::e2e
