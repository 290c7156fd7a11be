// SPDX-License-Identifier: Apache-2.0
// Protocol facts, Foundries 1.3 and 1.7: each rule of /certs/, broken alone in a request that is good otherwise.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/pki/profiles.h"
#include "test_api.h"

namespace birthmark::testing {
namespace {

namespace json = boost::json;
using crypto::Certificate;
using crypto::PrivateKey;

constexpr const char* kTls = R"({"first-time-init":false,"ca-csr":false,"est-tls-csr":false,"tls-csr":true})";
constexpr const char* kOnline = R"({"first-time-init":false,"ca-csr":true,"est-tls-csr":false,"tls-csr":false})";
constexpr const char* kEst = R"({"first-time-init":false,"ca-csr":false,"est-tls-csr":true,"tls-csr":false})";

struct Authority {
  PrivateKey key;
  Certificate certificate;
};

class CertsRules : public ::testing::Test {
 protected:
  CertsRules() : api(must(parse_rfc3339("2026-11-20T15:00:00Z"))) {}

  Authority foreign_root(const std::string& factory = "acme") {
    PrivateKey key = must(PrivateKey::generate_p256());
    Certificate made = must(crypto::make_root_certificate(key, factory, *api.random, api.clock.now()));
    return {std::move(key), std::move(made)};
  }
  Authority own_root() {
    return {must(PrivateKey::load(api.pki() / "factory_ca.key")), must(Certificate::from_pem(api.contents("factory_ca.pem")))};
  }
  std::string local_ca(const Authority& root, const std::string& name, const std::string& factory = "acme") {
    return must(crypto::make_local_ca_certificate({root.certificate, root.key}, must(PrivateKey::generate_p256()), name, factory,
                                                  *api.random, api.clock.now()))
        .pem();
  }
  std::string sign_server(const Authority& root, const std::string& csr) {
    const auto request = must(crypto::CertificateRequest::from_pem(csr));
    return must(crypto::sign_tls_server({root.certificate, root.key}, request, crypto::NameCopying::dns_only, *api.random, api.clock.now()))
        .pem();
  }
  std::string sign_ca(const Authority& root, const std::string& csr) {
    const auto request = must(crypto::CertificateRequest::from_pem(csr));
    return must(crypto::sign_device_ca({root.certificate, root.key}, request, *api.random, api.clock.now())).pem();
  }
  std::string csr(const std::string& name, const std::vector<std::string>& hosts, const std::string& factory = "acme") {
    crypto::CsrSubject subject;
    subject.common_name = name;
    subject.organizational_unit = factory;
    subject.dns_names = hosts;
    return must(crypto::make_csr_pem(must(PrivateKey::generate_p256()), subject));
  }
  std::string bundle() { return api.ask("GET", api.certs).text("ca-crt"); }
  std::string crl(int reason, const std::string& serial, const Authority& root, Duration age = {}) {
    crypto::CrlRequest request{{{serial, reason}}, 1, api.clock.now() - age, std::chrono::minutes(15)};
    return must(crypto::make_crl({root.certificate, root.key}, request)).pem();
  }
  std::string serial_of(const std::string& file) { return must(Certificate::from_pem(api.contents(file))).serial_decimal(); }
  json::array disabled() { return api.ask("GET", api.certs).body.get_object().at("disabled-ca-serials").get_array(); }

  void expect_refused(const json::object& members, int status, const std::string& part) {
    const auto before = json::serialize(api.ask("GET", api.certs).body);
    const auto answer = api.patch(members);
    EXPECT_EQ(answer.status, status) << answer.message();
    EXPECT_NE(answer.message().find(part), std::string::npos) << answer.message();
    EXPECT_EQ(json::serialize(api.ask("GET", api.certs).body), before) << "nothing may have changed";
  }

