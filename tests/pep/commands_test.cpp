// SPDX-License-Identifier: Apache-2.0
// birthmark pep ...: the CA and the configuration directory; and what the listener refuses to start with (protocol facts, pep 1.1, 5.6).
#include <gtest/gtest.h>

#include "pep_server.h"

namespace birthmark::pep {
namespace {

using e2e::Arguments;

e2e::Outcome openssl(Arguments arguments) {
  arguments.insert(arguments.begin(), "openssl");
  return e2e::run(arguments);
}

// A CA as the original's users make them.
void make_ca(const std::filesystem::path& keystore, const std::string& curve, const std::string& days) {
  std::filesystem::create_directories(keystore);
  ASSERT_EQ(openssl({"ecparam", "-name", curve, "-genkey", "-noout", "-out", (keystore / "CA_private.pem").string()}).exit_code, 0);
  std::filesystem::permissions(keystore / "CA_private.pem", std::filesystem::perms::owner_read);
  const auto made = openssl({"req", "-new", "-x509", "-sha256", "-key", (keystore / "CA_private.pem").string(), "-days", days, "-subj",
                             "/C=FI/O=Acme/CN=Acme gateways", "-out", (keystore / "CA_cert.pem").string()});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
}

TEST(PepInstallCa, takes_the_customers_own_and_issues_from_it) {
  PepServer pep;
  const auto keystore = pep.factory().scratch() / "keystore";
  make_ca(keystore, "prime256v1", "7300");
  pep.factory().command({"pep", "install-ca", (keystore / "CA_private.pem").string(), (keystore / "CA_cert.pem").string()});
  EXPECT_EQ(pep.factory().command({"pep", "export-ca"}), e2e::read_text(keystore / "CA_cert.pem"));
  pep.start();
  TestFcc fcc;
  ASSERT_EQ(pep.provision("GW", fcc.port()).status, 200);
  const auto certificate = pep.factory().scratch() / "leaf.der";
  const Bytes leaf = fcc.octets("mbed.BootstrapDeviceCert");
  e2e::write_text(certificate, as_text(leaf));
  const auto pem = pep.factory().scratch() / "leaf.pem";
  ASSERT_EQ(openssl({"x509", "-inform", "der", "-in", certificate.string(), "-out", pem.string()}).exit_code, 0);
  const auto verified = openssl({"verify", "-CAfile", (keystore / "CA_cert.pem").string(), pem.string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
  const std::string text = openssl({"x509", "-in", pem.string(), "-noout", "-text"}).output;
  EXPECT_NE(text.find("TLS Web Client Authentication"), std::string::npos);
  EXPECT_NE(text.find("ecdsa-with-SHA256"), std::string::npos);
}

TEST(PepInstallCa, refuses_what_gateways_would) {
  PepServer pep;
  const auto refused = [&](const std::string& curve, const std::string& days, const std::string& why) {
    const auto keystore = pep.factory().scratch() / (curve + days);
    make_ca(keystore, curve, days);
    const auto outcome = pep.factory().birthmark({"pep", "install-ca", "--dir", pep.factory().directory().string(),
                                                  (keystore / "CA_private.pem").string(), (keystore / "CA_cert.pem").string()});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.errors.find(why), std::string::npos) << outcome.errors;
  };
  refused("secp384r1", "7300", "P-256");
  refused("prime256v1", "3600", "ten years");
}

TEST(PepServe, refuses_to_start_without_a_ca_and_says_how_to_get_one) {
  e2e::Factory factory;
  e2e::ServerProcess::Options options;
  options.listen = {"pep=127.0.0.1:0"};
  const auto server = factory.try_to_serve(options);
  EXPECT_FALSE(server->wait_until_ready());
  EXPECT_NE(server->log_text().find("bootstrap"), std::string::npos) << server->log_text();
}

TEST(PepCheckConfig, names_every_problem) {
  e2e::ScratchDirectory scratch;
  const auto directory = scratch.path();
  e2e::write_text(directory / "fcu.yml",
                  "use-bootstrap: true\nfirst-to-claim: true\nvendor-id: nope\ndevice-info:\n  manufacturer: Acme\n"
                  "update-auth-certificate-file: <%= ENV['FCU_RESOURCES_DIR'] %>/update-auth-certificate.der\n");
  make_ca(directory / "keystore", "secp384r1", "400");
  const auto bad = e2e::run({e2e::program(), "pep", "check-config", directory.string()});
  EXPECT_EQ(bad.exit_code, 1);
  for (const char* part : {"vendor-id must be a UUID", "model-number is missing", "update-auth-certificate.der", "P-256", "ten years"})
    EXPECT_NE(bad.output.find(part), std::string::npos) << part << " in:\n" << bad.output;

  const auto good = directory / "good";
  std::filesystem::create_directories(good);
  make_ca(good / "keystore", "prime256v1", "7300");
  ASSERT_EQ(e2e::run({e2e::program(), "pep", "test-update-certificate", good.string()}).exit_code, 0);
  e2e::write_text(good / "fcu.yml",
                  "use-bootstrap: true\nfirst-to-claim: true\nvendor-id: 53a9e0b0-1111-4c4c-9a9a-000102030405\n"
                  "class-id: 53a9e0b0-2222-4c4c-9a9a-000102030405\ndevice-info:\n  manufacturer: Acme\n  model-number: EG\n"
                  "  device-type: GW\n  hardware-version: 1.0\n  memory-total-kb: 1024\n"
                  "update-auth-certificate-file: <%= ENV['FCU_RESOURCES_DIR'] %>/update-auth-certificate.der\n");
  const auto fine = e2e::run({e2e::program(), "pep", "check-config", good.string()});
  EXPECT_EQ(fine.exit_code, 0) << fine.output;
}

}  // namespace
}  // namespace birthmark::pep
