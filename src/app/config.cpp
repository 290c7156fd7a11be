// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <functional>

#include "base/file.h"
#include "net/client.h"

namespace birthmark::app {
namespace {

constexpr std::size_t kMaxConfigBytes = 1U << 20U;

std::string position(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line);
}

// Reads one table's keys into a Config; remembers the first thing that is wrong, and which keys were known.
class TableReader {
 public:
  TableReader(const toml::table& root, std::string_view file, std::string section) : file_(file), section_(std::move(section)) {
    const toml::node* node = root.get(section_);
    if (node == nullptr) return;
    table_ = node->as_table();
    if (table_ == nullptr) complain(*node, section_ + " must be a [table]");
  }

  // Sets `to` when the key is there, with the right type and within reason.
  TableReader& text(std::string_view key, std::string& to, const std::function<Status(std::string_view)>& check = {}) {
    const toml::node* node = take(key);
    if (node == nullptr) return *this;
    const auto value = node->value_exact<std::string>();
    if (!value) return complain(*node, name(key) + " must be a string");
    if (check) {
      if (auto judged = check(*value); !judged) return complain(*node, name(key) + ": " + judged.error().public_message);
    }
    to = *value;
    return *this;
  }

  TableReader& flag(std::string_view key, bool& to) {
    const toml::node* node = take(key);
    if (node == nullptr) return *this;
    const auto value = node->value_exact<bool>();
    if (!value) return complain(*node, name(key) + " must be true or false");
    to = *value;
    return *this;
  }

  template <class Number>
  TableReader& number(std::string_view key, Number& to, std::int64_t least, std::int64_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return *this;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return complain(*node, name(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    to = static_cast<Number>(*value);
    return *this;
  }

  TableReader& duration(std::string_view key, Duration& to) {
    std::string written;
    text(key, written);
    if (written.empty()) return *this;
    auto parsed = parse_duration(written);
    if (!parsed) return complain(*table_->get(key), name(key) + ": " + parsed.error().public_message);
    to = *parsed;
    return *this;
  }

  template <class Enum>
  TableReader& choice(std::string_view key, Enum& to, const std::function<std::optional<Enum>(std::string_view)>& parse,
                      std::string_view choices) {
    std::string written;
    text(key, written);
    if (written.empty()) return *this;
    const auto parsed = parse(written);
    if (!parsed) return complain(*table_->get(key), name(key) + " must be one of: " + std::string(choices));
    to = *parsed;
    return *this;
  }

  TableReader& texts(std::string_view key, std::vector<std::string>& to) {
    const toml::node* node = take(key);
    if (node == nullptr) return *this;
    const toml::array* array = node->as_array();
    if (array == nullptr) return complain(*node, name(key) + " must be a list of strings");
    to.clear();
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value) return complain(element, name(key) + " must be a list of strings");
      to.push_back(*value);
    }
    return *this;
  }

  // The first mistake, or a key that nobody asked for.
  [[nodiscard]] Status finish() {
    if (table_ != nullptr && mistake_.empty()) {
      for (const auto& [key, node] : *table_) {
        if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) complain(node, "unknown setting " + name(key.str()));
      }
    }
    if (mistake_.empty()) return {};
    return fail(ErrorCode::misconfigured, mistake_);
  }

 private:
  const toml::node* take(std::string_view key) {
    known_.emplace_back(key);
    return table_ == nullptr || !mistake_.empty() ? nullptr : table_->get(key);
  }
  [[nodiscard]] std::string name(std::string_view key) const { return section_ + "." + std::string(key); }
  TableReader& complain(const toml::node& node, const std::string& text) {
    if (mistake_.empty()) mistake_ = std::string(file_) + ", " + position(node) + ": " + text;
    return *this;
  }

  std::string_view file_;
  std::string section_;
  const toml::table* table_ = nullptr;
  std::vector<std::string> known_;
  std::string mistake_;
};

