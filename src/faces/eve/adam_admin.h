// SPDX-License-Identifier: Apache-2.0
// adam's administration (protocol facts, EVE 5.2): its paths and JSON shapes under /admin, so that tools written for it drive this
// controller. Asks for no credentials: whoever puts it behind a listener does.
#pragma once

#include <string>
#include <string_view>

#include "core/onboarder.h"
#include "core/onboarding_keeper.h"
#include "core/ports/field_log.h"
#include "faces/eve/controller.h"
#include "net/http.h"

namespace birthmark::faces::eve {

class AdamAdmin final : public net::Handler {
 public:
  // All of it outlives the handler.
  struct Parts {
    core::Onboarder& onboarder;
    core::Nodes& nodes;
    core::FieldLog& field;
    core::Registry& registry;
    const core::X509Codec& codec;
    const core::Clock& clock;
    const ControllerSource& controller;
  };
  explicit AdamAdmin(const Parts& parts) : parts_(parts) {}

  [[nodiscard]] Task<net::Response> handle(const net::Request& request) override;

 private:
  [[nodiscard]] Task<net::Response> onboard(const net::Request& request, std::string name);
  [[nodiscard]] Task<net::Response> put_onboard(const net::Request& request);
  [[nodiscard]] Task<net::Response> remove_onboard(std::string name);
  [[nodiscard]] net::Response get_onboard(const std::string& name) const;
  [[nodiscard]] Task<net::Response> devices(const net::Request& request);
  [[nodiscard]] Task<net::Response> add_device(const net::Request& request);
  [[nodiscard]] Task<net::Response> device(const net::Request& request, core::NodeRecord node, std::string what);
  [[nodiscard]] net::Response get_device(const core::NodeRecord& node) const;
  [[nodiscard]] Task<net::Response> remove_device(core::NodeRecord node);
  [[nodiscard]] Task<net::Response> config(const net::Request& request, core::NodeRecord node);
  [[nodiscard]] net::Response certificates(const core::NodeRecord& node) const;
  [[nodiscard]] net::Response reports(const core::NodeRecord& node, const std::string& what) const;
  [[nodiscard]] Result<std::vector<core::NodeRecord>> active_nodes() const;
  [[nodiscard]] Result<std::string> onboarding_pem(core::RowId row) const;
  [[nodiscard]] core::OperatorAct act() const { return {"adam administration", "adam"}; }

  const Parts parts_;
};

}  // namespace birthmark::faces::eve
