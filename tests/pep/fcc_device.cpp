// SPDX-License-Identifier: Apache-2.0
// The rules of the client: groups, items, verification, in the order of the facts (pep 5.3, 5.6, 5.7).
#include <cbor.h>

#include <algorithm>
#include <memory>
#include <set>

#include "crypto/der_reader.h"
#include "crypto/der_writer.h"
#include "crypto/gateway_tools.h"
#include "crypto/pki/certificate.h"
#include "test_fcc.h"

namespace birthmark::pep {
namespace {

struct Release {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, Release>;

std::string text_of(const cbor_item_t* item) {
  if (!cbor_isa_string(item) || !cbor_string_is_definite(item)) return {};
  return {reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item)};
}

Bytes bytes_of(const cbor_item_t* item) {
  if (!cbor_isa_bytestring(item)) return {};
  return {cbor_bytestring_handle(item), cbor_bytestring_handle(item) + cbor_bytestring_length(item)};
}

std::vector<std::pair<std::string, const cbor_item_t*>> members(const cbor_item_t* map) {
  std::vector<std::pair<std::string, const cbor_item_t*>> all;
  if (!cbor_isa_map(map)) return all;
  for (std::size_t i = 0; i < cbor_map_size(map); ++i)
    all.emplace_back(text_of(cbor_map_handle(map)[i].key), cbor_map_handle(map)[i].value);
  return all;
}

const cbor_item_t* member(const cbor_item_t* map, const std::string& name) {
  for (const auto& [known, value] : members(map))
    if (known == name) return value;
  return nullptr;
}

struct Rejection {
  unsigned status;
  std::string info;
};

[[noreturn]] void reject(unsigned status, std::string info = "General error:") {
  throw Rejection{status, std::move(info)};
}

Bytes csr_for(const crypto::PrivateKey& key, const std::string& subject, bool bad_signature) {
  std::vector<core::SubjectAttribute> attributes;
  std::string common_name, piece;
  const auto add = [&] {
    const std::size_t equals = piece.find('=');
    if (piece.substr(0, equals) == "CN")
      common_name = piece.substr(equals + 1);
    else
      attributes.push_back({piece.substr(0, equals), piece.substr(equals + 1)});
    piece.clear();
  };
  for (std::size_t i = 0; i < subject.size(); ++i) {
    if (subject[i] == '\\' && i + 1 < subject.size())
      piece += subject[++i];
    else if (subject[i] == ',')
      add();
    else
      piece += subject[i];
  }
  add();
  namespace der = crypto::der;
  const Bytes name = crypto::make_gateway_tools()->encode_subject(attributes, common_name).value();
  const Bytes version{0x02, 0x01, 0x00};
  const Bytes none = der::value(der::context_constructed(0), {});
  const Bytes spki = key.spki_der().value();
  const Bytes info = der::value(der::kSequence, {version, name, spki, none});
  Bytes signature = key.sign(key.default_scheme(), info).value();
  if (bad_signature) signature = key.sign(key.default_scheme(), version).value();
  static constexpr std::uint8_t kEcdsaSha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
  Bytes bits;
  der::append_bit_string(bits, signature);
  return der::value(der::kSequence, {info, kEcdsaSha256, bits});
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

// One message against the store.
class BundleReader {
 public:
  BundleReader(FccDevice& device, const cbor_item_t* map, FccReplyText& reply) : device_(device), map_(map), reply_(reply) {}

  void read() {
    if (!cbor_isa_map(map_) || !cbor_map_is_definite(map_)) reject(20);
    const auto* scheme = member(map_, "SchemeVersion");
    if (scheme == nullptr || text_of(scheme) != "0.0.1") reject(24);
    if (const auto* entropy = member(map_, "Entropy"); entropy != nullptr && bytes_of(entropy).size() != 48) reject(3);
    static const std::set<std::string> kKnown{"SchemeVersion", "SID",    "KpAlvSess", "Verify",       "Disable",
                                              "Entropy",       "ROT",    "Keys",      "Certificates", "CertificateChains",
                                              "ConfigParams",  "CsrReqs"};
    for (const auto& [name, value] : members(map_)) {
      if (!kKnown.contains(name)) reject(23);
      if (name == "SID") reply_.session = text_of(value);
      if (name == "Keys") each(value, [this](const cbor_item_t* item) { take_key(item); });
      if (name == "Certificates") each(value, [this](const cbor_item_t* item) { take_certificate(item); });
      if (name == "CertificateChains") each(value, [this](const cbor_item_t* item) { take_chain(item); });
      if (name == "ConfigParams") each(value, [this](const cbor_item_t* item) { take_parameter(item); });
    }
    if (const auto* requests = member(map_, "CsrReqs")) {
      if (reply_.session.empty() || flag("Verify", 1) != 0) reject(20);
      each(requests, [this](const cbor_item_t* item) { take_csr_request(item); });
    }
  }

  [[nodiscard]] std::uint64_t flag(const std::string& name, std::uint64_t otherwise) const {
    const auto* value = member(map_, name);
    if (value == nullptr) return otherwise;
    if (!cbor_isa_uint(value) || cbor_get_int(value) > 1) reject(20);
    return cbor_get_int(value);
  }

 private:
  template <class Take>
  void each(const cbor_item_t* list, const Take& take) {
    if (!cbor_isa_array(list)) reject(20);
    for (std::size_t i = 0; i < cbor_array_size(list); ++i) take(cbor_array_handle(list)[i]);
  }

  std::string name_of(const cbor_item_t* item, const std::set<std::string>& allowed) {
    for (const auto& [key, value] : members(item))
      if (!allowed.contains(key)) reject(37);
    const auto* name = member(item, "Name");
    if (name == nullptr || !is_name(text_of(name))) reject(16, "File name invalid:" + (name != nullptr ? text_of(name) : std::string()));
    return text_of(name);
  }

  void keep(const std::string& name, StoredValue value) {
    if (device_.store_.contains(name)) reject(17, "Data already exists:" + name);
    device_.store_[name] = std::move(value);
  }

  void take_key(const cbor_item_t* item) {
    const std::string name = name_of(item, {"Name", "Type", "Format", "Data"});
    if (text_of(member(item, "Format")) != "der" || text_of(member(item, "Type")) != "ECCPrivate") reject(37);
    const Bytes data = bytes_of(member(item, "Data"));
    const unsigned char* at = data.data();
    crypto::PkeyHandle key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(data.size())));
    if (!key || EVP_PKEY_get_bits(key.get()) != 256) reject(18);
    keep(name, data);
    unsigned char* spki = nullptr;
    const int size = i2d_PUBKEY(key.get(), &spki);
    device_.store_["(spki)"] = Bytes(spki, spki + size);
    OPENSSL_free(spki);
  }

