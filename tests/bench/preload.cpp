// SPDX-License-Identifier: Apache-2.0
// Many coroutines on one thread keep the registry's writer busy with large batches.
#include "preload.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <random>

#include "base/text.h"
#include "crypto/x509_codec.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::bench {
namespace {

constexpr unsigned kInFlight = 2'000;           // so many rows a transaction
constexpr std::size_t kCertificateBytes = 560;  // as /sign issues them
constexpr std::size_t kReportEvery = 100'000;

struct Authority {
  std::string factory;
  core::RowId row = 0;
  std::uint64_t trust_epoch = 0;
};

Result<Authority> find_issuer(core::Registry& registry) {
  BIRTHMARK_TRY(const auto authorities, registry.authorities());
  BIRTHMARK_TRY(const std::uint64_t epoch, registry.trust_epoch());
  const auto issuer = std::find_if(authorities.begin(), authorities.end(), [](const core::AuthorityRecord& authority) {
    return authority.role == core::AuthorityRole::device_ca && authority.state == core::AuthorityState::active;
  });
  if (issuer == authorities.end()) return fail(ErrorCode::misconfigured, "the registry has no active device CA to preload for");
  return Authority{.factory = issuer->factory, .row = issuer->row, .trust_epoch = epoch};
}

class Preload {
 public:
  Preload(core::Registry& registry, Authority authority, std::size_t count, const std::function<void(std::size_t)>& progress)
      : registry_(registry), authority_(std::move(authority)), count_(count), progress_(progress) {}

  Status run() {
    boost::asio::io_context context(1);
    for (unsigned i = 0; i < kInFlight; ++i) boost::asio::co_spawn(context, record_some(), boost::asio::detached);
    context.run();
    return std::move(outcome_);
  }

 private:
  Task<void> record_some() {
    while (begun_ < count_ && outcome_) {
      core::IssuanceRecord issuance = make_record(begun_++);
      core::Preconditions nothing_before;
      nothing_before.trust_epoch = authority_.trust_epoch;
      auto recorded = co_await registry_.record(std::move(issuance), nothing_before);
      if (!recorded) outcome_ = forward_error(recorded);
      if (recorded && recorded->conflict != core::RecordConflict::none) outcome_ = fail(ErrorCode::conflict, "a preloaded device is known");
      if (++done_ % kReportEvery == 0) progress_(done_);
    }
  }

  template <std::size_t N>
  std::array<std::uint8_t, N> random_octets() {
    std::array<std::uint8_t, N> octets;
    for (std::uint8_t& octet : octets) octet = static_cast<std::uint8_t>(random_());
    return octets;
  }

  // Rows in the shape of those that /sign writes: random identity and key, ascending serial.
  core::IssuanceRecord make_record(std::size_t index) {
    core::IssuanceRecord made;
    made.identity = {
        .factory = authority_.factory, .ecosystem = core::Ecosystem::foundries, .external_id = format_uuid(random_octets<16>())};
    made.device_id.octets = random_octets<16>();
    made.name = made.identity.external_id;
    made.hardware_id = "intel-corei7-64";
    made.production = index % 10 != 0;
    if (index % 20 == 0) made.group = "line-" + std::to_string(index / 20 % 50);
    made.station = "127.0.0.1";
    made.spki_sha256.octets = random_octets<32>();
    made.issuer = authority_.row;
    auto serial = random_octets<16>();
    for (std::size_t i = 0; i < 6; ++i) serial[5 - i] = static_cast<std::uint8_t>((index + 1) >> (8 * i));
    made.serial = core_serial(serial);
    made.issued_at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    made.not_before = std::chrono::floor<std::chrono::seconds>(made.issued_at);
    made.not_after = made.not_before + std::chrono::years(20);
    made.certificate_der.resize(kCertificateBytes);
    std::generate(made.certificate_der.begin(), made.certificate_der.end(), [this] { return static_cast<std::uint8_t>(random_()); });
    made.audit_body = R"({"event":"device_issued","id":")" + made.identity.external_id + R"(","spki":")" + to_hex(made.spki_sha256.view()) +
                      R"(","serial":")" + made.serial.hex() + R"(","station":"127.0.0.1"})";
    return made;
  }

  Serial core_serial(const std::array<std::uint8_t, 16>& octets) {
    auto serial = Serial::from_magnitude(octets);
    BIRTHMARK_ASSERT(serial.has_value());
    return *serial;
  }

  core::Registry& registry_;
  Authority authority_;
  std::size_t count_;
  const std::function<void(std::size_t)>& progress_;
  std::mt19937_64 random_{std::random_device{}()};
  std::size_t begun_ = 0;
  std::size_t done_ = 0;
  Status outcome_;
};

}  // namespace

Status preload_devices(const std::filesystem::path& directory, std::size_t count, const std::function<void(std::size_t)>& progress) {
  BIRTHMARK_TRY(const auto codec, crypto::make_x509_codec());
  store::SqliteOptions options;
  options.path = directory / "birthmark.db";
  options.synchronous = store::Synchronous::off;
  BIRTHMARK_TRY(const auto registry, store::SqliteRegistry::open(options, *codec));
  BIRTHMARK_TRY(Authority issuer, find_issuer(*registry));
  return Preload(*registry, std::move(issuer), count, progress).run();
}

}  // namespace birthmark::bench
