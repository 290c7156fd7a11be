// SPDX-License-Identifier: Apache-2.0
// Names of scopes and tokens.
#include <array>

#include "base/text.h"
#include "core/ports/tokens.h"

namespace birthmark::core {
namespace {

constexpr std::array kScopes{Scope::devices_create, Scope::devices_read, Scope::devices_update,
                             Scope::devices_delete, Scope::ca_manage,    Scope::admin};
constexpr std::size_t kIdDigits = 10;

std::optional<Scope> parse_scope(std::string_view name) {
  for (const Scope scope : kScopes)
    if (to_string(scope) == name) return scope;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::devices_create: return "devices:create";
    case Scope::devices_read: return "devices:read";
    case Scope::devices_update: return "devices:read-update";
    case Scope::devices_delete: return "devices:delete";
    case Scope::ca_manage: return "ca:manage";
    case Scope::admin: return "admin";
  }
  return "unknown";
}

Result<Scopes> Scopes::parse(std::string_view list) {
  Scopes scopes;
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const auto scope = parse_scope(name);
    if (!scope) {
      return fail(ErrorCode::invalid,
                  "unknown scope '" + std::string(name) +
                      "'; there are devices:create, devices:read, devices:read-update, devices:delete, ca:manage and admin");
    }
    scopes.add(*scope);
    if (comma == std::string_view::npos) return scopes;
    list.remove_prefix(comma + 1);
  }
}

std::string Scopes::to_string() const {
  std::string text;
  for (const Scope scope : kScopes) {
    if (!has(scope)) continue;
    if (!text.empty()) text += ',';
    text += core::to_string(scope);
  }
  return text;
}

std::string TokenRecord::id() const {
  return to_hex(hash.view()).substr(0, kIdDigits);
}

}  // namespace birthmark::core