  TestApi api;
};

// --- before there is a PKI ---------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, without_a_pki_get_is_206_with_three_nulls) {
  const auto answer = api.ask("GET", api.certs);
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(json::serialize(answer.body), R"({"tls-crt":null,"ca-crt":null,"root-crt":null})");
}

TEST_F(CertsRules, requests_are_one_block_with_one_newline_and_a_sound_signature) {
  const auto answer = api.ask("POST", api.certs, R"({"first-time-init":true,"ca-csr":true,"est-tls-csr":true,"tls-csr":true})");
  ASSERT_EQ(answer.status, 201) << answer.message();
  EXPECT_EQ(answer.body.get_object().size(), 3U);
  for (const char* member : {"tls-csr", "ca-csr", "est-tls-csr"}) {
    const std::string pem = answer.text(member);
    EXPECT_TRUE(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n")) << member;
    EXPECT_TRUE(pem.ends_with("-----END CERTIFICATE REQUEST-----\n")) << member;
    EXPECT_TRUE(crypto::CertificateRequest::from_pem(pem)) << member;
  }
  for (const crypto::HeldKey& key : api.keys.held()) {
    const auto mode = std::filesystem::status(api.directory.path() / "keys" / key.file_name).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write) << key.file_name;
  }
}

TEST_F(CertsRules, only_what_is_asked_for_is_answered) {
  const auto answer = api.ask("POST", api.certs, kTls);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body.get_object().size(), 1U);
  EXPECT_FALSE(answer.text("tls-csr").empty());
}

TEST_F(CertsRules, nothing_else_comes_before_the_root) {
  const Authority root = foreign_root();
  const std::string tls = sign_server(root, api.ask("POST", api.certs, kTls).text("tls-csr"));
  const auto answer = api.patch({{"tls-crt", tls}});
  EXPECT_EQ(answer.status, 409) << answer.message();
  EXPECT_NE(answer.message().find("root-crt comes first"), std::string::npos) << answer.message();
}

TEST_F(CertsRules, the_roots_ou_is_the_factory) {
  const Authority root = foreign_root("another");
  const auto answer = api.patch({{"root-crt", root.certificate.pem()}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.message().find("OU must be 'acme'"), std::string::npos) << answer.message();
}

TEST_F(CertsRules, a_root_is_self_signed_and_a_ca) {
  const Authority root = foreign_root();
  EXPECT_EQ(api.patch({{"root-crt", local_ca(root, "Factory-CA")}}).status, 400);
  EXPECT_EQ(api.patch({{"root-crt", sign_server(root, csr("x", {"x"}))}}).status, 400);
  EXPECT_EQ(api.patch({{"root-crt", root.certificate.pem() + foreign_root().certificate.pem()}}).status, 409);
  EXPECT_EQ(api.ask("GET", api.certs).status, 206);
}

// --- the root once -----------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, the_root_is_set_once) {
  api.set_up_pki();
  expect_refused({{"root-crt", foreign_root().certificate.pem()}}, 409, "a root is set once");
  EXPECT_EQ(api.patch({{"root-crt", api.contents("factory_ca.pem")}}).status, 200) << "the same again is no change";
}

TEST_F(CertsRules, first_time_init_of_an_initialised_factory_fails) {
  api.set_up_pki();
  for (const char* body : {R"({"first-time-init":true,"ca-csr":true,"est-tls-csr":false,"tls-csr":true})", "{}", ""}) {
    const auto answer = api.ask("POST", api.certs, body);
    EXPECT_EQ(answer.status, 409) << body;
    EXPECT_FALSE(answer.message().empty());
  }
}

TEST_F(CertsRules, get_gives_what_was_set_with_a_blank_line_between_device_cas) {
  api.set_up_pki();
  const auto answer = api.ask("GET", api.certs);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("root-crt"), api.contents("factory_ca.pem"));
  EXPECT_EQ(answer.text("tls-crt"), api.contents("tls-crt"));
  EXPECT_EQ(answer.text("ca-crt"), api.contents("online-crt") + "\n" + api.contents("local-ca.pem"));
  EXPECT_TRUE(answer.body.get_object().at("est-tls-crt").is_null());
  EXPECT_EQ(answer.body.at("change-meta").at("created-at").get_string(), "2026-11-20T15:00:00Z");
}

// --- device CAs ----------------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, the_bundle_may_grow) {
  api.set_up_pki();
  const std::string more = bundle() + "\n" + local_ca(own_root(), std::string("fio-") + kOwner);
  EXPECT_EQ(api.patch({{"ca-crt", more}}).status, 200);
  EXPECT_EQ(must(decode_pem(bundle())).size(), 3U);
}

