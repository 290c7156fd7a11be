// SPDX-License-Identifier: Apache-2.0
// [api]: the factory's own API, for fioctl and for devices that register with a token.
#include "app/config/section.h"
#include "net/url.h"

namespace birthmark::app {
namespace {

std::optional<ApiTls> parse_tls(std::string_view name) {
  if (name == "auto") return ApiTls::automatic;
  if (name == "own") return ApiTls::own;
  if (name == "gateway") return ApiTls::gateway;
  return std::nullopt;
}

// It stands in the names of device CAs and in scripts.
Status check_user_id(std::string_view id) {
  constexpr std::size_t kLongest = 60;  // fio-<id> is a common name
  const bool plain = id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == std::string_view::npos;
  if (id.size() <= kLongest && plain) return {};  // empty: the factory's name
  return fail(ErrorCode::invalid, "a user id has 1 to 60 letters, digits and - _ .");
}

Status check_est_name(std::string_view name) {
  return name.empty() ? Status() : check_dns_name(name);  // empty: the gateway's
}

// Devices show it with "/oauth/device" behind it.
Status check_public_url(std::string_view url) {
  if (url.empty()) return {};  // where they reached it
  BIRTHMARK_CHECK(net::parse_url(std::string(url)));
  if (url.ends_with('/')) return fail(ErrorCode::invalid, "it must not end in '/'");
  return {};
}

Status read(const ConfigFile& file, Config& config) {
  ApiConfig& api = config.api;
  std::vector<std::string> proxies;
  SectionReader section = file.section("api");
  section.endpoints("listen", api.listen)
      .choice<ApiTls>("tls", api.tls, parse_tls, "auto, own, gateway")
      .flag("insecure", api.insecure)
      .texts("names", api.names)
      .text("user_id", api.user_id, check_user_id)
      .text("est_dns", api.est_dns, check_est_name)
      .text("public_url", api.public_url, check_public_url)
      .texts("proxies", proxies)
      .span("code_lifetime", api.code_lifetime)
      .span("poll_interval", api.poll_interval);
  for (const std::string& text : proxies) {
    auto network = core::Network::parse(text);
    if (network)
      api.proxies.push_back(std::move(*network));
    else
      section.complain("proxies", ": " + network.error().public_message);
  }
  BIRTHMARK_CHECK(section.finish());
  if (api.insecure && api.tls != ApiTls::automatic) return file.mistake("api.insecure and api.tls contradict each other");
  return {};
}

std::string written(const ConfigDefaults&) {
  return R"([api]
# listen = []  # [":8080"]: the factory's API for fioctl, and for devices that register with a token
# tls = "auto"  # plain on loopback, elsewhere "own": api.pem and keys/api.key, made when missing; or "gateway": the factory's certificate
# insecure = false  # plain HTTP everywhere: tokens cross the network in the clear
# names = []  # further DNS names of its own certificate
# user_id = ""  # of the factory's owner: local device CAs are CN=fio-<user id>; "": the factory's name
# public_url = ""  # "https://api.example.com:8080", what devices tell people to open; "": the address they reached it at
# proxies = []  # addresses or networks in front of it, whose X-Forwarded-For is believed
# code_lifetime = "15m"  # how long a device waits for approval
# poll_interval = "5s"  # how often it asks meanwhile
# est_dns = ""  # the name in the EST server's certificate; "": the gateway's
)";
}

}  // namespace

ConfigSection api_section() {
  return {"api", read, written};
}

}  // namespace birthmark::app
