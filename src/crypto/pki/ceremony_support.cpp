// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/ceremony_support.h"

#include <algorithm>

namespace birthmark::crypto {

Result<OpenRoot> open_root(const PkiDirectory& directory) {
  BIRTHMARK_TRY(Certificate certificate, directory.root());
  BIRTHMARK_TRY(PrivateKey key, directory.root_key(certificate));
  return OpenRoot{std::move(certificate), std::move(key)};
}

Result<std::string> factory_of(const Certificate& root) {
  std::vector<std::string> units = root.organizational_units();
  if (units.size() != 1 || units.front().empty()) {
    return fail(ErrorCode::misconfigured, "the root certificate does not name one factory (OU): " + root.subject_text());
  }
  return std::move(units.front());
}

Status check_factory(const std::vector<std::string>& organizational_units, const std::string& factory, const std::string& whose) {
  const auto other =
      std::find_if(organizational_units.begin(), organizational_units.end(), [&](const std::string& unit) { return unit != factory; });
  if (other == organizational_units.end()) return {};
  return fail(ErrorCode::conflict, whose + " is for factory '" + *other + "', not '" + factory + "'");
}

Result<CertificateRequest> read_request(const std::filesystem::path& path, const std::string& factory) {
  BIRTHMARK_TRY(const std::string text, read_file(path));
  auto request = CertificateRequest::from_pem(text);
  if (!request) {
    request.error().public_message = path.string() + ": " + request.error().public_message;
    return request;
  }
  if (!factory.empty()) BIRTHMARK_CHECK(check_factory(request->organizational_units(), factory, path.string()));
  return request;
}

Result<CertificateRequest> read_online_ca_request(const std::filesystem::path& directory, const std::string& factory) {
  const std::filesystem::path path = directory / kOnlineCaRequestFile;
  BIRTHMARK_TRY(CertificateRequest request, read_request(path, factory));
  if (request.organizational_units().size() != 1) {
    return fail(ErrorCode::invalid, path.string() + " must name its factory once (OU): no server would trust the CA");
  }
  return request;
}

std::string compact_time(Instant at) {
  std::string text = format_rfc3339(at);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

}  // namespace birthmark::crypto
