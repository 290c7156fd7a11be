// SPDX-License-Identifier: Apache-2.0
#include "test_factory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/pem.h"
#include "crypto/pki/ceremony.h"
#include "crypto/x509_codec.h"
#include "store/memory/memory_registry.h"
#include "store/sqlite/sqlite_registry.h"

namespace birthmark::testing {
namespace {

// The value, or the test program ends: a fixture that cannot be built has nothing to test.
template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().describe();
    std::abort();
  }
  return std::move(*result);
}
void must(const Status& status) {
  if (status) return;
  ADD_FAILURE() << status.error().describe();
  std::abort();
}

Instant start_of_test() {
  return must(parse_rfc3339("2026-06-01T12:00:00Z"));
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "birthmark-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestDevice::TestDevice(std::string id_, std::string factory_, bool production_)
    : id(std::move(id_)), factory(std::move(factory_)), production(production_), key(must(crypto::PrivateKey::generate_p256())) {}

std::string TestDevice::csr() const {
  crypto::CsrSubject subject;
  subject.common_name = id;
  subject.organizational_unit = factory;
  subject.production = production;
  subject.device_extensions = true;
  return must(crypto::make_csr_pem(key, subject));
}

core::Enrollment TestDevice::enrollment(std::string station) const {
  core::Enrollment enrollment;
  enrollment.csr_pem = csr();
  enrollment.claims.device_id = id;
  enrollment.claims.name = "device " + id;
  enrollment.claims.hardware_id = "intel-corei7-64";
  enrollment.origin = {station, station, {}};
  return enrollment;
}

TestFactory::TestFactory(Store store, core::RegistrationRules rules, core::ClockRules clock_rules)
    : clock(start_of_test()), store_(store), rules_(rules), clock_rules_(clock_rules) {
  codec = must(crypto::make_x509_codec());
  random = crypto::make_system_random();
  crypto::CreateRequest request;
  request.directory = directory.path() / "pki";
  request.factory = "acme";
  must(crypto::create_pki({*random, clock.now(), [](const std::string&) {}}, request));
  signers_.push_back(crypto::make_file_signer(must(crypto::PrivateKey::load(request.directory / "local-ca.key"))));
  clock.pass(std::chrono::hours(48));  // so that backdating does not meet the CA's own beginning
  open_registry();
  install("factory_ca.pem", core::AuthorityRole::root);
  install("local-ca.pem", core::AuthorityRole::device_ca);
  reload();
}

void TestFactory::open_registry() {
  if (store_ == Store::sqlite) {
    store::SqliteOptions options;
    options.path = directory.path() / "birthmark.db";
    auto opened = must(store::SqliteRegistry::open(options, *codec));
    tokens = &opened->tokens();
    orders = &opened->orders();
    registry = std::move(opened);
  } else if (!registry) {
    auto made = store::make_memory_registry(*codec);
    tokens = made.get();
    orders = made.get();
    registry = std::move(made);
  }
  trust = std::make_unique<core::TrustStore>(*registry, *codec, "acme");
  must(trust->reload(signers_));
  clock_guard = std::make_unique<core::ClockGuard>(clock, clock_rules_, must(registry->clock_mark()));
  enroller = std::make_unique<core::Enroller>(*codec, *registry, *trust, *clock_guard, *random, rules_, orders);
}

void TestFactory::install(std::string_view certificate_file, core::AuthorityRole role) {
  const std::string pem = must(read_file(directory.path() / "pki" / certificate_file));
  core::TrustChange change;
  change.upserts.push_back({0, "acme", role, core::AuthorityState::active, must(decode_first_pem(pem)).contents, clock.now()});
  change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, clock.now(), {{"what", "test"}}));
  must(run_task(registry->apply(std::move(change))));
}

void TestFactory::add_successor() {
  crypto::AddDeviceCaRequest request;
  request.directory = directory.path() / "pki";
  request.local_ca = true;
  request.local_ca_filename = "next-ca.pem";
  request.owner = "next";
  must(crypto::add_device_ca({*random, clock.now(), [](const std::string&) {}}, request));
  signers_.push_back(crypto::make_file_signer(must(crypto::PrivateKey::load(request.directory / "next-ca.key"))));
  install("next-ca.pem", core::AuthorityRole::device_ca);
  reload();
}

void TestFactory::reload() {
  must(trust->reload(signers_));
}

void TestFactory::restart() {
  enroller.reset();
  clock_guard.reset();
  if (store_ == Store::sqlite) registry.reset();
  open_registry();
  reload();
}

void TestFactory::set_authority_state(std::size_t index, core::AuthorityState state) {
  core::AuthorityRecord record = trust->current()->device_authorities.at(index).record;
  record.state = state;
  core::TrustChange change;
  change.upserts.push_back(record);
  change.audit_bodies.push_back(core::audit_body(core::AuditEvent::trust_changed, clock.now(), {{"what", "state"}}));
  must(run_task(registry->apply(std::move(change))));
  reload();
}

core::EnrollmentOutcome TestFactory::enroll(const core::Enrollment& enrollment) {
  return run_task(enroller->enroll(enrollment));
}

core::Enrolled TestFactory::expect_enrolled(const core::Enrollment& enrollment) {
  core::EnrollmentOutcome outcome = enroll(enrollment);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) {
    ADD_FAILURE() << "refused: " << refusal->public_text << " / " << refusal->audit_text;
    return {};
  }
  return std::get<core::Enrolled>(std::move(outcome));
}

core::Refusal TestFactory::expect_refused(const core::Enrollment& enrollment) {
  core::EnrollmentOutcome outcome = enroll(enrollment);
  if (const auto* refusal = std::get_if<core::Refusal>(&outcome)) return *refusal;
  ADD_FAILURE() << "a certificate was issued";
  return {};
}

core::CertificateFacts TestFactory::facts(const core::Enrolled& enrolled) {
  return must(codec->read_certificate(enrolled.certificate_der));
}

core::DeviceRecord TestFactory::device(std::string_view id) {
  const auto identity = must(core::identify("acme", core::Ecosystem::foundries, id, core::DeviceIdRule::safe));
  auto found = must(registry->find(identity));
  if (!found) {
    ADD_FAILURE() << "no such device: " << id;
    return {};
  }
  return std::move(*found);
}

}  // namespace birthmark::testing
