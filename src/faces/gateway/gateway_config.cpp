// SPDX-License-Identifier: Apache-2.0
// GET and PATCH /config, GET /config-device (protocol facts, gateway 3.1, 3.2, 3.5).
#include <algorithm>
#include <array>

#include "base/crash_point.h"
#include "base/pem.h"
#include "faces/gateway/gateway_face.h"
#include "net/http_date.h"
#include "net/response_writer.h"

namespace birthmark::faces::gateway {
namespace {

// What a device may bring by itself: its init steps.
constexpr std::array<std::string_view, 2> kOwnFiles{"fio-remote-actions", "wireguard-client"};
constexpr std::size_t kMaxOwnValue = 64U << 10U;

net::Response empty(int status) {
  net::Response response;
  response.status = status;
  return response;
}

std::time_t seconds(Instant at) {
  return static_cast<std::time_t>(to_unix_ms(at) / 1000);
}

// During a rotation the device uploads what it has, encrypted to its next key; else only its init steps.
Status check_own_files(const core::ConfigPatch& patch, const core::ConfigFiles& present) {
  for (const auto& [name, file] : patch.files) {
    const bool init_step = std::find(kOwnFiles.begin(), kOwnFiles.end(), name) != kOwnFiles.end();
    const bool reencrypted = !patch.public_key.empty() && present.contains(name);
    if (!init_step && !reencrypted) return fail(ErrorCode::forbidden, "a device may not set the file " + name);
    // What an operator could store, the device must be able to bring back: a rotation that is refused here never ends.
    if (!reencrypted && file.value.size() > kMaxOwnValue) return fail(ErrorCode::too_large, "the value of " + name + " is too large");
    if (init_step && !reencrypted && !file.unencrypted) return fail(ErrorCode::invalid, "the file " + name + " must be unencrypted");
  }
  return {};
}

net::Response error_response(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid: return net::json_error(400, error.public_message);
    case ErrorCode::forbidden: return net::json_error(403, error.public_message);
    case ErrorCode::too_large: return net::json_error(413, error.public_message);
    default: return net::json_error(503, error.public_message);
  }
}

}  // namespace

// 304 exactly when the configuration is not newer than what the client has; the client keeps the Date of the 200 as that.
Task<net::Response> GatewayFace::deliver_config(const net::Request& request, DevicePointer device) {
  auto merged = co_await configs_.deliver(device->identity, device->group);
  if (!merged) co_return error_response(merged.error());
  if (!merged->at) co_return empty(204);
  const std::time_t changed = seconds(*merged->at);
  const auto held = net::parse_http_date(request.header("If-Modified-Since"));
  if (held && changed <= *held) co_return empty(304);
  net::Response response;
  response.headers.emplace_back("Date", net::format_http_date(changed));
  response.body = std::move(merged->json);
  co_return response;
}

net::Response GatewayFace::deliver_own_config(const core::AdmittedDevice& device) {
  auto own = configs_.current(core::device_config(device.identity));
  if (!own) return error_response(own.error());
  if (own->row == 0 || own->files.empty()) return empty(204);
  net::Response response;
  response.headers.emplace_back("Date", net::format_http_date(seconds(own->at)));
  response.body = core::render_device_config(own->files);
  return response;
}

// fioconfig's encryptor makes nothing of an empty text, and its decryptor refuses nothing: a device that brought an empty secret back in
// its rotation would fail at every check-in from then on. What it means is clear, and its next key is in the request.
Status GatewayFace::seal_empty_values(core::ConfigPatch& patch) const {
  if (patch.public_key.empty()) return {};
  for (auto& [name, file] : patch.files) {
    if (file.unencrypted || !file.value.empty()) continue;
    const auto key = decode_first_pem(patch.public_key);
    if (!key || key->label != "PUBLIC KEY") return fail(ErrorCode::invalid, "public-key must be a PEM PUBLIC KEY");
    auto sealed = parts_.seal(key->contents, {});
    if (!sealed) return fail(ErrorCode::invalid, "public-key: " + sealed.error().public_message);
    file.value = std::move(*sealed);
  }
  return {};
}

Task<net::Response> GatewayFace::change_config(const net::Request& request, DevicePointer device) {
  auto patch = core::parse_config_patch(request.body);
  if (!patch) co_return error_response(patch.error());
  const core::FieldKey owner = core::device_config(device->identity);
  const auto present = configs_.current(owner);
  if (!present) co_return error_response(present.error());
  if (const auto judged = check_own_files(*patch, present->files); !judged) co_return error_response(judged.error());
  if (const auto sealed = seal_empty_values(*patch); !sealed) co_return error_response(sealed.error());
  const std::string actor = "device " + device->identity.external_id;
  const Instant now = parts_.clock.now();
  BIRTHMARK_CRASH_POINT("gateway.before_own_config");
  auto written = co_await configs_.patch(owner, patch->files, patch->reason, actor, now);
  if (!written) co_return error_response(written.error());
  BIRTHMARK_CRASH_POINT("gateway.after_own_config");
  co_return empty(201);
}

}  // namespace birthmark::faces::gateway
