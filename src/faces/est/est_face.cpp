// SPDX-License-Identifier: Apache-2.0
#include "faces/est/est_face.h"

#include <algorithm>

#include "base/text.h"
#include "faces/device_door.h"

namespace birthmark::faces::est {
namespace {

constexpr std::string_view kPrefix = "/.well-known/est/";
constexpr std::string_view kRfcLabel = "rfc/";
constexpr std::size_t kMaxRequestBytes = 16U << 10U;

// RFC 7030 4.2.1: base64 of the DER, with line breaks where anybody likes (RFC 8951 3.2).
std::optional<Bytes> read_body(std::string_view body) {
  std::string text(body);
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\t'; }), text.end());
  return from_base64(text);
}

}  // namespace

Task<net::Response> EstFace::handle(const net::Request& request) {
  std::string_view operation = request.path.substr(kPrefix.size());
  Dialect dialect = Dialect::fioconfig;
  if (operation.starts_with(kRfcLabel)) {
    operation.remove_prefix(kRfcLabel.size());
    dialect = Dialect::rfc;
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (operation == "cacerts") co_return reads ? certificate_authorities() : method_not_allowed("GET, HEAD");
  if (operation == "csrattrs") {
    net::Response none;  // RFC 7030 4.5.2: nothing special is wanted
    none.status = 204;
    co_return reads ? none : method_not_allowed("GET, HEAD");
  }
  if (operation == "simpleenroll" || operation == "simplereenroll") {
    if (request.method != "POST") co_return method_not_allowed("POST");
    co_return co_await enroll(request, dialect);
  }
  co_return net::json_error(404, "Not Found");
}

// 4.1: for everybody, also before he has a certificate.
net::Response EstFace::certificate_authorities() const {
  const auto trust = trust_.current();
  std::vector<ByteView> certificates;
  if (trust->root) certificates.emplace_back(trust->root->der);
  for (const core::DeviceAuthority& authority : trust->device_authorities) {
    if (authority.record.state == core::AuthorityState::active) certificates.emplace_back(authority.record.der);
  }
  net::Response response;
  response.content_type = "application/pkcs7-mime";
  response.headers.emplace_back("Content-Transfer-Encoding", "base64");
  response.body = to_base64(bundle_(certificates)) + "\n";
  return response;
}

Task<net::Response> EstFace::enroll(const net::Request& request, Dialect dialect) {
  const Instant now = clock_.now();
  auto outcome = co_await admit_peer(gate_, request, now);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) co_return refusal_response(*refusal);
  const auto device = std::get<std::shared_ptr<const core::AdmittedDevice>>(std::move(outcome));
  if (!to_lower(request.content_type).starts_with("application/pkcs10"))
    co_return net::json_error(415, "the request must be application/pkcs10");
  if (request.body.size() > kMaxRequestBytes) co_return net::json_error(413, "the certificate request is too large");
  const auto csr = read_body(request.body);
  if (!csr) co_return net::json_error(400, "the body must be the base64 of a PKCS#10 request");
  const core::AdmittedDevice& who = *device;
  const ByteView asked(*csr);
  auto renewed = co_await renewer_.renew(who, asked, request.peer.address);
  if (const auto* refusal = std::get_if<core::Refusal>(&renewed)) co_return refusal_response(*refusal);
  net::Response response;
  response.status = dialect == Dialect::rfc ? 200 : 201;
  response.content_type = dialect == Dialect::rfc ? "application/pkcs7-mime; smime-type=certs-only" : "application/pkcs7-mime";
  response.headers.emplace_back("Content-Transfer-Encoding", "base64");
  const Bytes& certificate = std::get<core::Renewed>(renewed).certificate_der;
  response.body = to_base64(bundle_({ByteView(certificate)})) + "\n";
  co_return response;
}

}  // namespace birthmark::faces::est
