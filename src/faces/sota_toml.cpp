// SPDX-License-Identifier: Apache-2.0
#include "faces/sota_toml.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace birthmark::faces {
namespace {

struct Setting {
  std::string_view key;
  std::string_view value;
};

struct Section {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> settings;
};

// The sections every file has, in their order. {name} is filled in by expand().
const std::vector<Section>& default_sections() {
  static const std::vector<Section> kSections{
      {"tls",
       {{"server", R"("{gateway_server}")"}, {"ca_source", R"("file")"}, {"pkey_source", R"("file")"}, {"cert_source", R"("file")"}}},
      {"provision", {{"server", R"("{gateway_server}")"}, {"primary_ecu_hardware_id", R"("{hardware_id}")"}}},
      {"uptane", {{"repo_server", R"("{gateway_server}/repo")"}, {"key_source", R"("file")"}}},
      {"pacman", {{"type", R"("ostree+compose_apps")"}, {"ostree_server", R"("{ostree_server}/ostree")"}}},
      {"storage", {{"type", R"("sqlite")"}, {"path", R"("{sota_config_dir}/")"}}},
      {"import",
       {{"tls_cacert_path", R"("{sota_config_dir}/root.crt")"},
        {"tls_pkey_path", R"("{sota_config_dir}/pkey.pem")"},
        {"tls_clientcert_path", R"("{sota_config_dir}/client.pem")"}}},
  };
  return kSections;
}

// Fills in {hardware_id}, {gateway_server}, {ostree_server} and {sota_config_dir}, and turns {{ and }} into single braces, as the
// reference's formatting does. Any other brace is the device's own business and stays as it is.
void expand(std::string& to, std::string_view value, const SotaParameters& parameters) {
  const std::array<Setting, 4> names{{{"{hardware_id}", parameters.hardware_id},
                                      {"{gateway_server}", parameters.gateway_server},
                                      {"{ostree_server}", parameters.ostree_server},
                                      {"{sota_config_dir}", parameters.sota_config_dir}}};
  while (!value.empty()) {
    const std::size_t brace = value.find_first_of("{}");
    to += value.substr(0, brace);
    if (brace == std::string_view::npos) return;
    value.remove_prefix(brace);
    const auto name = std::find_if(names.begin(), names.end(), [&](const Setting& n) { return value.starts_with(n.key); });
    if (name != names.end()) {
      to += name->value;
      value.remove_prefix(name->key.size());
      continue;
    }
    const bool doubled = value.starts_with("{{") || value.starts_with("}}");
    to += value.front();
    value.remove_prefix(doubled ? 2 : 1);
  }
}

Section& section_named(std::vector<Section>& sections, std::string_view name) {
  const auto found = std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.name == name; });
  return found != sections.end() ? *found : sections.emplace_back(Section{name, {}});
}

// A known key keeps its place, a new one is appended.
void apply(Section& section, const TomlOverride& wanted) {
  const std::optional<std::string_view> value = wanted.value ? std::optional<std::string_view>(*wanted.value) : std::nullopt;
  for (auto& [key, current] : section.settings) {
    if (key != wanted.key) continue;
    current = value;
    return;
  }
  section.settings.emplace_back(wanted.key, value);
}

void render(std::string& to, const Section& section, const SotaParameters& parameters) {
  to.append("[").append(section.name).append("]\n");
  for (const auto& [key, value] : section.settings) {
    if (!value || value->empty()) {
      to.append("# ").append(key).append(" is not set\n");
      continue;
    }
    to.append(key).append(" = ");
    expand(to, *value, parameters);
    to += '\n';
  }
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

Status check_sota_value(std::string_view member, std::string_view value) {
  constexpr std::size_t kMaxBytes = 1024;
  const bool breaks_out = std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) || c == '"' || c == '\\'; });
  if (value.size() > kMaxBytes || breaks_out || !is_utf8(value)) {
    return fail(ErrorCode::invalid,
                "Invalid value for '" + std::string(member) + "': quotes, backslashes and control characters are not allowed");
  }
  return {};
}

Status check_sota_name(std::string_view name) {
  constexpr std::size_t kMaxBytes = 256;
  const bool breaks_out = std::any_of(name.begin(), name.end(), is_control);
  if (name.empty() || name.size() > kMaxBytes || breaks_out || !is_utf8(name)) {
    return fail(ErrorCode::invalid, "Invalid section or key in 'overrides': it must be a name of one line");
  }
  return {};
}

std::string render_sota_toml(const SotaParameters& parameters, const std::vector<TomlSectionOverride>& overrides) {
  std::vector<Section> sections = default_sections();
  for (const TomlSectionOverride& wanted : overrides) {
    Section& section = section_named(sections, wanted.section);
    for (const TomlOverride& setting : wanted.settings) apply(section, setting);
  }
  std::string toml;
  toml.reserve(1024);
  for (const Section& section : sections) {
    if (!toml.empty()) toml += '\n';
    render(toml, section, parameters);
  }
  // Exactly one newline at the end, whatever the last value ended in.
  const std::size_t last = toml.find_last_not_of(" \t\r\n\v\f");
  toml.resize(last + 1);
  toml += '\n';
  return toml;
}

}  // namespace birthmark::faces
