// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "app/config/section.h"
#include "base/file.h"

namespace birthmark::app {
namespace {

constexpr std::size_t kMaxConfigBytes = 1U << 20U;

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::string Config::gateway_server() const {
  if (!gateway_url.empty()) return gateway_url;
  return "https://" + gateway_dns + ":" + std::to_string(gateway_port);
}
std::string Config::ostree_server() const {
  if (!ostree_url.empty()) return ostree_url;
  return "https://" + ostree_dns + ":" + std::to_string(gateway_port);
}

Status check_factory_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || !std::all_of(name.begin(), name.end(), is_name_character))
    return fail(ErrorCode::invalid, "a factory name has 1 to 64 letters, digits and - _ .");
  return {};
}

Status check_dns_name(std::string_view name) {
  const auto allowed = [](char c) { return is_name_character(c) && c != '_'; };
  if (name.empty() || name.size() > 253 || name.front() == '-' || name.front() == '.' || !std::all_of(name.begin(), name.end(), allowed))
    return fail(ErrorCode::invalid, "'" + std::string(name) + "' is not a DNS name");
  return {};
}

Status check_host_name(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  if (::inet_pton(AF_INET, name.c_str(), octets.data()) == 1 || ::inet_pton(AF_INET6, name.c_str(), octets.data()) == 1) return {};
  return check_dns_name(name);
}

Result<Config> parse_config(std::string_view text, std::string_view name) {
  BIRTHMARK_TRY(const ConfigFile file, ConfigFile::parse(text, name));
  const auto sections = config_sections();
  std::vector<std::string_view> names;
  for (const ConfigSection& section : sections) names.push_back(section.name);
  BIRTHMARK_CHECK(file.check_sections(names));
  Config config;
  for (const ConfigSection& section : sections) BIRTHMARK_CHECK(section.read(file, config));
  config.written = file.settings();
  return config;
}

Result<Config> load_config(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "birthmark.toml";
  auto text = read_file(path, kMaxConfigBytes);
  if (!text && text.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, directory.string() +
                                          " is not a Birthmark directory (it has no birthmark.toml); make one with: birthmark init " +
                                          directory.string() + " --factory NAME --gateway-dns A --ostree-dns B");
  }
  if (!text) return forward_error(text);
  return parse_config(*text, path.string());
}

std::string default_config(const std::string& factory, const std::string& gateway_dns, const std::string& ostree_dns,
                           GatewayListener gateway) {
  const ConfigDefaults defaults{factory, gateway_dns, ostree_dns, gateway};
  std::string text =
      "# Birthmark: configuration of this server. Every setting is shown with its default; docs/reference/config.md explains each.\n";
  for (const ConfigSection& section : config_sections()) {
    const std::string written = section.written(defaults);
    if (!written.empty()) text += "\n" + written;
  }
  return text;
}

}  // namespace birthmark::app
