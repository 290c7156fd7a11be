// SPDX-License-Identifier: Apache-2.0
#include "load.h"

namespace birthmark::e2e {

Load::Load(std::uint16_t port, unsigned stations) {
  for (unsigned i = 0; i < stations; ++i) stations_.emplace_back([this, port] { work(port); });
}

Load::~Load() {
  static_cast<void>(finish());
}

void Load::work(std::uint16_t port) {
  HttpPeer peer(port);
  bool alive = peer.connected();
  while (alive && !stopping_) {
    Registration registration{Device::make(), {}};
    alive = peer.send(request_text("POST", "/sign", registration.device.body()));
    const auto answer = alive ? peer.receive() : std::nullopt;
    alive = answer.has_value();
    if (answer && answer->status == 201) {
      registration.certificate = answer->member("client.pem");
      ++acknowledged_;
    }
    const std::lock_guard lock(mutex_);
    if (answer && answer->status != 201) refusals_.push_back(answer->body);
    registrations_.push_back(std::move(registration));
  }
}

std::vector<Registration> Load::finish() {
  stopping_ = true;
  for (std::thread& station : stations_) {
    if (station.joinable()) station.join();
  }
  const std::lock_guard lock(mutex_);
  return std::move(registrations_);
}

}  // namespace birthmark::e2e
