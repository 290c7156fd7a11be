// SPDX-License-Identifier: Apache-2.0
// What a command may work with on an opened data directory. Implemented by app/site; the same object whether the command runs alone or
// inside the server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/run_task.h"
#include "core/audit.h"
#include "core/clock_guard.h"
#include "core/courier_figures.h"
#include "core/enroller.h"
#include "core/ports/api_access.h"
#include "core/ports/field_log.h"
#include "core/ports/orders.h"
#include "core/ports/outbox.h"
#include "core/ports/registry.h"
#include "core/ports/site_certificates.h"
#include "core/ports/tokens.h"
#include "core/ports/x509_codec.h"
#include "core/trust_store.h"

namespace birthmark::cli {

// A figure of the running process, for `birthmark status`.
struct Figure {
  std::string name;
  std::uint64_t value = 0;
};

// The upstream as it is configured, and what its courier does.
struct UpstreamView {
  std::string url;  // empty: none
  std::string mode;
  bool delivers = false;  // a server runs
  core::CourierFigures figures;
};

class Workbench {
 public:
  virtual ~Workbench() = default;

  [[nodiscard]] virtual const std::filesystem::path& directory() const = 0;
  [[nodiscard]] virtual const std::string& factory() const = 0;
  [[nodiscard]] virtual core::Registry& registry() = 0;
  [[nodiscard]] virtual core::Tokens& tokens() = 0;
  [[nodiscard]] virtual core::SiteCertificates& site_certificates() = 0;
  [[nodiscard]] virtual core::Orders& orders() = 0;
  [[nodiscard]] virtual core::ApiAccess& api_access() = 0;
  // The id of the user for whom tokens act that were made for nobody else.
  [[nodiscard]] virtual std::string default_owner() const = 0;
  // Configuration for devices, and what they reported.
  [[nodiscard]] virtual core::FieldLog& field() = 0;
  // "https://gw.example:8443", where devices are told to go.
  [[nodiscard]] virtual std::string gateway_server() const = 0;
  [[nodiscard]] virtual const core::X509Codec& codec() const = 0;
  [[nodiscard]] virtual core::Random& random() = 0;
  [[nodiscard]] virtual const core::Clock& clock() const = 0;
  [[nodiscard]] virtual core::ClockGuard& clock_guard() = 0;
  [[nodiscard]] virtual core::DeviceIdRule device_id_rule() const = 0;
  // Public keys of the private keys under DIR/keys, by file name ("tls.key").
  [[nodiscard]] virtual std::vector<std::pair<std::string, SpkiHash>> held_keys() const = 0;
  [[nodiscard]] virtual core::Outbox& outbox() = 0;
  [[nodiscard]] virtual UpstreamView upstream() const = 0;
  [[nodiscard]] virtual UpstreamView hooks() const = 0;
  // The head that is kept, signed, outside the database; nothing when there is none yet.
  [[nodiscard]] virtual Result<std::optional<core::AuditHead>> signed_audit_head() = 0;
  // Reads keys and trust anew; what follows is decided under them.
  [[nodiscard]] virtual Status reload() = 0;
  [[nodiscard]] virtual std::shared_ptr<const core::TrustSnapshot> trust() const = 0;
  // Who does this, for the audit: the operating system's user who called.
  [[nodiscard]] virtual std::string actor() const = 0;
  [[nodiscard]] virtual std::vector<Figure> figures() const = 0;
  // Why this server would refuse to issue right now; empty: it is ready.
  [[nodiscard]] virtual std::vector<std::string> obstacles() const = 0;

  // Waits for a task on the calling thread.
  template <class T>
  [[nodiscard]] T wait(Task<T> task) {
    return run_task(std::move(task));
  }
};

}  // namespace birthmark::cli