TEST_F(CertsRules, the_bundle_does_not_shrink) {
  api.set_up_pki();
  expect_refused({{"ca-crt", api.contents("local-ca.pem")}}, 409, "the bundle lacks device CA");
  expect_refused({{"ca-crt", local_ca(own_root(), std::string("fio-") + kOwner)}}, 409, "it may only grow");
}

TEST_F(CertsRules, a_device_cas_cn_names_a_user_of_the_factory) {
  api.set_up_pki();
  expect_refused({{"ca-crt", bundle() + local_ca(own_root(), "fio-unknown")}}, 403, "fio-<id of a user");
  expect_refused({{"ca-crt", bundle() + local_ca(own_root(), kOwner)}}, 403, "fio-<id of a user");
  expect_refused({{"ca-crt", bundle() + local_ca(own_root(), "fio-")}}, 403, "fio-<id of a user");
}

TEST_F(CertsRules, a_device_cas_ou_is_the_factory) {
  api.set_up_pki();
  expect_refused({{"ca-crt", bundle() + local_ca(own_root(), std::string("fio-") + kOwner, "another")}}, 403, "OU must be 'acme'");
}

TEST_F(CertsRules, a_device_ca_is_signed_by_the_root) {
  api.set_up_pki();
  expect_refused({{"ca-crt", bundle() + local_ca(foreign_root(), std::string("fio-") + kOwner)}}, 403, "not signed by this factory's root");
}

TEST_F(CertsRules, the_bundle_holds_device_cas_only) {
  api.set_up_pki();
  expect_refused({{"ca-crt", bundle() + api.contents("factory_ca.pem")}}, 400, "is not a device CA");
  expect_refused({{"ca-crt", bundle() + api.contents("tls-crt")}}, 400, "is not a device CA");
  expect_refused({{"ca-crt", bundle() + crl(6, serial_of("local-ca.pem"), own_root())}}, 400, "does not belong here");
  expect_refused({{"ca-crt", bundle() + api.contents("local-ca.key")}}, 400, "does not belong here");
}

TEST_F(CertsRules, a_new_online_ca_is_known_by_its_pending_key) {
  api.set_up_pki();
  const std::string request = api.ask("POST", api.certs, kOnline).text("ca-csr");
  expect_refused({{"ca-crt", bundle() + sign_ca(own_root(), csr("online-ca", {}))}}, 403, "its key was not made here");
  EXPECT_EQ(api.patch({{"ca-crt", bundle() + "\n" + sign_ca(own_root(), request)}}).status, 200);
}

// --- servers -------------------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, a_tls_certificate_is_signed_by_the_root) {
  api.set_up_pki();
  const std::string request = api.ask("POST", api.certs, kTls).text("tls-csr");
  expect_refused({{"tls-crt", sign_server(foreign_root(), request)}}, 403, "not signed by this factory's root");
}

TEST_F(CertsRules, a_tls_certificate_is_matched_to_its_pending_key) {
  api.set_up_pki();
  expect_refused({{"tls-crt", sign_server(own_root(), csr("gw", {"gw", "ostree"}))}}, 403, "holds no private key");
}

TEST_F(CertsRules, a_tls_certificates_ou_is_the_factory) {
  api.set_up_pki();
  const auto key = must(api.keys.make(crypto::KeyPurpose::tls));
  crypto::CsrSubject subject;
  subject.common_name = "gw";
  subject.organizational_unit = "another";
  subject.dns_names = {"gw", "ostree"};
  expect_refused({{"tls-crt", sign_server(own_root(), must(crypto::make_csr_pem(key, subject)))}}, 403, "OU must be 'acme'");
}

TEST_F(CertsRules, a_tls_certificate_is_one_certificate_and_no_ca) {
  api.set_up_pki();
  const std::string request = api.ask("POST", api.certs, kTls).text("tls-csr");
  expect_refused({{"tls-crt", sign_ca(own_root(), request)}}, 400, "is not a TLS server certificate");
  expect_refused({{"tls-crt", sign_server(own_root(), request) + sign_server(own_root(), request)}}, 403, "a second TLS certificate");
}