constexpr std::array<std::string_view, 10> kSections{"admin",  "factory", "registration", "gateway",  "clock",
                                                     "limits", "server",  "log",          "upstream", "hooks"};

Status check_sections(const toml::table& root, std::string_view file) {
  for (const auto& [key, node] : root) {
    if (std::find(kSections.begin(), kSections.end(), key.str()) == kSections.end())
      return fail(ErrorCode::misconfigured,
                  std::string(file) + ", " + position(node) + ": unknown section [" + std::string(key.str()) + "]");
  }
  return {};
}

Status check_key_path(std::string_view path) {
  const std::filesystem::path given(path);
  const bool climbs = std::find(given.begin(), given.end(), "..") != given.end();
  if (path.empty() || given.is_absolute() || climbs)
    return fail(ErrorCode::invalid, "'" + std::string(path) + "' is not a path below the data directory");
  return {};
}

std::optional<log::Level> parse_level(std::string_view name) {
  if (name == "debug") return log::Level::debug;
  if (name == "info") return log::Level::info;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  return std::nullopt;
}

Status read_factory(const toml::table& root, std::string_view file, Config& config) {
  BIRTHMARK_CHECK(TableReader(root, file, "factory")
                      .text("name", config.factory, check_factory_name)
                      .text("gateway_dns", config.gateway_dns, check_dns_name)
                      .text("ostree_dns", config.ostree_dns, check_dns_name)
                      .number("gateway_port", config.gateway_port, 1, 65535)
                      .finish());
  for (const auto& [key, value] :
       {std::pair{"name", &config.factory}, {"gateway_dns", &config.gateway_dns}, {"ostree_dns", &config.ostree_dns}}) {
    if (value->empty()) return fail(ErrorCode::misconfigured, std::string(file) + ": factory." + key + " is required");
  }
  return {};
}

Status read_networks(const std::vector<std::string>& texts, std::string_view file, core::AdmissionRules& admission) {
  for (const std::string& text : texts) {
    auto network = core::Network::parse(text);
    if (!network) return fail(ErrorCode::misconfigured, std::string(file) + ": registration.networks: " + network.error().public_message);
    admission.networks.push_back(std::move(*network));
  }
  return {};
}

std::optional<RegistrationTls> parse_registration_tls(std::string_view name) {
  if (name == "off") return RegistrationTls::off;
  if (name == "gateway") return RegistrationTls::gateway;
  return std::nullopt;
}

Status read_endpoints(const std::vector<std::string>& texts, std::string_view file, std::string_view setting,
                      std::vector<net::Endpoint>& endpoints) {
  for (const std::string& text : texts) {
    auto endpoint = net::parse_endpoint(text);
    if (!endpoint)
      return fail(ErrorCode::misconfigured, std::string(file) + ": " + std::string(setting) + ": " + endpoint.error().public_message);
    endpoints.push_back(*endpoint);
  }
  return {};
}

