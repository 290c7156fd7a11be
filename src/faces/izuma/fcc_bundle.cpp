// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/fcc_bundle.h"

#include <algorithm>

#include "faces/izuma/cbor_writer.h"

namespace birthmark::faces::izuma {
namespace {

constexpr std::string_view kDeviceCertificateName = "mbed.BootstrapDeviceCert";
constexpr std::int64_t kEarliestTime = 1483264800;  // the client takes no clock before 2017

// FTC absent or 0 wants the account in the URI (5.6, check 6).
std::string uri_of(const FactorySettings& settings) {
  const std::string& uri = settings.bootstrap_server_uri;
  const bool named = uri.find("?aid=") != std::string::npos || uri.find("&aid=") != std::string::npos;
  if (settings.first_to_claim || named) return uri;
  return uri + (uri.find('?') == std::string::npos ? "?aid=" : "&aid=") + settings.account_id;
}

// In the order of the original tool's messages.
std::vector<Parameter> parameters_of(const FactorySettings& settings, const Injection& injection) {
  const DeviceInfo& info = settings.device_info;
  std::vector<Parameter> all{{"mbed.UseBootstrap", std::uint64_t{1}}, {"mbed.EndpointName", injection.serial_number}};
  if (settings.first_to_claim) all.push_back({"mbed.FirstToClaim", std::uint64_t{1}});
  all.push_back({"mbed.BootstrapServerURI", uri_of(settings)});
  all.push_back({"mbed.Manufacturer", info.manufacturer});
  all.push_back({"mbed.ModelNumber", info.model_number});
  all.push_back({"mbed.DeviceType", info.device_type});
  all.push_back({"mbed.HardwareVersion", info.hardware_version});
  all.push_back({"mbed.MemoryTotalKB", info.memory_total_kb});
  all.push_back({"mbed.SerialNumber", injection.serial_number});
  if (settings.time_sync) all.push_back({"mbed.CurrentTime", static_cast<std::uint64_t>(to_unix_ms(injection.now) / 1000)});
  all.push_back({"mbed.Timezone", info.timezone});
  all.push_back({"mbed.UTCOffset", info.utc_offset});
  if (settings.vendor_id) all.push_back({"mbed.VendorId", to_bytes(*settings.vendor_id)});
  if (settings.class_id) all.push_back({"mbed.ClassId", to_bytes(*settings.class_id)});
  all.insert(all.end(), settings.custom.begin(), settings.custom.end());
  return all;
}

void write_value(CborWriter& cbor, const ParameterValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) cbor.text(*text);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) cbor.number(*number);
  if (const auto* octets = std::get_if<Bytes>(&value)) cbor.bytes(*octets);
}

void write_pair(CborWriter& cbor, std::string_view name, std::string_view value) {
  cbor.text(name);
  cbor.text(value);
}

void write_key(CborWriter& cbor, const SecretBytes& key) {
  cbor.text("Keys");
  cbor.array(1);
  cbor.map(4);
  write_pair(cbor, "Name", kBootstrapKeyName);
  write_pair(cbor, "Type", "ECCPrivate");
  write_pair(cbor, "Format", "der");
  cbor.text("Data");
  cbor.bytes(key);
}

void write_certificate(CborWriter& cbor, std::string_view name, ByteView der, std::string_view private_key_name = {}) {
  cbor.map(private_key_name.empty() ? 3 : 4);
  write_pair(cbor, "Name", name);
  write_pair(cbor, "Format", "der");
  cbor.text("Data");
  cbor.bytes(der);
  if (!private_key_name.empty()) write_pair(cbor, "PrKN", private_key_name);
}

void write_chain(CborWriter& cbor, const Injection& injection, std::size_t depth) {
  cbor.text("CertificateChains");
  cbor.array(1);
  cbor.map(3);
  write_pair(cbor, "Name", kDeviceCertificateName);
  write_pair(cbor, "Format", "der");
  cbor.text("DataArray");
  cbor.array(1 + depth);
  cbor.bytes(injection.certificate);
  for (std::size_t i = 0; i < depth; ++i) cbor.bytes(injection.issuers[i]);
}

std::size_t depth_of(const FactorySettings& settings, const Injection& injection) {
  return std::min<std::size_t>(settings.chain_depth, injection.issuers.size());
}

void write_certificates(CborWriter& cbor, const FactorySettings& settings, const Injection& injection) {
  const bool chain = depth_of(settings, injection) > 0;
  const bool update = !settings.update_certificate.empty();
  cbor.text("Certificates");
  cbor.array((chain ? 0U : 1U) + 1U + (update ? 1U : 0U));
  const std::string_view key_name = injection.private_key == nullptr ? kBootstrapKeyName : std::string_view();
  if (!chain) write_certificate(cbor, kDeviceCertificateName, injection.certificate, key_name);
  write_certificate(cbor, "mbed.BootstrapServerCACert", settings.bootstrap_server_ca);
  if (update) write_certificate(cbor, "mbed.UpdateAuthCert", settings.update_certificate);
}