  crypto::Certificate certificate_of(const std::string& name, const Bytes& der) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) reject(18, "Certificate parse failed:" + name);
    if (!crypto::check_fcc_certificate(*certificate, name)) reject(18, "Certificate parse failed:" + name);
    return std::move(*certificate);
  }

  void take_certificate(const cbor_item_t* item) {
    const std::string name = name_of(item, {"Name", "Format", "Data", "PrKN"});
    if (text_of(member(item, "Format")) != "der") reject(37);
    const Bytes der = bytes_of(member(item, "Data"));
    const auto certificate = certificate_of(name, der);
    if (const auto* key = member(item, "PrKN")) {
      if (!device_.store_.contains(text_of(key)) || !device_.own_key_ || device_.own_key_->spki_sha256() != certificate.spki_sha256())
        reject(34, "Certificate public key validation failed:" + name);
    }
    keep(name, der);
  }

  void take_chain(const cbor_item_t* item) {
    const std::string name = name_of(item, {"Name", "Format", "DataArray"});
    const auto* list = member(item, "DataArray");
    if (list == nullptr || !cbor_isa_array(list) || cbor_array_size(list) == 0 || cbor_array_size(list) > 5) reject(20);
    std::optional<crypto::Certificate> before;
    for (std::size_t i = 0; i < cbor_array_size(list); ++i) {
      const Bytes der = bytes_of(cbor_array_handle(list)[i]);
      auto certificate = certificate_of(name, der);
      if (before && !before->is_signed_by(certificate)) reject(18, "Chain validation error:" + name);
      if (i == 0) keep(name, der);
      before.emplace(std::move(certificate));
    }
    device_.store_["(chain)"] = std::uint64_t{cbor_array_size(list)};
  }

  void take_parameter(const cbor_item_t* item) {
    const std::string name = name_of(item, {"Name", "Data"});
    const auto* data = member(item, "Data");
    if (data == nullptr) reject(20);
    if (cbor_isa_uint(data))
      keep(name, std::uint64_t{cbor_get_int(data)});
    else if (cbor_isa_string(data))
      keep(name, text_of(data));
    else if (cbor_isa_bytestring(data))
      keep(name, bytes_of(data));
    else
      reject(20);
  }

  void take_csr_request(const cbor_item_t* item) {
    const std::string name = text_of(member(item, "PrKN"));
    const auto* subject = member(item, "Subj");
    const auto* digest = member(item, "MD");
    if (name.empty() || subject == nullptr || digest == nullptr) reject(20);
    if (cbor_get_int(digest) != 1) reject(18);
    if (device_.store_.contains(name)) reject(17, "Desired generated key name already exists:" + name);
    device_.own_key_.emplace(crypto::PrivateKey::generate_p256().value());
    const auto kind = device_.script_.csr;
    const std::string wanted = kind == FccScript::Csr::other_subject ? "CN=somebody else" : text_of(subject);
    const crypto::PrivateKey other = crypto::PrivateKey::generate_p256().value();
    const crypto::PrivateKey& key = kind == FccScript::Csr::other_key ? other : *device_.own_key_;
    reply_.csrs.emplace_back(name, csr_for(key, wanted, kind == FccScript::Csr::bad_signature));
    device_.store_[name] = std::string("(made here)");
    device_.store_["(spki)"] = device_.own_key_->spki_der().value();
  }

  FccDevice& device_;
  const cbor_item_t* map_;
  FccReplyText& reply_;
};