Status read_registration(const toml::table& root, std::string_view file, Config& config) {
  core::RegistrationRules& rules = config.rules;
  core::AdmissionRules& admission = config.admission;
  std::vector<std::string> listen{":8000"};
  std::vector<std::string> networks;
  const auto read_rate = [&](std::string_view text) -> Status {
    BIRTHMARK_TRY(admission.rate_per_station, core::parse_rate(text));
    return {};
  };
  std::string rate;
  BIRTHMARK_CHECK(
      TableReader(root, file, "registration")
          .texts("listen", listen)
          .choice<core::RegistrationTrust>("trust", admission.trust, core::parse_registration_trust, "open, token")
          .texts("networks", networks)
          .text("rate_per_station", rate, read_rate)
          .choice<RegistrationTls>("tls", config.registration_tls, parse_registration_tls, "off, gateway")
          .choice<core::DeviceIdRule>("device_id", rules.device_id, core::parse_device_id_rule, "uuid, hex, safe")
          .choice<core::ProductionRule>("production", rules.production, core::parse_production_rule, "device, always, never, order")
          .choice<core::OrderRule>("orders", rules.orders, core::parse_order_rule, "off, required")
          .duration("certificate_validity", rules.certificate_validity)
          .duration("backdate", rules.backdate)
          .duration("retry_window", rules.retry_window)
          .flag("retry_under_open_trust", rules.retry_under_open_trust)
          .flag("allow_rsa", config.allow_rsa)
          .texts("issuer_keys", config.issuer_keys)
          .finish());
  BIRTHMARK_CHECK(read_networks(networks, file, admission));
  BIRTHMARK_CHECK(read_endpoints(listen, file, "registration.listen", config.registration_listen));
  for (const std::string& path : config.issuer_keys) {
    if (auto judged = check_key_path(path); !judged)
      return fail(ErrorCode::misconfigured, std::string(file) + ": registration.issuer_keys: " + judged.error().public_message);
  }
  if (rules.certificate_validity <= Duration::zero())
    return fail(ErrorCode::misconfigured, std::string(file) + ": registration.certificate_validity must be longer than nothing");
  return {};
}

Status read_upstream(const toml::table& root, std::string_view file, UpstreamConfig& upstream) {
  const auto parse_mode = [](std::string_view name) -> std::optional<UpstreamMode> {
    if (name == "queue") return UpstreamMode::queue;
    if (name == "wait") return UpstreamMode::wait;
    return std::nullopt;
  };
  BIRTHMARK_CHECK(TableReader(root, file, "upstream")
                      .text("url", upstream.url, [](std::string_view url) { return net::check_confidential_url(std::string(url)); })
                      .text("token_file", upstream.token_file)
                      .text("ca_file", upstream.ca_file)
                      .choice<UpstreamMode>("mode", upstream.mode, parse_mode, "queue, wait")
                      .duration("wait_deadline", upstream.wait_deadline)
                      .duration("timeout", upstream.timeout)
                      .flag("name", upstream.send_name)
                      .text("group", upstream.group)
                      .number("parallel", upstream.parallel, 1, 64)
                      .finish());
  if (upstream.configured() && upstream.token_file.empty())
    return fail(ErrorCode::misconfigured, std::string(file) + ": upstream.token_file is required beside upstream.url");
  if (upstream.wait_deadline <= Duration::zero() || upstream.timeout <= Duration::zero())
    return fail(ErrorCode::misconfigured, std::string(file) + ": upstream.wait_deadline and upstream.timeout must be longer than nothing");
  return {};
}

Status read_hooks(const toml::table& root, std::string_view file, HooksConfig& hooks) {
  BIRTHMARK_CHECK(TableReader(root, file, "hooks")
                      .text("url", hooks.url, [](std::string_view url) { return net::check_url(std::string(url)); })
                      .text("ca_file", hooks.ca_file)
                      .duration("timeout", hooks.timeout)
                      .finish());
  if (hooks.timeout <= Duration::zero())
    return fail(ErrorCode::misconfigured, std::string(file) + ": hooks.timeout must be longer than nothing");
  return {};
}

Status read_admin(const toml::table& root, std::string_view file, Config& config) {
  std::vector<std::string> listen;
  BIRTHMARK_CHECK(TableReader(root, file, "admin").texts("listen", listen).texts("names", config.admin_names).finish());
  for (const std::string& address : listen) {
    auto endpoint = net::parse_endpoint(address);
    if (!endpoint) return fail(ErrorCode::misconfigured, std::string(file) + ": admin.listen: " + endpoint.error().public_message);
    config.admin_listen.push_back(*endpoint);
  }
  for (const std::string& name : config.admin_names) {
    if (auto judged = check_dns_name(name); !judged)
      return fail(ErrorCode::misconfigured, std::string(file) + ": admin.names: " + judged.error().public_message);
  }
  return {};
}

