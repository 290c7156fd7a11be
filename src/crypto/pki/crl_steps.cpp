// SPDX-License-Identifier: Apache-2.0
// `ca revoke-device-ca`, `ca disable-device-ca` and `ca enable-device-ca`: short-lived signed commands about device CAs.
#include <algorithm>

#include "crypto/pki/ceremony_support.h"
#include "crypto/pki/describe.h"

namespace birthmark::crypto {
namespace {

Result<std::string> serial_of_file(const PkiDirectory& directory, const std::string& name) {
  if (!is_plain_name(name))
    return fail(ErrorCode::invalid, "--ca-file takes the name of a file in the PKI directory, not a path: '" + name + "'");
  BIRTHMARK_TRY(const auto found, directory.certificate(name));
  if (!found) return fail(ErrorCode::not_found, "there is no file " + directory.file(name).string());
  return found->serial_decimal();
}

Result<std::string> normal_serial(const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 60 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return fail(ErrorCode::invalid, "--ca-serial takes a number in base 10, not '" + text + "'");
  const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
  return text.substr(first);
}

// The serials meant, each that of a device CA in the directory, none twice.
Result<std::vector<std::string>> wanted_serials(const CrlCommandRequest& request, const PkiDirectory& directory, const Certificate& root) {
  if (request.ca_files.empty() && request.ca_serials.empty()) return fail(ErrorCode::invalid, "say which: --ca-file NAME or --ca-serial N");
  std::vector<std::string> serials;
  for (const std::string& name : request.ca_files) {
    BIRTHMARK_TRY(std::string serial, serial_of_file(directory, name));
    serials.push_back(std::move(serial));
  }
  for (const std::string& text : request.ca_serials) {
    BIRTHMARK_TRY(std::string serial, normal_serial(text));
    serials.push_back(std::move(serial));
  }
  BIRTHMARK_TRY(const auto cas, directory.device_cas(root));
  std::vector<std::string> unique;
  for (std::string& serial : serials) {
    const bool known =
        std::any_of(cas.begin(), cas.end(), [&](const NamedCertificate& ca) { return ca.certificate.serial_decimal() == serial; });
    if (!known)
      return fail(ErrorCode::not_found, "There is no active device CA with serial " + serial + " in " + directory.path().string());
    if (std::find(unique.begin(), unique.end(), serial) == unique.end()) unique.push_back(std::move(serial));
  }
  return unique;
}

// Milliseconds of civil time, or one more than the highest number here where the clock stands behind it.
Result<std::uint64_t> next_number(const PkiDirectory& directory, const Certificate& root, Instant now) {
  BIRTHMARK_TRY(const auto earlier, directory.crls(root));
  std::uint64_t number = static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 1));
  for (const NamedCrl& crl : earlier) {
    const std::uint64_t used = crl.crl.number().value_or(0);
    if (used < UINT64_MAX) number = std::max(number, used + 1);
  }
  return number;
}

}  // namespace

Result<CrlCommandOutcome> make_crl_command(const CeremonyTools& tools, const CrlCommandRequest& request) {
  BIRTHMARK_TRY(const PkiDirectory directory, PkiDirectory::open(request.directory, tools.vault));
  BIRTHMARK_TRY(const FileDescriptor lock, directory.lock());
  BIRTHMARK_TRY(const OpenRoot root, open_root(directory));
  BIRTHMARK_TRY(const auto serials, wanted_serials(request, directory, root.certificate));
  CrlRequest wanted{{}, 1, tools.now, request.valid_for};
  for (const std::string& serial : serials) wanted.entries.push_back({serial, reason_of(request.verdict)});
  BIRTHMARK_TRY(wanted.number, next_number(directory, root.certificate, tools.now));
  tools.say("Signing the revocation list with the root");
  BIRTHMARK_TRY(const Crl crl, make_crl(root.authority(), wanted));
  CrlCommandOutcome outcome{{}, crl.pem(), describe_crl(crl)};
  if (request.dry_run) return outcome;
  const std::string stem = "crl-" + std::string(to_string(request.verdict)) + "-" + compact_time(tools.now);
  BIRTHMARK_TRY(const std::string name, directory.create_artefact(stem, outcome.pem));
  outcome.outcome.artefacts.push_back(directory.file(name));
  return outcome;
}

}  // namespace birthmark::crypto
