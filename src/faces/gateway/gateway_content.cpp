// SPDX-License-Identifier: Apache-2.0
// GET /repo/* and /ostree/*: files of configured directories (protocol facts, gateway 1.3, class O).
#include "base/text.h"
#include "faces/gateway/gateway_face.h"

namespace birthmark::faces::gateway {
namespace {

net::Response file_response(Result<FileContent>& file, bool ranged) {
  if (!file) {
    switch (file.error().code) {
      case ErrorCode::invalid: return net::json_error(416, file.error().public_message);
      case ErrorCode::too_large: return net::json_error(413, file.error().public_message);
      case ErrorCode::not_found: return net::json_error(404, "Not Found");
      default: return net::json_error(503, file.error().public_message);
    }
  }
  net::Response response;
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (ranged) {
    response.status = 206;
    const std::uint64_t last = file->offset + file->bytes.size() - 1;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(file->offset) + "-" + std::to_string(last) + "/" + std::to_string(file->total));
  }
  response.body = std::move(file->bytes);
  return response;
}

}  // namespace

// The tree of the device's own kind comes first, that of its tag before all: a production device never gets a file of the test tree, nor
// the reverse. What is in neither - the roots, which are the same for all - is at the top.
net::Response GatewayFace::serve_repository(const net::Request& request, const core::AdmittedDevice& device) {
  if (!repository_.configured()) return net::json_error(404, "Not Found");
  const std::string name(request.path.substr(std::string_view("/repo/").size()));
  if (name.find('/') != std::string::npos) return net::json_error(404, "Not Found");
  const std::string tree = device.production ? "prod/" : "ci/";
  const std::string tag(request.header("x-ats-tags"));
  Result<FileContent> file = fail(ErrorCode::not_found, "Not Found");
  if (!tag.empty() && tag.find('/') == std::string::npos) file = repository_.read(tree + tag + "/" + name);
  if (!file) file = repository_.read(tree + name);
  if (!file) file = repository_.read(name);
  if (!file) return file_response(file, false);
  const std::string digest = to_hex(parts_.codec.sha256(as_bytes(file->bytes)).view());
  net::Response response = file_response(file, false);
  response.headers.emplace_back("x-ats-role-checksum", digest);
  return response;
}

net::Response GatewayFace::serve_ostree(const net::Request& request) {
  if (!ostree_.configured()) return net::json_error(404, "Not Found");
  const auto range = parse_range(request.header("Range"));
  auto file = ostree_.read(request.path.substr(std::string_view("/ostree/").size()), range);
  net::Response response = file_response(file, range.has_value());
  response.content_type = response.status < 300 ? "application/octet-stream" : response.content_type;
  if (response.status < 300) response.headers.emplace_back("Cache-Control", "private, max-age=86400");
  return response;
}

}  // namespace birthmark::faces::gateway
