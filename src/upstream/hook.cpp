// SPDX-License-Identifier: Apache-2.0
#include "upstream/hook.h"

namespace birthmark::upstream {
namespace {

class HookConnection final : public core::Upstream {
 public:
  explicit HookConnection(const HookSettings& settings) : settings_(settings), client_(settings.trust) {}

  core::UpstreamReply deliver(const core::OutboxMessage& message) override {
    core::UpstreamReply reply;
    auto signature = settings_.sign(message.body);
    if (!signature) {
      reply.text = signature.error().describe();
      return reply;
    }
    net::ClientRequest request;
    request.method = "POST";
    request.url = settings_.url;
    request.body = message.body;
    request.timeout = settings_.timeout;
    request.headers = {{"Content-Type", "application/json"},
                       {"Birthmark-Event", std::to_string(message.row)},
                       {"Birthmark-Signature", std::move(*signature)}};
    auto response = client_.ask(request);
    if (response) {
      reply.status = response->status;
      return reply;
    }
    reply.may_have_arrived = client_.may_have_arrived();
    reply.text = response.error().describe();
    return reply;
  }

  core::UpstreamKey key_of(const core::DeviceIdentity&) override { return {}; }

 private:
  const HookSettings& settings_;
  net::HttpClient client_;
};

}  // namespace

std::unique_ptr<core::Upstream> Hook::connect() {
  return std::make_unique<HookConnection>(settings_);
}

}  // namespace birthmark::upstream