Status read_gateway(const toml::table& root, std::string_view file, Config& config) {
  core::GatewayRules& rules = config.gateway;
  std::vector<std::string> listen;
  std::string repository = config.gateway_repository.string(), ostree;
  BIRTHMARK_CHECK(TableReader(root, file, "gateway")
                      .texts("listen", listen)
                      .choice<core::GatewayProfile>("profile", rules.profile, core::parse_gateway_profile, "vendor, strict")
                      .choice<core::AutoCreate>("auto_create", rules.auto_create, core::parse_auto_create, "on, registered-only, off")
                      .choice<core::DeviceIdRule>("device_id", rules.device_id, core::parse_device_id_rule, "safe, uuid")
                      .text("repository", repository)
                      .text("ostree", ostree)
                      .text("app_proxy_url", config.app_proxy_url)
                      .duration("est_validity", config.est_validity)
                      .finish());
  config.gateway_repository = repository;
  config.gateway_ostree = ostree;
  rules.allow_rsa = config.allow_rsa;
  return read_endpoints(listen, file, "gateway.listen", config.gateway_listen);
}

Status read_limits(const toml::table& root, std::string_view file, Config& config) {
  net::Limits& limits = config.limits;
  BIRTHMARK_CHECK(TableReader(root, file, "clock")
                      .duration("tolerance", config.clock.tolerance)
                      .duration("forward_limit", config.clock.forward_limit)
                      .duration("downtime_limit", config.clock.downtime_limit)
                      .finish());
  return TableReader(root, file, "limits")
      .number("header_bytes", limits.header_bytes, 1024, 1 << 20)
      .number("body_bytes", limits.body_bytes, 4096, 16 << 20)
      .duration("header_timeout", limits.header_timeout)
      .duration("request_timeout", limits.request_timeout)
      .duration("idle_timeout", limits.idle_timeout)
      .duration("write_timeout", limits.write_timeout)
      .duration("shutdown_timeout", limits.shutdown_timeout)
      .number("connections", limits.connections, 1, 1'000'000)
      .finish();
}

Result<Config> read_config(const toml::table& root, std::string_view file) {
  Config config;
  BIRTHMARK_CHECK(check_sections(root, file));
  BIRTHMARK_CHECK(read_factory(root, file, config));
  BIRTHMARK_CHECK(read_registration(root, file, config));
  BIRTHMARK_CHECK(read_admin(root, file, config));
  config.issuer_keys_required = !config.issuer_keys.empty();
  if (config.issuer_keys.empty()) config.issuer_keys = {"keys/local-ca.key", "keys/online-ca.key"};
  BIRTHMARK_CHECK(read_upstream(root, file, config.upstream));
  BIRTHMARK_CHECK(read_hooks(root, file, config.hooks));
  BIRTHMARK_CHECK(read_gateway(root, file, config));
  BIRTHMARK_CHECK(read_limits(root, file, config));
  BIRTHMARK_CHECK(TableReader(root, file, "server").number("threads", config.threads, 0, 256).finish());
  BIRTHMARK_CHECK(
      TableReader(root, file, "log").choice<log::Level>("level", config.log_level, parse_level, "debug, info, warning, error").finish());
  return config;
}

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