TEST_F(CertsRules, an_est_certificate_has_exactly_one_name) {
  api.set_up_pki();
  const auto key = must(api.keys.make(crypto::KeyPurpose::est_tls));
  crypto::CsrSubject subject;
  subject.common_name = "est";
  subject.organizational_unit = "acme";
  subject.dns_names = {"est.acme.example", "other.acme.example"};
  expect_refused({{"est-tls-crt", sign_server(own_root(), must(crypto::make_csr_pem(key, subject)))}}, 403, "exactly one DNS name");
}

TEST_F(CertsRules, an_est_certificate_is_requested_with_one_name_and_set) {
  api.set_up_pki();
  const std::string request = api.ask("POST", api.certs, kEst).text("est-tls-csr");
  EXPECT_EQ(api.patch({{"est-tls-crt", sign_server(own_root(), request)}}).status, 200);
  const auto certificate = must(Certificate::from_pem(api.ask("GET", api.certs).text("est-tls-crt")));
  EXPECT_EQ(certificate.dns_names(), std::vector<std::string>{"est.acme.example"});
  EXPECT_FALSE(api.ask("GET", api.certs).text("tls-crt").empty()) << "the gateway keeps its own";
}

TEST_F(CertsRules, the_old_way_to_est_works) {
  api.set_up_pki();
  const std::string request = api.ask("POST", api.certs + "est/").text("tls-csr");
  const json::object body{{"tls-crt", sign_server(own_root(), request)}};
  EXPECT_EQ(api.ask("PUT", api.certs + "est/", json::serialize(body)).status, 200);
}

// --- keys ----------------------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, a_second_post_never_discards_a_key) {
  api.set_up_pki();
  const auto before = api.keys.held();
  const std::string first = api.ask("POST", api.certs, kTls).text("tls-csr");
  const std::string second = api.ask("POST", api.certs, kTls).text("tls-csr");
  const auto key_of = [](const std::string& pem) { return must(crypto::CertificateRequest::from_pem(pem)).spki_sha256(); };
  EXPECT_EQ(key_of(first), key_of(second)) << "a pending key is offered again";
  EXPECT_EQ(api.keys.held().size(), before.size() + 1);
  const auto active = must(Certificate::from_pem(api.contents("tls-crt"))).spki_sha256();
  EXPECT_NE(key_of(first), active);
  EXPECT_TRUE(api.keys.file_of(active));
  EXPECT_EQ(api.patch({{"tls-crt", sign_server(own_root(), first)}}).status, 200);
  EXPECT_TRUE(api.keys.file_of(active)) << "the earlier one stays, too";
  EXPECT_NE(key_of(api.ask("POST", api.certs, kTls).text("tls-csr")), key_of(first)) << "a key in use is not offered";
}

TEST_F(CertsRules, an_interrupted_create_is_simply_repeated) {
  const char* kCreate = R"({"first-time-init":true,"ca-csr":true,"est-tls-csr":false,"tls-csr":true})";
  const auto first = api.ask("POST", api.certs, kCreate);
  ASSERT_EQ(first.status, 201);
  api.set_up_pki();
  EXPECT_EQ(api.ask("GET", api.certs).status, 200);
  EXPECT_EQ(must(crypto::CertificateRequest::from_pem(first.text("tls-csr"))).spki_sha256(),
            must(Certificate::from_pem(api.contents("tls-crt"))).spki_sha256());
}

TEST_F(CertsRules, a_private_key_is_never_taken) {
  api.set_up_pki();
  for (const char* member : {"root-crt", "ca-crt", "tls-crt", "est-tls-crt", "ca-revoke-crl"})
    expect_refused({{member, api.contents("local-ca.key")}}, 400, "does not belong here");
}

