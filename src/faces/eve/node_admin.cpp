// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/node_admin.h"

#include <eve.pb.h>
#include <google/protobuf/util/json_util.h>

#include <charconv>

#include "base/text.h"
#include "faces/eve/eve_face.h"
#include "faces/eve/gzip.h"

namespace birthmark::faces::eve {
namespace {

constexpr std::size_t kKeptConfigs = 50;
constexpr std::size_t kMostLogBytes = 32U << 20U;
constexpr std::size_t kMostConfigBytes = 1U << 20U;

std::string next_version(const std::string& version) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(version.data(), version.data() + version.size(), number);
  const bool numeric = !version.empty() && read.ec == std::errc() && read.ptr == version.data() + version.size();
  return numeric ? std::to_string(number + 1) : version;
}

}  // namespace

Result<std::string> config_from_json(std::string_view json) {
  if (json.size() > kMostConfigBytes) return fail(ErrorCode::too_large, "the configuration is larger than 1 MB");
  wire::EdgeDevConfig config;
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(json), &config);
  if (!status.ok())
    return fail(ErrorCode::invalid, "the configuration is not JSON that this controller knows every field of (" + status.ToString() +
                                        "); as protobuf any EdgeDevConfig is taken");
  return config.SerializeAsString();
}

Result<std::string> config_from_protobuf(std::string_view bytes) {
  if (bytes.size() > kMostConfigBytes) return fail(ErrorCode::too_large, "the configuration is larger than 1 MB");
  wire::EdgeDevConfig config;
  if (!config.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(ErrorCode::invalid, "the configuration is not an EdgeDevConfig");
  return std::string(bytes);
}

Result<std::string> config_to_json(const std::string& config) {
  wire::EdgeDevConfig message;
  if (!message.ParseFromString(config)) return fail(ErrorCode::internal, "the stored configuration cannot be read");
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = false;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return fail(ErrorCode::internal, "the configuration cannot be rendered", status.ToString());
  return json;
}

Result<std::string> next_config(const std::string& config, const std::string& before, const std::string& uuid) {
  wire::EdgeDevConfig wanted, known;
  if (!wanted.ParseFromString(config)) return fail(ErrorCode::invalid, "the configuration is not an EdgeDevConfig");
  static_cast<void>(known.ParseFromString(before));
  if (!wanted.id().uuid().empty() && to_lower(wanted.id().uuid()) != uuid)
    return fail(ErrorCode::invalid, "the configuration's id is that of another node: " + wanted.id().uuid());
  wanted.mutable_id()->set_uuid(uuid);
  const std::string& had = known.id().version();
  if (wanted.id().version().empty()) wanted.mutable_id()->set_version(had.empty() ? "1" : had);
  if (!before.empty() && wanted.id().version() == had) wanted.mutable_id()->set_version(next_version(had));
  return wanted.SerializeAsString();
}

core::FieldAppend config_append(const std::string& factory, const core::NodeRecord* node, std::string config, Instant at,
                                const std::string& actor) {
  core::FieldAppend append;
  append.key = node != nullptr ? core::node_field(node->identity, kConfigLog) : core::FieldKey{factory, "eve-nodes", kConfigLog};
  append.at = at;
  append.keep = kKeptConfigs;
  append.strictly_later = true;
  append.audit_body = core::audit_body(core::AuditEvent::config_changed, at,
                                       {{"factory", factory},
                                        {"what", "eve-config"},
                                        {"device", node != nullptr ? node->identity.external_id : std::string("all nodes")},
                                        {"bytes", std::to_string(config.size())},
                                        {"actor", actor}});
  append.bodies.push_back(std::move(config));
  return append;
}

Result<std::string> log_lines(const std::string& packed) {
  BIRTHMARK_TRY(std::string lines, unpack_gzip(packed, kMostLogBytes));
  if (!lines.empty() && lines.back() != '\n') lines += '\n';
  return lines;
}

}  // namespace birthmark::faces::eve
