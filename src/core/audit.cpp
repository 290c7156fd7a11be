// SPDX-License-Identifier: Apache-2.0
#include "core/audit.h"

#include <charconv>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::string_view kLinkTag = "birthmark audit 1";

void append_number(Bytes& to, std::uint64_t value, unsigned octets) {
  for (unsigned i = octets; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (8U * i)));
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

}  // namespace

std::string_view to_string(AuditEvent event) {
  switch (event) {
    case AuditEvent::device_issued: return "device_issued";
    case AuditEvent::device_superseded: return "device_superseded";
    case AuditEvent::device_admitted: return "device_admitted";
    case AuditEvent::device_renewed: return "device_renewed";
    case AuditEvent::device_rekeyed: return "device_rekeyed";
    case AuditEvent::config_changed: return "config_changed";
    case AuditEvent::device_refused: return "device_refused";
    case AuditEvent::device_denied: return "device_denied";
    case AuditEvent::device_allowed: return "device_allowed";
    case AuditEvent::device_deleted: return "device_deleted";
    case AuditEvent::device_changed: return "device_changed";
    case AuditEvent::device_rekey_allowed: return "device_rekey_allowed";
    case AuditEvent::device_key_forgotten: return "device_key_forgotten";
    case AuditEvent::device_imported: return "device_imported";
    case AuditEvent::device_released: return "device_released";
    case AuditEvent::order_created: return "order_created";
    case AuditEvent::order_extended: return "order_extended";
    case AuditEvent::order_closed: return "order_closed";
    case AuditEvent::token_created: return "token_created";
    case AuditEvent::token_revoked: return "token_revoked";
    case AuditEvent::station_added: return "station_added";
    case AuditEvent::station_revoked: return "station_revoked";
    case AuditEvent::operator_added: return "operator_added";
    case AuditEvent::operator_revoked: return "operator_revoked";
    case AuditEvent::settings_changed: return "settings_changed";
    case AuditEvent::trust_changed: return "trust_changed";
    case AuditEvent::clock_accepted: return "clock_accepted";
    case AuditEvent::upstream_retried: return "upstream_retried";
    case AuditEvent::upstream_dropped: return "upstream_dropped";
    case AuditEvent::gateway_provisioned: return "gateway_provisioned";
    case AuditEvent::gateway_changed: return "gateway_changed";
    case AuditEvent::checkpoint: return "checkpoint";
  }
  return "unknown";
}

std::string audit_body(AuditEvent event, Instant at, std::initializer_list<AuditField> fields) {
  std::string body;
  body.reserve(640);
  body += R"({"event":")";
  body += to_string(event);
  body += R"(","at":")";
  body += format_rfc3339_ms(at);
  body += '"';
  for (const AuditField& field : fields) {
    body += ",\"";
    body += field.name;
    body += "\":\"";
    append_json_escaped(body, field.value);
    body += '"';
  }
  body += '}';
  return body;
}

void add_field(std::string& body, const AuditField& field) {
  body.pop_back();
  body.append(",\"").append(field.name).append("\":\"");
  append_json_escaped(body, field.value);
  body += "\"}";
}

Sha256Digest audit_link(const X509Codec& codec, std::uint32_t stream, std::uint64_t sequence, const Sha256Digest& previous,
                        std::string_view body) {
  Bytes linked;
  linked.reserve(kLinkTag.size() + 12 + previous.octets.size() + body.size());
  append(linked, as_bytes(kLinkTag));
  append_number(linked, stream, 4);
  append_number(linked, sequence, 8);
  append(linked, previous.view());
  append(linked, as_bytes(body));
  return codec.sha256(linked);
}

std::string format_audit_head(const AuditHead& head) {
  return std::to_string(head.stream) + ':' + std::to_string(head.count) + ':' + to_hex(head.hash.view());
}

Result<AuditHead> parse_audit_head(std::string_view text) {
  const auto wrong = fail(ErrorCode::invalid, "not an audit head (stream:count:64 hexadecimal digits): '" + std::string(text) + "'");
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return wrong;
  AuditHead head;
  const auto hash = from_hex(text.substr(second + 1));
  const auto digest = hash ? Sha256Digest::from(*hash) : std::nullopt;
  if (!digest || !read_number(text.substr(0, first), head.stream) || !read_number(text.substr(first + 1, second - first - 1), head.count))
    return wrong;
  head.hash = *digest;
  return head;
}

}  // namespace birthmark::core
