// SPDX-License-Identifier: Apache-2.0
// What operators give to nodes and read of their reports, in the forms they read and write: JSON (protobuf's own mapping) and protobuf.
// For the operator's commands and for adam's administration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/field_log.h"
#include "core/ports/nodes.h"

namespace birthmark::faces::eve {

// An EdgeDevConfig from JSON or protobuf, serialized. From JSON only what this controller's messages name is taken: an unknown field is an
// error that says so and that protobuf carries everything.
[[nodiscard]] Result<std::string> config_from_json(std::string_view json);
[[nodiscard]] Result<std::string> config_from_protobuf(std::string_view bytes);
[[nodiscard]] Result<std::string> config_to_json(const std::string& config);

// Ready to be stored for `uuid` after `before` (may be empty): the id must be this node's or absent, and a version that is absent or that
// of `before` becomes the next number (protocol facts, EVE 5.2).
[[nodiscard]] Result<std::string> next_config(const std::string& config, const std::string& before, const std::string& uuid);

// The write of a configuration: the log's entry, audited. `node` null: for all nodes that have none of their own.
[[nodiscard]] core::FieldAppend config_append(const std::string& factory, const core::NodeRecord* node, std::string config, Instant at,
                                              const std::string& actor);

// One JSON object a line of gzipped log lines (protocol facts, EVE 1.1, newlogs).
[[nodiscard]] Result<std::string> log_lines(const std::string& packed);

}  // namespace birthmark::faces::eve
