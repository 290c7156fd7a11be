// SPDX-License-Identifier: Apache-2.0
#include "app/outside_lines.h"

#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"

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

// Its public half lies beside it, for whoever checks signatures.
Result<crypto::PrivateKey> hooks_key(const std::filesystem::path& directory) {
  const auto path = directory / "keys" / "hooks.key";
  if (!std::filesystem::exists(path)) {
    BIRTHMARK_TRY(const auto fresh, crypto::PrivateKey::generate_p256());
    BIRTHMARK_TRY(const auto pem, fresh.to_pem());
    BIRTHMARK_CHECK(create_file(path, pem, 0600));
  }
  BIRTHMARK_TRY(auto key, crypto::PrivateKey::load(path));
  BIRTHMARK_TRY(const Bytes spki, key.spki_der());
  BIRTHMARK_CHECK(replace_file(directory / "hooks.pub", encode_pem("PUBLIC KEY", spki), 0644));
  return key;
}

}  // namespace

Result<std::unique_ptr<OutsideLines>> OutsideLines::make(const std::filesystem::path& directory, const UpstreamConfig& upstream,
                                                         const HooksConfig& hooks, Parts parts) {
  std::unique_ptr<OutsideLines> lines(new OutsideLines(parts));
  if (upstream.configured()) lines->add_upstream(directory, upstream, parts);
  if (hooks.configured()) {
    BIRTHMARK_TRY(auto key, hooks_key(directory));
    lines->add_hooks(directory, hooks, parts, std::move(key));
  }
  return lines;
}

void OutsideLines::add_upstream(const std::filesystem::path& directory, const UpstreamConfig& config, const Parts& parts) {
  core::CourierSettings settings;
  settings.channel = core::OutboxChannel::upstream;
  settings.parallel = config.parallel;
  settings.wait_deadline = config.wait_deadline;
  upstream_.site = std::make_unique<upstream::DeviceApi>(api_settings(directory, config));
  upstream_.courier = std::make_unique<core::Courier>(parts.outbox, parts.codec, parts.clock, parts.random, *upstream_.site, settings);
  dispatch_.set_upstream(*upstream_.courier,
                         {.must_know_first = config.mode == UpstreamMode::wait, .send_name = config.send_name, .group = config.group});
}

// One at a time, so that the events of the line arrive in their order.
void OutsideLines::add_hooks(const std::filesystem::path& directory, const HooksConfig& config, const Parts& parts,
                             crypto::PrivateKey key) {
  upstream::HookSettings hook;
  hook.url = config.url;
  hook.trust.ca_file = below(directory, config.ca_file);
  hook.timeout = config.timeout;
  auto shared = std::make_shared<const crypto::PrivateKey>(std::move(key));
  hook.sign = [shared](const std::string& body) -> Result<std::string> {
    BIRTHMARK_TRY(const Bytes signature, shared->sign(shared->default_scheme(), as_bytes(body)));
    return to_base64(signature);
  };
  core::CourierSettings settings;
  settings.channel = core::OutboxChannel::events;
  settings.parallel = 1;
  settings.rules.any_success = true;
  hooks_.site = std::make_unique<upstream::Hook>(std::move(hook));
  hooks_.courier = std::make_unique<core::Courier>(parts.outbox, parts.codec, parts.clock, parts.random, *hooks_.site, settings);
  dispatch_.set_events(*hooks_.courier);
}

Status OutsideLines::start() {
  if (upstream_.courier) BIRTHMARK_CHECK(upstream_.courier->start());
  if (hooks_.courier) BIRTHMARK_CHECK(hooks_.courier->start());
  return {};
}

void OutsideLines::stop() {
  if (upstream_.courier) upstream_.courier->stop();
  if (hooks_.courier) hooks_.courier->stop();
}

std::optional<core::CourierFigures> OutsideLines::upstream_figures() const {
  if (!upstream_.courier) return std::nullopt;
  return upstream_.courier->figures();
}

std::optional<core::CourierFigures> OutsideLines::hook_figures() const {
  if (!hooks_.courier) return std::nullopt;
  return hooks_.courier->figures();
}

}  // namespace birthmark::app