// --- CRLs as commands ------------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, reason_6_disables_8_enables_and_every_other_revokes) {
  api.set_up_pki();
  const std::string serial = serial_of("local-ca.pem");
  EXPECT_EQ(api.patch({{"ca-revoke-crl", crl(6, serial, own_root())}}).status, 200);
  ASSERT_EQ(disabled().size(), 1U);
  EXPECT_EQ(disabled().front().get_string(), serial);
  api.clock.pass(std::chrono::seconds(2));
  EXPECT_EQ(api.patch({{"ca-revoke-crl", crl(8, serial, own_root())}}).status, 200);
  EXPECT_TRUE(disabled().empty());
  api.clock.pass(std::chrono::seconds(2));
  EXPECT_EQ(api.patch({{"ca-revoke-crl", crl(1, serial, own_root())}}).status, 200);
  EXPECT_EQ(bundle(), api.contents("online-crt")) << "it has left the bundle";
}

TEST_F(CertsRules, a_revoked_ca_may_be_missing_from_the_bundle_and_cannot_come_back) {
  api.set_up_pki();
  const std::string serial = serial_of("local-ca.pem");
  const json::object both{{"ca-crt", api.contents("online-crt")}, {"ca-revoke-crl", crl(9, serial, own_root())}};
  EXPECT_EQ(api.patch(both).status, 200);
  expect_refused({{"ca-crt", bundle() + api.contents("local-ca.pem")}}, 403, "was revoked");
  expect_refused({{"ca-revoke-crl", crl(8, serial, own_root())}}, 403, "was revoked");
}

TEST_F(CertsRules, a_crl_is_signed_by_the_root) {
  api.set_up_pki();
  expect_refused({{"ca-revoke-crl", crl(9, serial_of("local-ca.pem"), foreign_root())}}, 403, "not signed by this factory's root");
}

TEST_F(CertsRules, a_crl_is_good_for_its_time_only) {
  api.set_up_pki();
  const std::string serial = serial_of("local-ca.pem");
  expect_refused({{"ca-revoke-crl", crl(9, serial, own_root(), std::chrono::minutes(30))}}, 403, "expired");
  expect_refused({{"ca-revoke-crl", crl(9, serial, own_root(), -std::chrono::minutes(30))}}, 403, "from the future");
}

TEST_F(CertsRules, a_crl_names_a_device_ca_that_is_there) {
  api.set_up_pki();
  expect_refused({{"ca-revoke-crl", crl(9, "12345", own_root())}}, 404, "no device CA with serial 12345");
  expect_refused({{"ca-revoke-crl", api.contents("local-ca.pem")}}, 400, "is not a CRL");
}

// --- the request itself ----------------------------------------------------------------------------------------------------------------

TEST_F(CertsRules, change_meta_unknown_and_empty_members_are_ignored) {
  api.set_up_pki();
  const json::object meta{{"created-by", ""}, {"created-at", ""}, {"updated-by", ""}, {"updated-at", ""}};
  const std::string tls = sign_server(own_root(), api.ask("POST", api.certs, kTls).text("tls-csr"));
  // As fioctl up to 0.37 echoes the whole answer.
  EXPECT_EQ(
      api.patch({{"tls-crt", tls}, {"root-crt", ""}, {"ca-crt", ""}, {"ca-csr", ""}, {"create_ca", "#!/bin/sh"}, {"change-meta", meta}})
          .status,
      200);
  EXPECT_EQ(api.ask("GET", api.certs).text("tls-crt"), tls);
  EXPECT_EQ(api.patch({{"change-meta", meta}, {"tls-crt", ""}}).status, 400) << "nothing to change";
}

TEST_F(CertsRules, members_of_another_type_are_named) {
  api.set_up_pki();
  const auto answer = api.patch({{"tls-crt", 7}, {"ca-crt", json::array{}}});
  EXPECT_EQ(answer.status, 400);
  const json::object& errors = answer.body.at("errors").get_object();
  EXPECT_TRUE(errors.contains("tls-crt") && errors.contains("ca-crt"));
  EXPECT_EQ(api.ask("POST", api.certs, R"({"tls-csr":"perhaps"})").status, 400);
  EXPECT_EQ(api.ask("POST", api.certs, R"({"first-time-init":false})").status, 400) << "nothing is asked for";
}

