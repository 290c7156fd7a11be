// SPDX-License-Identifier: Apache-2.0
// The listeners of one server: which faces, where, behind which TLS. Made by `serve`; must outlive the net::Server it opened them on.
#pragma once

#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "app/face.h"

namespace birthmark::app {

struct ListenPlan {
  const Face* face = nullptr;
  net::Endpoint endpoint;
};

// The configured listeners, or exactly those of `--listen FACE=HOST:PORT` when there are any.
[[nodiscard]] Result<std::vector<ListenPlan>> plan_listeners(const Config& config, const std::vector<std::string>& given);
// "registration, gateway, ...": the faces that --listen takes.
[[nodiscard]] std::string face_names();

class Listeners {
 public:
  explicit Listeners(Site& site);
  ~Listeners();

  // Opens every one, or fails with the first that cannot; `out` gets a line for each. Their TLS follows the site's reloads from then on.
  [[nodiscard]] Status open(const std::vector<ListenPlan>& plans, net::Server& server, std::ostream& out);

 private:
  struct SecureListener {
    std::shared_ptr<net::TlsServer> tls;
    const Face* face = nullptr;
  };

  [[nodiscard]] Status open_one(const ListenPlan& plan, net::Server& server, std::ostream& out);
  [[nodiscard]] Result<net::ListenOptions> options_for(const Face& face, const net::Endpoint& endpoint);
  [[nodiscard]] Result<Site::Commit> prepare_reload();

  Site& site_;
  std::unique_ptr<admin::Metrics> metrics_;  // where there is an admin listener to ask for them; outlives the faces
  std::vector<std::unique_ptr<net::Handler>> handlers_;
  std::mutex mutex_;
  std::vector<SecureListener> secure_;
};

}  // namespace birthmark::app
