// SPDX-License-Identifier: Apache-2.0
#include "app/outside_lines.h"

#include <condition_variable>
#include <utility>

#include "base/file.h"
#include "base/log.h"
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

// A full disk, say, must not need a restart.
void start_patiently(core::Courier& courier, const std::stop_token& stop) {
  constexpr std::chrono::seconds kPause{1};
  std::mutex mutex;
  std::condition_variable_any wakes;
  for (bool told = false; !stop.stop_requested(); told = true) {
    const Status started = courier.start();
    if (started) return;
    if (!told) log::error("deliveries do not start yet", {{"error", started.error().describe()}});
    std::unique_lock held(mutex);
    wakes.wait_for(held, stop, kPause, [] { return false; });
  }
}

}  // namespace

// What use() takes over: the lines that changed.
struct OutsideLines::Change {
  UpstreamConfig upstream_config;
  HooksConfig hooks_config;
  std::optional<Line> upstream;
  std::optional<Line> hooks;
};

Result<std::unique_ptr<OutsideLines>> OutsideLines::make(const std::filesystem::path& directory, const UpstreamConfig& upstream,
                                                         const HooksConfig& hooks, Parts parts) {
  std::unique_ptr<OutsideLines> lines(new OutsideLines(directory, parts));
  BIRTHMARK_TRY(const auto first, lines->prepare(upstream, hooks));
  lines->use(first);
  return lines;
}

OutsideLines::~OutsideLines() {
  finish_change();
}

// Lines that could not start yet are given up: others follow, or the server ends.
void OutsideLines::finish_change() {
  changing_.request_stop();
  if (changing_.joinable()) changing_.join();
}

OutsideLines::Line OutsideLines::upstream_line(const UpstreamConfig& config) const {
  if (!config.configured()) return {};
  core::CourierSettings settings;
  settings.channel = core::OutboxChannel::upstream;
  settings.parallel = config.parallel;
  settings.wait_deadline = config.wait_deadline;
  Line line;
  line.site = std::make_shared<upstream::DeviceApi>(api_settings(directory_, config));
  line.courier = std::make_shared<core::Courier>(parts_.outbox, parts_.codec, parts_.clock, parts_.random, *line.site, settings);
  return line;
}

// One at a time, so that the events of the line arrive in their order.
Result<OutsideLines::Line> OutsideLines::hooks_line(const HooksConfig& config) const {
  if (!config.configured()) return Line{};
  BIRTHMARK_TRY(auto key, hooks_key(directory_));
  upstream::HookSettings hook;
  hook.url = config.url;
  hook.trust.ca_file = below(directory_, config.ca_file);
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
  Line line;
  line.site = std::make_shared<upstream::Hook>(std::move(hook));
  line.courier = std::make_shared<core::Courier>(parts_.outbox, parts_.codec, parts_.clock, parts_.random, *line.site, settings);
  return line;
}

Result<std::shared_ptr<OutsideLines::Change>> OutsideLines::prepare(const UpstreamConfig& upstream, const HooksConfig& hooks) const {
  auto change = std::make_shared<Change>(Change{upstream, hooks, {}, {}});
  const std::lock_guard held(mutex_);
  if (upstream != upstream_config_) change->upstream = upstream_line(upstream);
  if (hooks != hooks_config_) {
    BIRTHMARK_TRY(auto line, hooks_line(hooks));
    change->hooks = std::move(line);
  }
  return change;
}

void OutsideLines::use(const std::shared_ptr<Change>& change) {
  finish_change();
  std::vector<Line> ended, fresh;
  {
    const std::lock_guard held(mutex_);
    for (auto& [line, next] : {std::pair{&upstream_, &change->upstream}, std::pair{&hooks_, &change->hooks}}) {
      if (!*next) continue;
      ended.push_back(std::exchange(*line, **next));
      fresh.push_back(*line);
    }
    upstream_config_ = change->upstream_config;
    hooks_config_ = change->hooks_config;
    const core::UpstreamPolicy policy{.must_know_first = upstream_config_.mode == UpstreamMode::wait,
                                      .send_name = upstream_config_.send_name,
                                      .group = upstream_config_.group};
    dispatch_.set(upstream_.courier, policy, hooks_.courier);
    if (!started_) return;
  }
  if (fresh.empty()) return;
  changing_ = std::jthread([ended = std::move(ended), fresh = std::move(fresh)](const std::stop_token& stop) {
    for (const Line& line : ended)
      if (line.courier) line.courier->stop();
    for (const Line& line : fresh)
      if (line.courier) start_patiently(*line.courier, stop);
  });
}

Status OutsideLines::start() {
  const std::lock_guard held(mutex_);
  started_ = true;
  for (const Line* line : {&upstream_, &hooks_})
    if (line->courier) BIRTHMARK_CHECK(line->courier->start());
  return {};
}

void OutsideLines::stop() {
  finish_change();
  const std::lock_guard held(mutex_);
  for (const Line* line : {&upstream_, &hooks_})
    if (line->courier) line->courier->stop();
}

std::optional<core::CourierFigures> OutsideLines::upstream_figures() const {
  const std::lock_guard held(mutex_);
  if (!upstream_.courier) return std::nullopt;
  return upstream_.courier->figures();
}

std::optional<core::CourierFigures> OutsideLines::hook_figures() const {
  const std::lock_guard held(mutex_);
  if (!hooks_.courier) return std::nullopt;
  return hooks_.courier->figures();
}

}  // namespace birthmark::app
