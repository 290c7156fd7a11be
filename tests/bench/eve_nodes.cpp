// SPDX-License-Identifier: Apache-2.0
#include "eve_nodes.h"

#include <eve.pb.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <random>

#include "base/ecdsa_signature.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/profiles.h"
#include "crypto/x509_codec.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::bench {
namespace {

namespace wire = birthmark::eve::wire;

constexpr unsigned kInFlight = 2'000;

Instant now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string http_post(const std::string& path, const std::string& body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-proto-binary\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

Result<wire::AuthContainer> sealed(const Bytes& certificate_der, const crypto::PrivateKey& key, const std::string& payload) {
  BIRTHMARK_TRY(const Bytes der, key.sign(core::SignatureScheme::ecdsa_sha256, as_bytes(payload)));
  const auto raw = ecdsa_to_raw(der, 32);
  if (!raw) return fail(ErrorCode::internal, "the key is not on P-256");
  wire::AuthContainer container;
  container.mutable_protectedpayload()->set_payload(payload);
  container.set_algo(wire::HASH_SHA256_32BYTES);
  container.set_sendercerthash(std::string(as_text(crypto::sha256(certificate_der).view())));
  container.set_signaturehash(std::string(as_text(*raw)));
  return container;
}

class Preload {
 public:
  Preload(store::SqliteRegistry& registry, core::OnboardingCertificate door, core::RowId issuer, std::uint64_t epoch)
      : registry_(registry), door_(std::move(door)), issuer_(issuer), epoch_(epoch), random_source_(crypto::make_system_random()) {}

  Result<std::vector<BenchNode>> run(std::size_t count, std::size_t signing) {
    count_ = count;
    every_ = std::max<std::size_t>(count / std::max<std::size_t>(signing, 1), 1);
    signing_ = signing;
    boost::asio::io_context context(1);
    for (unsigned i = 0; i < kInFlight; ++i) boost::asio::co_spawn(context, record_some(), boost::asio::detached);
    context.run();
    if (!outcome_) return tl::make_unexpected(outcome_.error());
    return std::move(nodes_);
  }

 private:
  Task<void> record_some() {
    while (begun_ < count_ && outcome_) {
      const std::size_t index = begun_++;
      auto draft = make_draft(index % every_ == 0 && nodes_.size() < signing_);
      if (!draft) {
        outcome_ = tl::make_unexpected(draft.error());
        co_return;
      }
      core::Preconditions expected;
      expected.trust_epoch = epoch_;
      core::NodeDraft& made = *draft;
      core::Nodes& nodes = registry_.nodes();
      auto recorded = co_await nodes.record_node(std::move(made), expected);
      if (!recorded) outcome_ = tl::make_unexpected(recorded.error());
      if (recorded && *recorded != core::NodeConflict::none) outcome_ = fail(ErrorCode::conflict, "a preloaded node was refused");
    }
  }

  template <std::size_t N>
  std::array<std::uint8_t, N> random_octets() {
    std::array<std::uint8_t, N> octets;
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(random_());
    return octets;
  }

  Result<core::NodeDraft> make_draft(bool with_key) {
    core::NodeDraft draft;
    core::IssuanceRecord& made = draft.issuance;
    auto uuid = random_octets<16>();
    made.identity = {door_.factory, core::Ecosystem::eve, format_uuid(uuid)};
    made.device_id.octets = random_octets<16>();
    draft.serial = draft.hardware_serial = made.name = to_hex(ByteView(random_octets<10>()));
    made.issuer = issuer_;
    auto serial = random_octets<16>();
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3fU) | 0x40U);
    BIRTHMARK_TRY(made.serial, Serial::from_magnitude(serial));
    made.issued_at = made.not_before = now();
    made.not_after = made.not_before + std::chrono::years(20);
    made.audit_body = R"({"event":"device_admitted","id":")" + made.identity.external_id + R"("})";
    draft.onboarding = door_.row;
    draft.takes_place = true;
    if (!with_key) {
      made.certificate_der.resize(480);
      std::generate(made.certificate_der.begin(), made.certificate_der.end(), [this] { return static_cast<std::uint8_t>(random_()); });
      made.spki_sha256.octets = random_octets<32>();
      draft.certificate.octets = random_octets<32>();
      draft.spki_der.assign(91, 7);
      return draft;
    }
    BIRTHMARK_TRY(auto key, crypto::PrivateKey::generate_p256());
    BIRTHMARK_TRY(const auto certificate, crypto::make_eve_device_certificate(key, *random_source_, now()));
    made.certificate_der = certificate.der();
    made.spki_sha256 = key.spki_sha256();
    draft.certificate = certificate.fingerprint();
    BIRTHMARK_TRY(draft.spki_der, key.spki_der());
    nodes_.push_back({made.identity.external_id, certificate.der(), std::move(key)});
    return draft;
  }

