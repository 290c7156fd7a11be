// SPDX-License-Identifier: Apache-2.0
// `birthmark ca ... --api URL`: the calls that fioctl makes for the same commands, member for member (protocol facts, Foundries 1.3),
// against any server that speaks the factory API.
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "core/ports/factory_pki.h"
#include "crypto/pki/show.h"
#include "net/client.h"

namespace birthmark::cli {

struct ApiOptions {
  std::string url;  // empty: no API is used
  std::string factory;
  std::filesystem::path token_file;
  std::string ca_file;

  [[nodiscard]] bool given() const { return !url.empty(); }
};
// --api, --token-file, --api-ca, and --factory where the command has none of its own.
void declare_api(CLI::App& command, ApiOptions& options);

class FactoryApi {
 public:
  // misconfigured when something is missing, or the token would cross a network in the clear.
  [[nodiscard]] static Result<FactoryApi> open(const ApiOptions& options);

  [[nodiscard]] Result<core::CertificateRequests> request(const core::CertificateOrder& order);
  // not_found as long as the factory has no PKI.
  [[nodiscard]] Result<core::PkiStanding> standing();
  [[nodiscard]] Status submit(const core::PkiSubmission& submission);
  [[nodiscard]] Result<std::string> own_user_id();

 private:
  FactoryApi(ApiOptions options, std::string token, net::TlsTrust trust)
      : options_(std::move(options)), token_(std::move(token)), client_(std::move(trust)) {}
  // `path` below the factory's; the answer's JSON object.
  [[nodiscard]] Result<boost::json::object> ask(const std::string& method, const std::string& path, const std::string& body, int& status);

  const ApiOptions options_;
  const std::string token_;
  net::HttpClient client_;
};

// Requests where a ceremony expects them, in a private folder that goes with the object.
class RequestFolder {
 public:
  [[nodiscard]] static Result<RequestFolder> make(const core::CertificateRequests& requests);
  RequestFolder(RequestFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  RequestFolder& operator=(RequestFolder&&) = delete;
  ~RequestFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit RequestFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// Bundles are joined by a blank line (Foundries 1.3).
[[nodiscard]] std::string joined_bundle(const std::vector<std::string>& pems);
[[nodiscard]] Result<crypto::PkiView> view_standing(const core::PkiStanding& standing);

}  // namespace birthmark::cli
