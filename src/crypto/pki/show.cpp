// SPDX-License-Identifier: Apache-2.0
#include "crypto/pki/show.h"

#include <algorithm>
#include <map>

#include "base/pem.h"
#include "crypto/pki/describe.h"
#include "crypto/pki/pki_directory.h"

namespace birthmark::crypto {
namespace {

// The last word of the CRLs about each serial, in the order in which they were made. A revocation is never taken back.
std::map<std::string, CaVerdict> verdicts(const std::vector<NamedCrl>& crls) {
  std::map<std::string, CaVerdict> last;
  for (const NamedCrl& crl : crls) {
    for (const CrlEntry& entry : crl.crl.entries()) {
      auto [at, added] = last.emplace(entry.serial_decimal, verdict_of(entry.reason));
      if (!added && at->second != CaVerdict::revoke) at->second = verdict_of(entry.reason);
    }
  }
  return last;
}

Status add_block(PkiView& view, const PemBlock& block) {
  if (block.label == "X509 CRL") {
    BIRTHMARK_TRY(Crl crl, Crl::from_der(block.contents));
    view.crls.push_back(std::move(crl));
    return {};
  }
  if (block.label != "CERTIFICATE") return {};  // keys and requests are not shown
  BIRTHMARK_TRY(Certificate certificate, Certificate::from_der(block.contents));
  std::vector<Certificate>& to = !certificate.is_ca() ? view.tls : certificate.is_self_signed() ? view.roots : view.device_cas;
  to.push_back(std::move(certificate));
  return {};
}

std::string certificates_text(const std::vector<Certificate>& certificates, bool pretty) {
  std::string text;
  for (const Certificate& certificate : certificates) {
    if (pretty) {
      text += describe_certificate(certificate);
    } else {
      text += certificate.pem() + "\n";  // a blank line after each, as in the bundles of Foundries 1.3
    }
  }
  return text;
}

std::string serials_text(const std::string& heading, const std::vector<std::string>& serials) {
  if (serials.empty()) return {};
  std::string text = "\n## " + heading + "\n";
  for (const std::string& serial : serials) text += " -  " + serial + "\n";
  return text;
}

std::string device_cas_text(const PkiView& view, bool pretty) {
  return certificates_text(view.device_cas, pretty) +
         serials_text("Disabled Device Authentication Certificate Serial(s)", view.disabled_serials) +
         serials_text("Revoked Device Authentication Certificate Serial(s)", view.revoked_serials);
}

std::string created_text(const PkiView& view) {
  if (view.roots.empty()) return {};
  return "## Change Metadata\nCreated at: " + format_rfc3339(view.roots.front().not_before()) + "\n";
}

}  // namespace

Result<PkiView> view_directory(const std::filesystem::path& path) {
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(path));
  BIRTHMARK_TRY(Certificate root, directory.root());
  BIRTHMARK_TRY(auto tls, directory.certificate(kTlsFile));
  // Read for its error message: the scan below passes over what it cannot read.
  BIRTHMARK_TRY(const auto online_ca, directory.certificate(kOnlineCaFile));
  BIRTHMARK_TRY(const auto local_ca, directory.certificate(kLocalCaFile));
  BIRTHMARK_TRY(auto cas, directory.device_cas(root));
  BIRTHMARK_TRY(const auto crls, directory.crls(root));
  const auto said = verdicts(crls);
  PkiView view;
  for (NamedCertificate& ca : cas) {
    const auto at = said.find(ca.certificate.serial_decimal());
    if (at != said.end() && at->second == CaVerdict::revoke) {
      view.revoked_serials.push_back(at->first);
      continue;
    }
    if (at != said.end() && at->second == CaVerdict::disable) view.disabled_serials.push_back(at->first);
    view.device_cas.push_back(std::move(ca.certificate));
  }
  view.roots.push_back(std::move(root));
  if (tls) view.tls.push_back(std::move(*tls));
  return view;
}

Result<PkiView> view_files(const std::vector<std::filesystem::path>& files) {
  PkiView view;
  for (const std::filesystem::path& file : files) {
    BIRTHMARK_TRY(const std::string text, read_file(file));
    auto blocks = decode_pem(text);
    Status added;
    if (!blocks) added = tl::make_unexpected(blocks.error());
    std::size_t shown = 0;
    for (std::size_t i = 0; added && i < blocks->size(); ++i) {
      added = add_block(view, (*blocks)[i]);
      if ((*blocks)[i].label == "CERTIFICATE" || (*blocks)[i].label == "X509 CRL") ++shown;
    }
    if (added && shown == 0) added = fail(ErrorCode::invalid, "there is no certificate or CRL in it");
    if (!added) {
      added.error().public_message = file.string() + ": " + added.error().public_message;
      return forward_error(added);
    }
  }
  return view;
}

std::string render(const PkiView& view, const ShowOptions& options) {
  switch (options.section) {
    case ShowSection::root: return certificates_text(view.roots, options.pretty);
    case ShowSection::tls: return certificates_text(view.tls, options.pretty);
    case ShowSection::device_cas: return device_cas_text(view, options.pretty);
    case ShowSection::all: break;
  }
  std::string text = created_text(view);
  text += "## Factory root certificate\n" + certificates_text(view.roots, options.pretty);
  text += "## Server TLS Certificate\n" + certificates_text(view.tls, options.pretty);
  text += "\n## Device Authentication Certificate(s)\n" + device_cas_text(view, options.pretty);
  for (const Crl& crl : view.crls) text += "\n## Certificate Revocation List\n" + (options.pretty ? describe_crl(crl) : crl.pem());
  return text;
}

}  // namespace birthmark::crypto