Result<Config> parse_config(std::string_view text, std::string_view name) {
  try {
    const toml::table root = toml::parse(text, name);
    return read_config(root, name);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::misconfigured,
                std::string(name) + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
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
  return "# Birthmark: configuration of this server. Every setting is shown with its default; docs/reference/config.md explains each.\n"
         "\n[factory]\n"
         "name = \"" +
         factory +
         "\"  # equals the OU of every certificate of this factory\n"
         "gateway_dns = \"" +
         gateway_dns +
         "\"  # where devices find the gateway\n"
         "ostree_dns = \"" +
         ostree_dns +
         "\"\n"
         "# gateway_port = 8443\n"
         "\n[registration]\n"
         "# listen = [\":8000\"]\n"
         "# tls = \"off\"  # or \"gateway\": HTTPS with the factory's TLS server certificate\n"
         "# trust = \"open\"  # whoever reaches the listener from these networks may register; or \"token\"\n"
         "# networks = []  # addresses that may register; [] under open trust: private and loopback addresses only\n"
         "# rate_per_station = \"20/s\"  # no limit unless set: the real clients do not come again after a 429\n"
         "# device_id = \"uuid\"  # or \"hex\" or \"safe\"\n"
         "# production = \"device\"  # who decides on businessCategory=production: \"device\", \"always\", \"never\" or \"order\"\n"
         "# orders = \"off\"  # or \"required\": a new device needs a production order, `birthmark order create`\n"
         "# certificate_validity = \"7300d\"  # never beyond the issuing CA's own end\n"
         "# backdate = \"1h\"\n"
         "# retry_window = \"24h\"  # how long a certificate whose answer never arrived may be replaced\n"
         "# retry_under_open_trust = false\n"
         "# allow_rsa = false\n"
         "# issuer_keys = [\"keys/local-ca.key\", \"keys/online-ca.key\"]  # the first usable one issues, the next takes over\n"
         "\n[gateway]\n" +
         std::string(gateway == GatewayListener::on ? "listen = [\":8443\"]" : "# listen = []") +
         "  # where devices come with their certificates; needs the TLS certificate of the factory\n"
         "# profile = \"vendor\"  # or \"strict\": what a device certificate must look like\n"
         "# auto_create = \"on\"  # devices registered elsewhere are made on first contact; or \"registered-only\", \"off\"\n"
         "# device_id = \"safe\"  # or \"uuid\"\n"
         "# repository = \"tuf/repo\"  # update metadata for /repo\n"
         "# ostree = \"\"  # a directory for /ostree\n"
         "# app_proxy_url = \"\"\n"
         "# est_validity = \"1095d\"  # of certificates renewed under /.well-known/est\n"
         "\n[upstream]\n"
         "# url = \"https://api.foundries.io/ota/devices/\"  # who learns of every registered device; nobody unless set\n"
         "# token_file = \"upstream.token\"  # mode 0600, scope devices:create (devices:read too, to compare keys); read again when it "
         "changes\n"
         "# mode = \"queue\"  # the device is answered at once; \"wait\": when the upstream knows it\n"
         "# wait_deadline = \"20s\"  # then the device gets 503 and may ask again\n"
         "# ca_file = \"\"  # trusted beside the system's CAs\n"
         "# name = true  # send the device's name too\n"
         "# group = \"\"  # the device group it joins there\n"
         "# parallel = 4\n"
         "# timeout = \"30s\"\n"
         "\n[hooks]\n"
         "# url = \"https://mes.example.com/birthmark\"  # gets every registered and refused event, signed; nobody unless set\n"
         "# ca_file = \"\"\n"
         "# timeout = \"10s\"\n"
         "\n[admin]\n"
         "# listen = []  # [\"127.0.0.1:9443\"]: health, metrics and the operator's commands over HTTPS\n"
         "# names = []  # further DNS names of its certificate\n"
         "\n[clock]\n"
         "# tolerance = \"120s\"\n"
         "# forward_limit = \"24h\"\n"
         "# downtime_limit = \"90d\"\n"
         "\n[limits]\n"
         "# header_bytes = 16384\n"
         "# body_bytes = 65536\n"
         "# header_timeout = \"10s\"\n"
         "# request_timeout = \"30s\"\n"
         "# idle_timeout = \"60s\"\n"
         "# write_timeout = \"30s\"\n"
         "# shutdown_timeout = \"20s\"\n"
         "# connections = 10000\n"
         "\n[server]\n"
         "# threads = 0  # 0: one per core\n"
         "\n[log]\n"
         "# level = \"info\"\n";
}

}  // namespace birthmark::app