TEST_F(CertsRules, who_may_do_what) {
  api.set_up_pki();
  EXPECT_EQ(api.ask_as("", "GET", api.certs).status, 401);
  EXPECT_EQ(api.ask_as("no-such-token", "GET", api.certs).status, 401);
  const std::string reader = api.make_token("devices:read"), manager = api.make_token("ca:manage");
  EXPECT_EQ(api.ask_as(reader, "GET", api.certs).status, 200);
  EXPECT_EQ(api.ask_as(reader, "POST", api.certs, kTls).status, 403);
  EXPECT_EQ(api.ask_as(reader, "PATCH", api.certs, "{}").status, 403);
  EXPECT_EQ(api.ask_as(manager, "POST", api.certs, kTls).status, 201);
}

// fioctl and the device clients send base64 of what they were given (Foundries 2.3).
TEST_F(CertsRules, tokens_are_taken_raw_and_in_base64_and_nothing_else_is) {
  EXPECT_EQ(api.ask_as(api.token, "GET", api.certs).status, 206);
  EXPECT_EQ(api.ask_as(to_base64(as_bytes(api.token)), "GET", api.certs).status, 206);
  EXPECT_EQ(api.ask_as("Bearer " + api.token, "GET", api.certs).status, 401);
  for (std::size_t i = 0; i < api.token.size(); i += 9) {
    std::string other = api.token;
    other[i] = static_cast<char>(other[i] == 'a' ? 'b' : 'a');
    EXPECT_EQ(api.ask_as(other, "GET", api.certs).status, 401);
    EXPECT_EQ(api.ask_as(api.token.substr(0, i), "GET", api.certs).status, 401);
  }
  for (const std::string& hostile :
       {std::string(100'000, 'A'), std::string("\0x", 2), std::string("=="), std::string("%00"), std::string(" ")})
    EXPECT_EQ(api.ask_as(hostile, "GET", api.certs).status, 401);
}

TEST_F(CertsRules, other_paths_methods_and_types_are_refused) {
  EXPECT_EQ(api.ask("GET", "/ota/factories/another/certs/").status, 404);
  EXPECT_EQ(api.ask("GET", "/ota/factories/%zz/certs/").status, 404);
  EXPECT_EQ(api.ask("GET", "/ota/").status, 404);
  EXPECT_EQ(api.ask("GET", "/ota/factories/acme/certs").status, 206) << "the last slash may be missing";
  const auto wrong = api.ask("DELETE", api.certs);
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.front(), (std::pair<std::string, std::string>{"Allow", "GET, POST, PATCH"}));
  EXPECT_EQ(api.ask_as(api.token, "PATCH", api.certs, "a=b", "application/x-www-form-urlencoded").status, 415);
  EXPECT_EQ(api.ask("PATCH", api.certs, "{").status, 400);
  EXPECT_EQ(api.ask("PATCH", api.certs, "[]").status, 400);
  EXPECT_EQ(api.ask("POST", api.certs, "null").status, 400);
  EXPECT_EQ(api.ask("PATCH", api.certs, std::string(2U << 20U, ' ')).status, 413);
}

// Every certificate and CRL of a good request, cut, doubled and turned over: 4xx, and the factory as it was.
TEST_F(CertsRules, hostile_bodies_give_no_5xx) {
  api.set_up_pki();
  const std::string standing = json::serialize(api.ask("GET", api.certs).body);
  const std::string crl_pem = crl(6, "12345", own_root());
  for (const char* member : {"root-crt", "ca-crt", "tls-crt", "est-tls-crt", "ca-revoke-crl"}) {
    for (const std::string& good : {api.contents("factory_ca.pem"), api.contents("tls-crt"), api.contents("online-crt"), crl_pem}) {
      for (std::size_t i = 0; i < good.size(); i += 97) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 7)));
        for (const std::string& text : {good.substr(0, i), bad}) {
          const auto answer = api.patch({{member, text}});
          EXPECT_LT(answer.status, 500) << member << ' ' << text;
          if (answer.status >= 400) EXPECT_FALSE(answer.message().empty());
        }
      }
    }
  }
  EXPECT_EQ(json::serialize(api.ask("GET", api.certs).body), standing);
}

}  // namespace
}  // namespace birthmark::testing
