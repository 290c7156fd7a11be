// SPDX-License-Identifier: Apache-2.0
#include "app/upstream_line.h"

namespace birthmark::app {
namespace {

std::string below(const std::filesystem::path& directory, const std::string& path) {
  return path.empty() ? std::string() : (directory / path).string();  // an absolute path stays itself
}

upstream::DeviceApiSettings api_settings(const std::filesystem::path& directory, const UpstreamConfig& config) {
  upstream::DeviceApiSettings settings;
  settings.url = config.url;
  settings.token_file = below(directory, config.token_file);
  settings.token_may_be_shared = config.token_may_be_shared;
  settings.trust.ca_file = below(directory, config.ca_file);
  settings.trust.peer_check = config.verify ? net::PeerCheck::required : net::PeerCheck::none;
  settings.timeout = config.timeout;
  return settings;
}

core::CourierSettings courier_settings(const UpstreamConfig& config) {
  core::CourierSettings settings;
  settings.channel = core::OutboxChannel::upstream;
  settings.parallel = config.parallel;
  settings.wait_deadline = config.wait_deadline;
  return settings;
}

core::UpstreamPolicy policy(const UpstreamConfig& config) {
  return {.must_know_first = config.mode == UpstreamMode::wait, .send_name = config.send_name, .group = config.group};
}

}  // namespace

UpstreamLine::UpstreamLine(const std::filesystem::path& directory, const UpstreamConfig& config, Parts parts)
    : site_(api_settings(directory, config)),
      courier_(parts.outbox, parts.codec, parts.clock, parts.random, site_, courier_settings(config)),
      dispatch_(courier_, policy(config)) {}

}  // namespace birthmark::app