tl::unexpected<Error> rejected(std::string why) {
  return fail(ErrorCode::misconfigured, "the gateway would reject this identity: " + std::move(why));
}

}  // namespace

// `Keys` stands before the certificates: groups are processed in the order sent.
SecretBytes encode_injection(const FactorySettings& settings, const Injection& injection) {
  const std::vector<Parameter> parameters = parameters_of(settings, injection);
  const std::size_t depth = depth_of(settings, injection);
  const bool session = !injection.session.empty();
  CborWriter cbor;
  cbor.map(4U + (session ? 2U : 0U) + (injection.private_key != nullptr ? 1U : 0U) + (depth > 0 ? 1U : 0U) +
           (injection.entropy.empty() ? 0U : 1U));
  write_pair(cbor, "SchemeVersion", "0.0.1");
  if (session) {
    write_pair(cbor, "SID", injection.session);
    cbor.text("KpAlvSess");
    cbor.number(0);
  }
  if (!injection.entropy.empty()) {
    cbor.text("Entropy");
    cbor.bytes(injection.entropy);
  }
  if (injection.private_key != nullptr) write_key(cbor, *injection.private_key);
  write_certificates(cbor, settings, injection);
  if (depth > 0) write_chain(cbor, injection, depth);
  cbor.text("ConfigParams");
  cbor.array(parameters.size());
  for (const Parameter& parameter : parameters) {
    cbor.map(2);
    write_pair(cbor, "Name", parameter.name);
    cbor.text("Data");
    write_value(cbor, parameter.value);
  }
  cbor.text("Verify");
  cbor.number(settings.verify_on_device ? 1 : 0);
  return cbor.take();
}

Status check_injection(const FactorySettings& settings, const Injection& injection, const core::X509Codec& codec) {
  const auto problems = problems_of(settings);
  if (!problems.empty()) return rejected(problems.front());
  BIRTHMARK_CHECK(check_serial_number(injection.serial_number));
  if (settings.time_sync && to_unix_ms(injection.now) / 1000 < kEarliestTime) return rejected("this server's clock is before 2017");
  BIRTHMARK_TRY(const core::CertificateFacts leaf, codec.read_certificate(injection.certificate));
  if (leaf.key_algorithm != core::KeyAlgorithm::ec_p256) return rejected("the device's key is not on P-256");
  const auto names = leaf.values(core::NameAttributeType::common_name);
  if (names.size() != 1 || names.front() != injection.serial_number)
    return rejected("the certificate's common name is not the serial number");
  if (leaf.has_extended_key_usage && !leaf.client_auth) return rejected("the certificate's extended key usage lacks clientAuth");
  if (injection.now >= leaf.not_after) return rejected("the certificate has expired");
  if (injection.now < leaf.not_before) return rejected("the certificate is not valid yet");
  if (!injection.entropy.empty() && injection.entropy.size() != kEntropyOctets) return rejected("the entropy does not have 48 bytes");
  return {};
}

SecretBytes encode_csr_request(const std::string& session, std::string_view subject) {
  CborWriter cbor;
  cbor.map(5);
  write_pair(cbor, "SchemeVersion", "0.0.1");
  write_pair(cbor, "SID", session);
  cbor.text("KpAlvSess");
  cbor.number(1);
  cbor.text("Verify");
  cbor.number(0);
  cbor.text("CsrReqs");
  cbor.array(1);
  cbor.map(4);
  write_pair(cbor, "PrKN", kBootstrapKeyName);
  write_pair(cbor, "Subj", subject);
  cbor.text("MD");
  cbor.number(1);  // SHA-256
  cbor.text("Ext");
  cbor.map(2);
  cbor.text("KU");
  cbor.number(1);  // digitalSignature
  cbor.text("EKU");
  cbor.number(4);  // clientAuth
  return cbor.take();
}

std::string subject_text(const std::vector<core::SubjectAttribute>& attributes, std::string_view common_name) {
  std::string text;
  const auto add = [&text](std::string_view type, std::string_view value) {
    if (!text.empty()) text += ',';
    text.append(type).append("=");
    for (const char c : value) {
      if (c == ',') text += '\\';
      text += c;
    }
  };
  for (const auto& [type, value] : attributes) add(type, value);
  add("CN", common_name);
  return text;
}

}  // namespace birthmark::faces::izuma
