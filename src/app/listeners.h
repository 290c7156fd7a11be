// SPDX-License-Identifier: Apache-2.0
// The listeners of one server: which faces, where, behind which TLS. Made by `serve`; must outlive the net::Server it opened them on.
#pragma once

#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "admin/metrics.h"
#include "app/site.h"
#include "net/server.h"
#include "net/tls_server.h"

namespace birthmark::app {

struct ListenPlan {
  std::string face;
  net::Endpoint endpoint;
};

// The configured listeners, or exactly those of `--listen FACE=HOST:PORT` when there are any.
[[nodiscard]] Result<std::vector<ListenPlan>> plan_listeners(const Config& config, const std::vector<std::string>& given);

class Listeners {
 public:
  explicit Listeners(Site& site);
  ~Listeners();

  // Opens every one, or fails with the first that cannot; `out` gets a line for each. Their TLS follows the site's reloads from then on.
  [[nodiscard]] Status open(const std::vector<ListenPlan>& plans, net::Server& server, std::ostream& out);

 private:
  struct SecureListener {
    std::shared_ptr<net::TlsServer> tls;
    std::string face;
  };

  [[nodiscard]] Status open_one(const ListenPlan& plan, net::Server& server, std::ostream& out);
  [[nodiscard]] Result<net::ListenOptions> options_for(const std::string& face);
  [[nodiscard]] std::unique_ptr<net::Handler> make_face(const std::string& face);
  [[nodiscard]] Result<std::shared_ptr<net::TlsServer>> secure(const std::string& face);
  [[nodiscard]] Result<net::TlsServerSettings> tls_settings(const std::string& face) const;
  [[nodiscard]] Status reload();

  Site& site_;
  std::unique_ptr<admin::Metrics> metrics_;  // where there is an admin listener to ask for them; outlives the faces
  std::vector<std::unique_ptr<net::Handler>> faces_;
  std::mutex mutex_;
  std::vector<SecureListener> secure_;
};

}  // namespace birthmark::app
