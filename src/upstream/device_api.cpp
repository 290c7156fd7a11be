// SPDX-License-Identifier: Apache-2.0
#include "upstream/device_api.h"

#include <algorithm>

#include "upstream/device_answer.h"

namespace birthmark::upstream {
namespace {

class DeviceApiConnection final : public core::Upstream {
 public:
  explicit DeviceApiConnection(DeviceApi& site) : site_(site), client_(site.settings().trust) {}

  core::UpstreamReply deliver(const core::OutboxMessage& message) override {
    auto response = ask("PUT", site_.settings().url, message.body);
    core::UpstreamReply reply;
    if (response) {
      reply.status = response->status;
      reply.retry_after = retry_after(*response, std::time(nullptr));
      reply.text = noted(response->body);
      return reply;
    }
    // A token that cannot be read is treated as one that was refused: it heals when the file does.
    if (no_token_) reply.status = 401;
    reply.may_have_arrived = !no_token_ && client_.may_have_arrived();
    reply.text = noted(response.error().describe());
    return reply;
  }

  core::UpstreamKey key_of(const core::DeviceIdentity& identity) override {
    using Answer = core::UpstreamKey::Answer;
    const std::uint64_t credentials = site_.credentials_version();
    if (may_not_read_ == credentials) return {Answer::may_not_read, {}};
    auto response = ask("GET", device_url(identity), {});
    if (!response) return {Answer::unreadable, {}};
    if (response->status == 401 || response->status == 403) {
      may_not_read_ = credentials;
      return {Answer::may_not_read, {}};
    }
    if (response->status == 404) return {Answer::not_there, {}};
    auto key = response->status == 200 ? public_key_in(response->body) : std::nullopt;
    if (!key) return {Answer::unreadable, {}};
    return {Answer::key, std::move(*key)};
  }

 private:
  // An external id consists of characters that a path may hold as they are (core/identity.h); anything else is encoded.
  [[nodiscard]] std::string device_url(const core::DeviceIdentity& identity) const {
    std::string url = site_.settings().url;
    url.erase(std::min(url.find_first_of("?#"), url.size()));
    if (!url.ends_with('/')) url += '/';
    return url + net::percent_encoded(identity.external_id) + "/?factory=" + net::percent_encoded(identity.factory) + "&by-uuid=1";
  }

  Result<net::ClientResponse> ask(const char* method, std::string url, const std::string& body) {
    no_token_ = false;
    net::ClientRequest request;
    request.method = method;
    request.url = std::move(url);
    request.body = body;
    request.timeout = site_.settings().timeout;
    request.headers.emplace_back("Accept", "application/json");
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    auto token = site_.token();
    if (!token) {
      no_token_ = true;
      return forward_error(token);
    }
    if (!token->empty()) request.headers.emplace_back("OSF-TOKEN", std::move(*token));
    auto response = client_.ask(request);
    // Files of the trust may have been mended: they are read anew for the next connection.
    if (!response && response.error().code == ErrorCode::misconfigured) client_ = net::HttpClient(site_.settings().trust);
    return response;
  }

  DeviceApi& site_;
  net::HttpClient client_;
  bool no_token_ = false;
  std::uint64_t may_not_read_ = 0;  // the credentials that were refused a GET
};

}  // namespace

std::unique_ptr<core::Upstream> DeviceApi::connect() {
  return std::make_unique<DeviceApiConnection>(*this);
}

std::uint64_t DeviceApi::credentials_version() {
  return settings_.token_file.empty() ? 1 : token_.version();
}

Result<std::string> DeviceApi::token() {
  if (settings_.token_file.empty()) return std::string();
  return token_.read();
}

}  // namespace birthmark::upstream