  store::SqliteRegistry& registry_;
  const core::OnboardingCertificate door_;
  const core::RowId issuer_;
  const std::uint64_t epoch_;
  const std::unique_ptr<core::Random> random_source_;
  std::mt19937_64 random_{std::random_device{}()};
  std::size_t count_ = 0, every_ = 1, signing_ = 0, begun_ = 0;
  std::vector<BenchNode> nodes_;
  Status outcome_;
};

}  // namespace

Result<std::vector<BenchNode>> preload_nodes(const std::filesystem::path& directory, std::size_t count, std::size_t signing,
                                             std::size_t already) {
  BIRTHMARK_TRY(const auto codec, crypto::make_x509_codec());
  store::SqliteOptions options;
  options.path = directory / "birthmark.db";
  options.synchronous = store::Synchronous::off;
  BIRTHMARK_TRY(const auto registry, store::SqliteRegistry::open(options, *codec));
  BIRTHMARK_TRY(const auto authorities, registry->authorities());
  const auto issuer = std::find_if(authorities.begin(), authorities.end(),
                                   [](const core::AuthorityRecord& authority) { return authority.role == core::kControllerRole; });
  if (issuer == authorities.end()) return fail(ErrorCode::misconfigured, "the registry has no EVE controller");
  BIRTHMARK_TRY(auto doors, registry->nodes().certificates(issuer->factory));
  BIRTHMARK_TRY(const std::uint64_t epoch, registry->trust_epoch());
  if (doors.empty()) return fail(ErrorCode::misconfigured, "the registry has no onboarding certificate");
  return Preload(*registry, std::move(doors.front()), issuer->row, epoch).run(count - already, signing);
}

Result<std::string> uuid_request(const BenchNode& node) {
  BIRTHMARK_TRY(const auto container, sealed(node.certificate_der, node.key, {}));
  return http_post("/api/v2/edgedevice/uuid", container.SerializeAsString());
}

Result<std::string> config_request(const BenchNode& node) {
  BIRTHMARK_TRY(const auto container, sealed(node.certificate_der, node.key, {}));
  return http_post("/api/v2/edgedevice/id/" + node.uuid + "/config", container.SerializeAsString());
}

Result<std::vector<std::string>> register_requests(const std::filesystem::path& config, std::size_t count) {
  BIRTHMARK_TRY(const std::string pem, read_file(config / "onboard.cert.pem"));
  BIRTHMARK_TRY(const auto onboarding, crypto::Certificate::from_pem(pem));
  BIRTHMARK_TRY(const auto onboarding_key, crypto::PrivateKey::load(config / "onboard.key.pem"));
  const auto random = crypto::make_system_random();
  std::vector<std::string> requests;
  for (std::size_t i = 0; i < count; ++i) {
    BIRTHMARK_TRY(const auto key, crypto::PrivateKey::generate_p256());
    BIRTHMARK_TRY(const auto certificate, crypto::make_eve_device_certificate(key, *random, now()));
    wire::ZRegisterMsg message;
    message.set_pemcert(to_base64(as_bytes(certificate.pem())));
    message.set_serial("bench " + std::to_string(i));
    BIRTHMARK_TRY(auto container, sealed(onboarding.der(), onboarding_key, message.SerializeAsString()));
    container.set_sendercert(to_base64(as_bytes(pem)));
    requests.push_back(http_post("/api/v2/edgedevice/register", container.SerializeAsString()));
  }
  return requests;
}

}  // namespace birthmark::bench