// 5.6, in its order: the first error stops.
FccReplyText FccDevice::verify() {
  FccReplyText reply;
  const auto text = [this](const std::string& name) {
    const auto found = store_.find(name);
    const auto* value = found == store_.end() ? nullptr : std::get_if<std::string>(&found->second);
    return value != nullptr ? std::optional(*value) : std::nullopt;
  };
  const auto need = [this](const std::string& name) {
    if (!store_.contains(name)) reject(25, "Item does not exist:" + name);
  };
  for (const char* name : {"mbed.CurrentTime", "mbed.Timezone", "mbed.UTCOffset"})
    if (!store_.contains(name)) reply.warnings.push_back("Item not set:" + std::string(name));
  need("mbed.UseBootstrap");
  if (store_.at("mbed.UseBootstrap") != StoredValue(std::uint64_t{1})) reject(30, "Bootstrap mode value incorrect:");
  need("mbed.EndpointName");
  if (text("mbed.EndpointName")->empty()) reject(26, "Item empty:mbed.EndpointName");
  for (const char* name : {"mbed.Manufacturer", "mbed.ModelNumber", "mbed.DeviceType", "mbed.HardwareVersion", "mbed.MemoryTotalKB",
                           "mbed.SerialNumber", "mbed.BootstrapServerCACert", "mbed.BootstrapServerURI"})
    need(name);
  const std::string uri = *text("mbed.BootstrapServerURI");
  if (!uri.starts_with("coap://") && !uri.starts_with("coaps://")) reject(28, "URI format incorrect:");
  const bool claim = store_.contains("mbed.FirstToClaim");
  const bool account = uri.find("?aid=") != std::string::npos || uri.find("&aid=") != std::string::npos;
  if (claim && account) reject(29, "first to claim not allowed:");
  if (!claim && !account) reject(28, "URI format incorrect:");
  need("mbed.BootstrapDevicePrivateKey");
  need("mbed.BootstrapDeviceCert");
  const auto leaf = crypto::Certificate::from_der(std::get<Bytes>(store_.at("mbed.BootstrapDeviceCert"))).value();
  unsigned char* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf.get()), &spki);
  const Bytes of_leaf(spki, spki + size);
  OPENSSL_free(spki);
  if (of_leaf != std::get<Bytes>(store_.at("(spki)"))) reject(34, "Certificate public key validation failed:");
  if (leaf.common_names() != std::vector<std::string>{*text("mbed.EndpointName")}) reject(14, "Certificate CN attribute invalid:");
  const auto now = std::chrono::system_clock::now();
  if (now >= leaf.not_after()) reject(13, "Certificate expired:");
  if (leaf.not_after() - now < std::chrono::hours(24 * 3652))
    reply.warnings.push_back("Certificate validity is less than 10 years:mbed.BootstrapDeviceCert");
  if (leaf.is_self_signed()) reply.warnings.push_back("Certificate is self signed:mbed.BootstrapDeviceCert");
  if (!store_.contains("mbed.UpdateAuthCert")) reply.warnings.push_back("Item not set:mbed.UpdateAuthCert");
  for (const char* name : {"mbed.VendorId", "mbed.ClassId"}) {
    const auto found = store_.find(name);
    if (found == store_.end())
      reply.warnings.push_back("Item not set:" + std::string(name));
    else if (!std::holds_alternative<Bytes>(found->second) || std::get<Bytes>(found->second).size() != 16)
      reject(27, "Item size is wrong:" + std::string(name));
  }
  return reply;
}

FccReplyText FccDevice::take(ByteView message, bool& goes_on) {
  FccReplyText reply;
  goes_on = false;
  try {
    cbor_load_result loaded{};
    const Item root(cbor_load(message.data(), message.size(), &loaded));
    if (!root || loaded.error.code != CBOR_ERR_NONE || loaded.read != message.size()) reject(20);
    BundleReader reader(*this, root.get(), reply);
    reader.read();
    goes_on = reader.flag("KpAlvSess", 0) == 1;
    if (!goes_on) {
      if (!store_.contains("mbed.UseBootstrap")) reject(25, "Item does not exist:mbed.UseBootstrap");
      if (!store_.contains("mbed.BootstrapServerCACert")) reject(25, "Item does not exist:mbed.BootstrapServerCACert");
    }
    if (reader.flag("Verify", 1) == 1) {
      FccReplyText verdict = verify();
      reply.warnings = std::move(verdict.warnings);
    }
    reply.info = "The Factory process succeeded\n";
  } catch (const Rejection& rejection) {
    reply.status = rejection.status;
    reply.info = rejection.info;
    reply.csrs.clear();
  }
  return reply;
}

}  // namespace birthmark::pep
