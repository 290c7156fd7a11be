// SPDX-License-Identifier: Apache-2.0
// [pep]: the listener for Izuma Edge gateways. [fcu]: what is injected into them, where no fcu.yml says it.
#include "app/config/section.h"

namespace birthmark::app {
namespace {

using faces::izuma::EnrollmentIdCase;
using faces::izuma::EntropyMode;
using faces::izuma::KeyMode;

std::optional<PepTls> parse_tls(std::string_view name) {
  if (name == "off") return PepTls::off;
  if (name == "gateway") return PepTls::gateway;
  return std::nullopt;
}

std::optional<EnrollmentIdCase> parse_case(std::string_view name) {
  if (name == "upper") return EnrollmentIdCase::upper;
  if (name == "lower") return EnrollmentIdCase::lower;
  return std::nullopt;
}

template <class Mode>
std::optional<Mode> parse_mode(std::string_view name) {
  if (name == "by_tool") return Mode::by_tool;
  if (name == "by_device") return Mode::by_device;
  if (name == "externally_supplied") return Mode::externally_supplied;
  return std::nullopt;
}

void networks(SectionReader& section, std::string_view key, std::vector<core::Network>& to) {
  std::vector<std::string> texts;
  section.texts(key, texts);
  for (const std::string& text : texts) {
    auto network = core::Network::parse(text);
    if (!network) {
      section.complain(key, ": " + network.error().public_message);
      return;
    }
    to.push_back(std::move(*network));
  }
}

void span_ms(SectionReader& section, std::string_view key, std::chrono::milliseconds& to) {
  Duration span = to;
  section.span(key, span);
  to = std::chrono::duration_cast<std::chrono::milliseconds>(span);
}

Status read_pep(const ConfigFile& file, Config& config) {
  PepConfig& pep = config.pep;
  std::string directory, server_ca, external;
  SectionReader section = file.section("pep");
  section.endpoints("listen", pep.listen)
      .choice<PepTls>("tls", pep.tls, parse_tls, "off, gateway")
      .text("fcu_config_dir", directory)
      .text("bootstrap_server_uri", pep.bootstrap_server_uri)
      .text("bootstrap_server_ca", server_ca)
      .text("external_keys", external)
      .choice<EnrollmentIdCase>("enrollment_id_case", pep.id_case, parse_case, "upper, lower")
      .span("certificate_validity", pep.certificate_validity)
      .flag("allow_short", pep.allow_short);
  networks(section, "gateway_networks", pep.gateway_networks);
  networks(section, "inventory_networks", pep.inventory_networks);
  span_ms(section, "connect_timeout", pep.times.connect);
  span_ms(section, "fcc_timeout", pep.times.exchange);
  BIRTHMARK_CHECK(section.finish());
  pep.fcu_config_dir = directory;
  pep.bootstrap_server_ca = server_ca;
  pep.external_keys = external;
  if (!directory.empty() && file.has("fcu")) return file.mistake("pep.fcu_config_dir and [fcu] say the same: keep one of them");
  return {};
}

// "C=FI"
Status subject_from(const std::vector<std::string>& texts, std::vector<core::SubjectAttribute>& subject) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string type = text.substr(0, equals);
    const bool known = type == "C" || type == "ST" || type == "L" || type == "O" || type == "OU";
    if (!known || equals == std::string::npos) return fail(ErrorCode::invalid, "'" + text + "' is none of C=, ST=, L=, O= and OU=");
    subject.push_back({type, text.substr(equals + 1)});
  }
  return {};
}

Status read_fcu(const ConfigFile& file, Config& config) {
  faces::izuma::FactorySettings& factory = config.pep.factory;
  faces::izuma::DeviceInfo& info = factory.device_info;
  std::vector<std::string> subject;
  std::string update, entropy, vendor, product;
  const auto uuid = [](std::string_view text) -> Status {
    return parse_uuid(text) ? Status() : fail(ErrorCode::invalid, "'" + std::string(text) + "' is not a UUID");
  };
  SectionReader section = file.section("fcu");
  section.flag("first_to_claim", factory.first_to_claim)
      .text("account_id", factory.account_id)
      .flag("time_sync", factory.time_sync)
      .flag("verify_on_device", factory.verify_on_device)
      .text("manufacturer", info.manufacturer)
      .text("model_number", info.model_number)
      .text("device_type", info.device_type)
      .text("hardware_version", info.hardware_version)
      .number("memory_total_kb", info.memory_total_kb, 0, 0xffffffff)
      .text("timezone", info.timezone)
      .text("utc_offset", info.utc_offset)
      .text("update_certificate", update)
      .text("vendor_id", vendor, uuid)
      .text("class_id", product, uuid)
      .choice<KeyMode>("key_mode", factory.key_mode, parse_mode<KeyMode>, "by_tool, by_device, externally_supplied")
      .choice<EntropyMode>("entropy_mode", factory.entropy_mode, parse_mode<EntropyMode>, "by_device, by_tool, externally_supplied")
      .text("entropy_file", entropy)
      .texts("subject", subject)
      .number("chain_depth", factory.chain_depth, 0, 4);
  if (const Status good = subject_from(subject, factory.subject); !good) section.complain("subject", ": " + good.error().public_message);
  BIRTHMARK_CHECK(section.finish());
  config.pep.update_certificate = update;
  config.pep.entropy_file = entropy;
  factory.vendor_id = parse_uuid(vendor);
  factory.class_id = parse_uuid(product);
  return {};
}

std::string written_pep(const ConfigDefaults&) {
  return R"([pep]
# listen = []  # [":5151"]: where Izuma Edge gateways ask for an identity; see docs/operating/izuma.md
# tls = "off"  # or "gateway": the factory's TLS certificate
# fcu_config_dir = ""  # fcu.yml and the files beside it; or say it in [fcu]
# bootstrap_server_uri = ""  # empty: that of fcu.yml, else the public one
# bootstrap_server_ca = ""  # the certificate that gateways trust their bootstrap server by, PEM or DER
# gateway_networks = []  # where gateways may be; empty: private networks. The address of who asks always may
# inventory_networks = []  # who may read enrollment ids under open trust; empty: private networks
# enrollment_id_case = "upper"  # or "lower"
# certificate_validity = "7300d"
# allow_short = false  # start with a CA that is left with less than ten years and 30 days
# external_keys = ""  # a directory of SERIAL.key files, for keys that are supplied from outside
# connect_timeout = "5s"
# fcc_timeout = "120s"
)";
}

std::string written_fcu(const ConfigDefaults&) {
  return {};
}

}  // namespace

ConfigSection pep_section() {
  return {"pep", read_pep, written_pep};
}

ConfigSection fcu_section() {
  return {"fcu", read_fcu, written_fcu};
}

}  // namespace birthmark::app
