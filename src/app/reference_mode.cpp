// SPDX-License-Identifier: Apache-2.0
#include "app/reference_mode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>

#include "app/reference_import.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pem.h"
#include "base/text.h"
#include "net/client.h"

namespace birthmark::app {
namespace {

// "true", "1", "yes" and "y" in any case; everything else switches the check off, as it did there.
bool is_yes(const std::string& text) {
  const std::string lower = to_lower(text);
  return lower == "true" || lower == "1" || lower == "yes" || lower == "y";
}

Result<std::uint16_t> parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return port;
  return fail(ErrorCode::invalid, "API_PORT=" + text + " is not a port");
}

// What goes between quotes of sota.toml.
Status check_server(const char* name, const std::string& url) {
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (plain && url.starts_with("https://")) return {};
  return fail(ErrorCode::invalid, std::string(name) + "=" + url + " is not an https:// address");
}

}  // namespace

Result<ReferenceEnvironment> ReferenceEnvironment::read(const Lookup& lookup) {
  const auto text = [&](const char* name, const std::string& otherwise) { return lookup(name).value_or(otherwise); };
  const std::filesystem::path data = text("DATA_DIR", "./data");
  ReferenceEnvironment environment;
  environment.paths = ReferencePaths::below(data);
  environment.state = data / "birthmark";
  if (const auto given = lookup("CERTS_DIR")) environment.paths.certificates = *given;
  if (const auto given = lookup("DEVICES_DIR")) environment.paths.devices = *given;
  if (const auto given = lookup("FIO_API_TOKEN")) environment.paths.token = *given;
  environment.gateway_server = text("DEVICE_GATEWAY_SERVER", "");
  environment.ostree_server = text("OSTREE_SERVER", "");
  environment.group = text("DEVICE_GROUP", "");
  environment.upstream_url = text("DEVICE_REGISTRATION_API", "https://api.foundries.io/ota/devices/");
  environment.verify_ssl = is_yes(text("VERIFY_SSL", "true"));
  BIRTHMARK_TRY(environment.port, parse_port(text("API_PORT", "80")));
  if (!environment.gateway_server.empty()) BIRTHMARK_CHECK(check_server("DEVICE_GATEWAY_SERVER", environment.gateway_server));
  if (!environment.ostree_server.empty()) BIRTHMARK_CHECK(check_server("OSTREE_SERVER", environment.ostree_server));
  return environment;
}

Result<ReferenceEnvironment> ReferenceEnvironment::of_process() {
  return read([](const char* name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  });
}

Result<Config> prepare_reference(const ReferenceEnvironment& environment, cli::Console& console) {
  ReferenceImport import;
  import.from = environment.paths;
  import.directory = environment.state;
  import.skip_refused = true;  // what its log holds beside devices never kept it from starting
  cli::Console quiet{console.err, console.err};
  auto imported = import_reference(import, quiet);
  if (!imported && imported.error().code != ErrorCode::conflict) return forward_error(imported);
  if (!imported) log::warning("not everything in DEVICES_DIR was taken over", {{"reason", imported.error().public_message}});

  BIRTHMARK_TRY(Config config, load_config(environment.state));
  config.rules.device_id = core::DeviceIdRule::hex;
  config.registration_listen = {net::Endpoint{"", environment.port}};
  config.gateway_url = environment.gateway_server;
  config.ostree_url = environment.ostree_server;
  UpstreamConfig& upstream = config.upstream;
  upstream = UpstreamConfig();
  if (read_reference_token(environment.paths.token).empty()) return config;
  BIRTHMARK_CHECK(net::check_confidential_url(environment.upstream_url));
  upstream.url = environment.upstream_url;
  upstream.token_file = std::filesystem::absolute(environment.paths.token);
  upstream.token_may_be_shared = true;
  upstream.group = environment.group;
  upstream.mode = UpstreamMode::wait;
  upstream.verify = environment.verify_ssl;
  if (!upstream.verify)
    log::warning("VERIFY_SSL IS OFF: whoever can answer in the place of the upstream gets its token and every device",
                 {{"upstream", upstream.url}});
  return config;
}

Status ReferenceDeviceLog::note(const core::Enrolled& enrolled) {
  static std::atomic<std::uint64_t> number{0};
  const auto facts = codec_.read_certificate(enrolled.certificate_der);
  if (!facts) return fail(ErrorCode::internal, "the certificate cannot be read again", facts.error().describe());
  const std::string pem = encode_pem("PUBLIC KEY", facts->spki_der);
  // The id consists of hexadecimal digits and dashes (core/identity.h), so it is a file name.
  const auto path = directory_ / enrolled.identity.external_id;
  const auto temporary = directory_ / ("." + enrolled.identity.external_id + "." + std::to_string(++number));
  const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  const bool written = file.valid() && ::write(file.get(), pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
  if (written && ::fchmod(file.get(), 0644) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const std::string why = describe_errno(errno);
  ::unlink(temporary.c_str());
  return fail(ErrorCode::unavailable, "the device cannot be logged; try again", path.string() + ": " + why);
}

}  // namespace birthmark::app
