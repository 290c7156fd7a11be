// SPDX-License-Identifier: Apache-2.0
#include "app/audit_head_file.h"

#include <array>
#include <string>

#include "base/crash_point.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/signature.h"

namespace birthmark::app {
namespace {

// The file is three lines: the head, the time it was written, the signature (base64) over the first two.
struct Lines {
  std::string_view head, at, signature;
};

std::optional<Lines> split(std::string_view text) {
  std::array<std::string_view, 3> lines;
  for (std::string_view& line : lines) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  return Lines{lines[0], lines[1], lines[2]};
}

std::string signed_part(std::string_view head, std::string_view at) {
  return "birthmark audit head 1\n" + std::string(head) + '\n' + std::string(at) + '\n';
}

}  // namespace

Result<std::optional<core::AuditHead>> AuditHeadFile::read() const {
  constexpr std::size_t kMaxBytes = 4096;
  auto text = read_file(path_, kMaxBytes);
  if (!text && text.error().code == ErrorCode::not_found) return std::optional<core::AuditHead>();
  if (!text) return forward_error(text);
  const auto lines = split(*text);
  const auto signature = lines ? from_base64(lines->signature) : std::nullopt;
  if (!signature) return fail(ErrorCode::conflict, path_.string() + " is not an audit head");
  BIRTHMARK_TRY(const Bytes spki, key_.spki_der());
  const std::string message = signed_part(lines->head, lines->at);
  BIRTHMARK_TRY(const bool genuine, crypto::verify_signature(spki, key_.default_scheme(), as_bytes(message), *signature));
  if (!genuine) return fail(ErrorCode::conflict, path_.string() + " does not carry a signature by keys/audit.key: somebody else wrote it");
  BIRTHMARK_TRY(auto head, core::parse_audit_head(lines->head));
  return std::optional<core::AuditHead>(head);
}

Status AuditHeadFile::write(const core::AuditHead& head, Instant at) {
  if (written_ == head) return {};
  const std::string line = core::format_audit_head(head);
  const std::string time = format_rfc3339(at);
  BIRTHMARK_TRY(const Bytes signature, key_.sign(key_.default_scheme(), as_bytes(signed_part(line, time))));
  BIRTHMARK_CRASH_POINT("audit_head.before_write");
  BIRTHMARK_CHECK(replace_file(path_, line + '\n' + time + '\n' + to_base64(signature) + '\n', 0644));
  written_ = head;
  return {};
}

Status AuditHeadFile::check(core::Registry& registry) const {
  BIRTHMARK_TRY(const auto kept, read());
  if (!kept || kept->count == 0) return {};
  BIRTHMARK_TRY(const auto chain, registry.audit_head());
  const std::string advice = "; run `birthmark audit verify`, put the right database back, or, if this database is the one to keep, move " +
                             path_.string() + " aside and keep it as evidence";
  if (chain.count < kept->count) {
    return fail(ErrorCode::conflict, "the database is older than the signed audit head: its audit has " + std::to_string(chain.count) +
                                         " records, the head counts " + std::to_string(kept->count) + advice);
  }
  BIRTHMARK_TRY(const auto records, registry.audit_records(kept->count - 1, 1));
  if (records.empty() || records.front().sequence != kept->count || records.front().hash != kept->hash)
    return fail(ErrorCode::conflict,
                "the database's audit is not the one that was signed: record " + std::to_string(kept->count) + " differs" + advice);
  return {};
}

}  // namespace birthmark::app
