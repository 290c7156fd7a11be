// SPDX-License-Identifier: Apache-2.0
// The faces this program can put behind a listener: one file face_NAME.cpp each, one line in all_faces.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/metrics.h"
#include "app/site.h"
#include "net/http.h"
#include "net/server.h"
#include "net/tls_server.h"

namespace birthmark::app {

// What the listeners of one server share.
struct FaceServices {
  admin::Metrics* metrics = nullptr;  // null where no admin listener asks for them
};

struct Face {
  std::string_view name;  // of --listen NAME=HOST:PORT, and in log lines
  std::vector<net::Endpoint> (*configured)(const Config& config);
  // Nothing: plain HTTP. Asked again after each reload of the site; open connections stay, new ones get what it says then.
  Result<std::optional<net::TlsServerSettings>> (*tls)(Site& site);
  Result<std::unique_ptr<net::Handler>> (*make)(Site& site, const FaceServices& services);
  std::size_t body_bytes = 0;  // instead of limits.body_bytes; 0: that one
  // What an operator should know once it listens at `listener`; null: nothing.
  void (*warn)(Site& site, const std::string& listener) = nullptr;
  // Whether it listens without TLS there, whatever `tls` says; null: never.
  bool (*plain_at)(const Site& site, const net::Endpoint& endpoint) = nullptr;
};

[[nodiscard]] const std::vector<Face>& all_faces();
// Null when there is none of that name.
[[nodiscard]] const Face* find_face(std::string_view name);

[[nodiscard]] Face registration_face();
[[nodiscard]] Face gateway_face();
[[nodiscard]] Face eve_face();
[[nodiscard]] Face admin_face();
[[nodiscard]] Face api_face();
[[nodiscard]] Face pep_face();

// The factory's server certificate as it is installed, with the key that its request was made with.
[[nodiscard]] Result<net::TlsServerSettings> factory_tls_settings(const Site& site, std::string_view face);
[[nodiscard]] Result<net::TlsIdentity> factory_tls_identity(const Site& site, const Bytes& certificate);

}  // namespace birthmark::app
