// SPDX-License-Identifier: Apache-2.0
// The device gateway as fioconfig, aktualizr-lite, fioup, fiotest and curl speak it (protocol facts, gateway 1). Every request is judged by
// core::DeviceGate first; this face translates and decides nothing. gateway_face.cpp routes, the other files of this folder answer.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/contact_book.h"
#include "core/device_config.h"
#include "core/device_gate.h"
#include "core/ports/clock.h"
#include "faces/gateway/file_tree.h"
#include "net/http.h"

namespace birthmark::faces::gateway {

struct GatewaySettings {
  std::filesystem::path repository;  // TUF metadata; empty: none
  std::filesystem::path ostree;      // empty: none
  std::string app_proxy_url;         // empty: none
};

// What the gateway needs of core; all of it outlives the face.
struct GatewayParts {
  core::DeviceGate& gate;
  core::TrustStore& trust;
  core::FieldLog& field;
  core::ContactBook& contacts;
  const core::X509Codec& codec;
  const core::Clock& clock;
  // Base64 of a text that only the holder of this key (a SubjectPublicKeyInfo) reads.
  std::function<Result<std::string>(ByteView, std::string_view)> seal;
};

using DevicePointer = std::shared_ptr<const core::AdmittedDevice>;

class GatewayFace : public net::Handler {
 public:
  // `other` answers what begins with /.well-known/est/; null: nobody does.
  GatewayFace(GatewayParts parts, GatewaySettings settings, net::Handler* est);

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  [[nodiscard]] Task<net::Response> answer(const net::Request& request);
  [[nodiscard]] Task<net::Response> serve(const net::Request& request, DevicePointer device);

  // gateway_device.cpp
  [[nodiscard]] net::Response show_device(const core::AdmittedDevice& device);
  [[nodiscard]] Task<net::Response> announce_key(const net::Request& request, DevicePointer device);
  // gateway_config.cpp
  [[nodiscard]] Task<net::Response> deliver_config(const net::Request& request, DevicePointer device);
  [[nodiscard]] net::Response deliver_own_config(const core::AdmittedDevice& device);
  [[nodiscard]] Task<net::Response> change_config(const net::Request& request, DevicePointer device);
  [[nodiscard]] Status seal_empty_values(core::ConfigPatch& patch) const;
  // gateway_reports.cpp
  [[nodiscard]] Task<net::Response> take_events(const net::Request& request, DevicePointer device);
  [[nodiscard]] Task<net::Response> take_report(const net::Request& request, DevicePointer device, std::string kind, std::size_t keep);
  [[nodiscard]] Task<net::Response> take_test(const net::Request& request, DevicePointer device);
  [[nodiscard]] Task<net::Response> store(const core::AdmittedDevice& device, std::string kind, std::vector<std::string> bodies,
                                          std::size_t keep, net::Response success);
  // gateway_content.cpp
  [[nodiscard]] net::Response serve_repository(const net::Request& request, const core::AdmittedDevice& device);
  [[nodiscard]] net::Response serve_ostree(const net::Request& request);

  const GatewayParts parts_;
  const GatewaySettings settings_;
  core::DeviceConfigs configs_;
  const FileTree repository_;
  const FileTree ostree_;
  net::Handler* const est_;
};

}  // namespace birthmark::faces::gateway
