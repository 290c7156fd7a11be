// SPDX-License-Identifier: Apache-2.0
// What a server is told to trust is judged as a whole: every refusal, every acceptance, and doing it twice.
#include "crypto/pki/trust_change.h"

#include <algorithm>

#include "crypto/pki/profiles.h"
#include "pki_test_support.h"

namespace birthmark::crypto::testing {
namespace {

using core::AuthorityRecord;
using core::AuthorityRole;
using core::AuthorityState;
using ::testing::Test;

// A server that remembers what it was told, as a registry does.
class TrustChangeTest : public PkiTest {
 protected:
  void SetUp() override {
    create_whole_pki();
    situation_.factory = "acme";
    situation_.now = now_;
    situation_.actor = "root";
    situation_.held_keys = {{"tls.key", tls_key_.spki_sha256()}, {"online-ca.key", online_key_.spki_sha256()}};
  }

  [[nodiscard]] Artefact file(const std::string& name) const { return {(pki() / name).string(), contents(name)}; }
  [[nodiscard]] std::vector<Artefact> whole_set() const {
    return {file("factory_ca.pem"), file("tls-crt"), file("online-crt"), file("local-ca.pem"), file("local-ca.key")};
  }

  [[nodiscard]] Result<TrustJudgement> judge(const std::vector<Artefact>& artefacts) const {
    return judge_trust_change(situation_, *codec_, artefacts);
  }

  // Judges and takes effect.
  TrustJudgement install(const std::vector<Artefact>& artefacts) {
    TrustJudgement judgement = must(judge(artefacts));
    for (const AuthorityRecord& upsert : judgement.change.upserts) {
      if (upsert.row == 0) {
        situation_.authorities.push_back(upsert);
        situation_.authorities.back().row = static_cast<core::RowId>(situation_.authorities.size());
        continue;
      }
      AuthorityRecord& row = situation_.authorities.at(static_cast<std::size_t>(upsert.row - 1));
      EXPECT_EQ(row.der, upsert.der);
      row.state = upsert.state;
      row.changed_at = upsert.changed_at;
    }
    for (const KeyToKeep& key : judgement.keys) {
      situation_.held_keys.emplace_back(key.file_name, must(PrivateKey::from_pem(key.pem)).spki_sha256());
    }
    return judgement;
  }

  // The refusal names `part`; nothing was judged acceptable.
  void expect_refused(const std::vector<Artefact>& artefacts, const std::string& part) const {
    const auto judgement = judge(artefacts);
    ASSERT_FALSE(judgement) << "accepted, wanted: " << part;
    EXPECT_NE(judgement.error().describe().find(part), std::string::npos) << judgement.error().describe();
  }

  [[nodiscard]] AuthorityState state_of(const std::string& name) const {
    const Bytes der = certificate(name).der();
    for (const AuthorityRecord& record : situation_.authorities) {
      if (record.der == der) return record.state;
    }
    ADD_FAILURE() << name << " is not installed";
    return AuthorityState::replaced;
  }

  // A CRL by our own tool at now_.
  [[nodiscard]] Artefact crl(CaVerdict verdict, const std::string& ca_file = "local-ca.pem") {
    CrlCommandRequest request;
    request.directory = pki();
    request.verdict = verdict;
    request.ca_files = {ca_file};
    request.dry_run = true;
    return {"crl-" + std::string(to_string(verdict)) + ".pem", must(make_crl_command(tools(), request)).pem};
  }

  void pass(Duration span) {
    now_ += span;
    situation_.now = now_;
  }

  struct Root {
    PrivateKey key;
    Certificate certificate;
  };
  [[nodiscard]] Root make_root(const std::string& factory) {
    PrivateKey key = must(PrivateKey::generate_p256());
    Certificate made = must(make_root_certificate(key, factory, *random_, now_));
    return {std::move(key), std::move(made)};
  }
  [[nodiscard]] Root own_root() const { return {must(PrivateKey::load(pki() / "factory_ca.key")), certificate("factory_ca.pem")}; }
  [[nodiscard]] Certificate make_ca(const Root& root, const std::string& common_name, const std::string& factory = "acme") {
    return must(
        make_local_ca_certificate({root.certificate, root.key}, must(PrivateKey::generate_p256()), common_name, factory, *random_, now_));
  }

  std::unique_ptr<core::X509Codec> codec_ = must(make_x509_codec());
  TrustSituation situation_;
};

TEST_F(TrustChangeTest, TheSetOfCreateIsInstalledWhole) {
  const TrustJudgement judgement = install(whole_set());
  EXPECT_EQ(judgement.change.upserts.size(), 4U);
  EXPECT_EQ(judgement.change.audit_bodies.size(), 4U);
  for (const std::string name : {"factory_ca.pem", "tls-crt", "online-crt", "local-ca.pem"})
    EXPECT_EQ(state_of(name), AuthorityState::active);
  ASSERT_EQ(judgement.keys.size(), 1U);
  EXPECT_EQ(judgement.keys[0].file_name, "local-ca.key");
  EXPECT_EQ(judgement.keys[0].pem, contents("local-ca.key"));
  // The online CA's CN is the service's choice; that it lacks fio- is said and allowed.
  ASSERT_EQ(judgement.warnings.size(), 1U);
  EXPECT_NE(judgement.warnings[0].find("fio-"), std::string::npos);
}

TEST_F(TrustChangeTest, AnyOrderOfFilesWillDo) {
  std::vector<Artefact> set = whole_set();
  std::reverse(set.begin(), set.end());
  EXPECT_EQ(install(set).change.upserts.size(), 4U);
}

TEST_F(TrustChangeTest, TheSameSetAgainChangesNothingAndSaysSo) {
  install(whole_set());
  const TrustJudgement again = must(judge(whole_set()));
  EXPECT_FALSE(again.changes_anything());
  EXPECT_TRUE(again.change.audit_bodies.empty());
  EXPECT_EQ(again.notes.size(), 5U);
  for (const std::string& note : again.notes) EXPECT_NE(note.find("already"), std::string::npos) << note;
}

TEST_F(TrustChangeTest, AuditSaysWhatWhoAndFromWhichFile) {
  const TrustJudgement judgement = must(judge({file("factory_ca.pem")}));
  ASSERT_EQ(judgement.change.audit_bodies.size(), 1U);
  const std::string& body = judgement.change.audit_bodies[0];
  for (const std::string part : {"\"event\":\"trust_changed\"", "\"what\":\"root\"", "\"subject\":\"CN=Factory-CA,OU=acme\"",
                                 "\"state\":\"active\"", "\"actor\":\"root\"", "factory_ca.pem"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << " in " << body;
  }
  EXPECT_NE(body.find(certificate("factory_ca.pem").serial_decimal()), std::string::npos);
  EXPECT_NE(body.find(to_hex(certificate("factory_ca.pem").fingerprint().view())), std::string::npos);
}

TEST_F(TrustChangeTest, OneBadFileRefusesTheWholeSet) {
  std::vector<Artefact> set = whole_set();
  set.push_back({"letter.txt", "Dear server, please trust me.\n"});
  expect_refused(set, "letter.txt: there is no certificate, CRL or key");
}

TEST_F(TrustChangeTest, BundlesWithProseAndBlankLinesAreRead) {
  install({file("factory_ca.pem")});
  const std::string bundle = "# device CAs\n" + contents("online-crt") + "\n\nand\n" + contents("local-ca.pem") + "\n";
  EXPECT_EQ(must(judge({{"bundle.pem", bundle}})).change.upserts.size(), 2U);
}

// --- root ---

TEST_F(TrustChangeTest, WithoutARootNothingElseIsTaken) {
  expect_refused({file("local-ca.pem")}, "no root yet");
}

TEST_F(TrustChangeTest, ARootOfAnotherFactoryIsRefused) {
  expect_refused({{"r.pem", make_root("other").certificate.pem()}}, "r.pem: CN=Factory-CA,OU=other is not of this factory");
}

TEST_F(TrustChangeTest, ASecondRootIsRefused) {
  install({file("factory_ca.pem")});
  expect_refused({{"r.pem", make_root("acme").certificate.pem()}}, "a root is set once");
}

TEST_F(TrustChangeTest, TwoRootsInOneSetAreRefused) {
  expect_refused({file("factory_ca.pem"), {"r.pem", make_root("acme").certificate.pem()}}, "r.pem: this server has another root");
}

TEST_F(TrustChangeTest, AnExpiredRootIsRefused) {
  situation_.now = certificate("factory_ca.pem").not_after();
  expect_refused({file("factory_ca.pem")}, "expired at 2046-11-20");
}

TEST_F(TrustChangeTest, ASelfSignedCertificateThatIsNoCaIsNoRoot) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const X509Handle made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "OU", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("acme"), -1, -1,
                             0);
  X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key.get());
  X509_sign(made.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(made.get(), &der);
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  expect_refused({{"selfie.pem", encode_pem("CERTIFICATE", bytes)}}, "selfie.pem: a self-signed certificate that is no CA");
}

// --- device CAs ---

TEST_F(TrustChangeTest, ADeviceCaOfAnotherRootIsRefused) {
  install({file("factory_ca.pem")});
  expect_refused({{"x.pem", make_ca(make_root("acme"), "fio-x").pem()}}, "x.pem: CN=fio-x,OU=acme is not signed by this factory's root");
}

TEST_F(TrustChangeTest, ADeviceCaOfAnotherFactoryIsRefused) {
  install({file("factory_ca.pem")});
  expect_refused({{"x.pem", make_ca(own_root(), "fio-x", "other").pem()}}, "its OU must be 'acme'");
}

TEST_F(TrustChangeTest, ALocalCaWithoutFioIsRefused) {
  install({file("factory_ca.pem")});
  expect_refused({{"x.pem", make_ca(own_root(), "someone").pem()}}, "must be fio-<owner>");
  expect_refused({{"x.pem", make_ca(own_root(), "fio-").pem()}}, "must be fio-<owner>");
}

TEST_F(TrustChangeTest, ADeviceCaWithTheRootsNameOrKeyIsRefused) {
  install({file("factory_ca.pem")});
  const Root root = own_root();
  const RootAuthority authority{root.certificate, root.key};
  // Same name, another key: not self-signed in substance, but by name.
  const PrivateKey key = must(PrivateKey::generate_p256());
  expect_refused({{"n.pem", must(make_local_ca_certificate(authority, key, "Factory-CA", "acme", *random_, now_)).pem()}},
                 "not the root's");
  expect_refused({{"k.pem", must(make_local_ca_certificate(authority, root.key, "fio-x", "acme", *random_, now_)).pem()}},
                 "not the root's");
}

TEST_F(TrustChangeTest, AnExpiredDeviceCaIsRefused) {
  install({file("factory_ca.pem")});
  situation_.now = certificate("local-ca.pem").not_after();
  expect_refused({file("local-ca.pem")}, "local-ca.pem: CN=fio-acme,OU=acme expired");
}

TEST_F(TrustChangeTest, ARevokedDeviceCaIsNotTakenBackAndNorIsItsKey) {
  install(whole_set());
  install({crl(CaVerdict::revoke)});
  expect_refused({file("local-ca.pem")}, "was revoked, and that is permanent");
  const Root root = own_root();
  const PrivateKey key = must(PrivateKey::load(pki() / "local-ca.key"));
  const Certificate renewed = must(make_local_ca_certificate({root.certificate, root.key}, key, "fio-acme", "acme", *random_, now_));
  expect_refused({{"renewed.pem", renewed.pem()}}, "was revoked, and that is permanent");
}

// The same octets every time: two certificates with one serial.
class RepeatingRandom final : public core::Random {
 public:
  Status fill(std::span<std::uint8_t> to) override {
    std::fill(to.begin(), to.end(), std::uint8_t{0x42});
    return {};
  }
};

TEST_F(TrustChangeTest, TwoDeviceCasWithOneSerialAreRefused) {
  const Root root = own_root();
  RepeatingRandom repeating;
  const auto make = [&](const std::string& name) {
    return must(make_local_ca_certificate({root.certificate, root.key}, must(PrivateKey::generate_p256()), name, "acme", repeating, now_));
  };
  install({file("factory_ca.pem"), {"x.pem", make("fio-x").pem()}});
  expect_refused({{"y.pem", make("fio-y").pem()}}, "y.pem: another device CA has the same serial");
}

// Reads nothing; otherwise never asked.
class BlindCodec final : public core::X509Codec {
 public:
  Result<core::CsrFacts> read_csr_pem(std::string_view) const override { return fail(ErrorCode::invalid, "blind"); }
  Result<core::CsrFacts> read_csr_der(ByteView) const override { return fail(ErrorCode::invalid, "blind"); }
  Result<core::CertificateFacts> read_certificate(ByteView) const override { return fail(ErrorCode::invalid, "too strange"); }
  Result<Bytes> encode_to_be_signed(const core::CertificatePlan&) const override { return fail(ErrorCode::invalid, "blind"); }
  Bytes assemble_certificate(ByteView, core::SignatureScheme, ByteView) const override { return {}; }
  Result<Bytes> with_business_category(ByteView, std::string_view) const override { return fail(ErrorCode::invalid, "blind"); }
  Result<Bytes> without_business_category(ByteView) const override { return fail(ErrorCode::invalid, "blind"); }
  Result<Bytes> key_identifier(ByteView) const override { return fail(ErrorCode::invalid, "blind"); }
  Sha256Digest sha256(ByteView) const override { return {}; }
};

TEST_F(TrustChangeTest, WhatTheServersOwnReaderCannotReadIsRefused) {
  const auto judgement = judge_trust_change(situation_, BlindCodec(), {file("factory_ca.pem")});
  ASSERT_FALSE(judgement);
  EXPECT_NE(judgement.error().public_message.find("too strange"), std::string::npos);
}

// --- TLS ---

TEST_F(TrustChangeTest, ATlsCertificateForAKeyThatIsNotHereIsRefused) {
  situation_.held_keys.clear();
  expect_refused({file("factory_ca.pem"), file("tls-crt")}, "tls-crt: this server holds no private key for");
}

TEST_F(TrustChangeTest, ATlsCertificateOfAnotherRootIsRefused) {
  install({file("factory_ca.pem")});
  const Root stranger = make_root("acme");
  const auto request = must(CertificateRequest::from_pem(must(read_file(csr_directory() / "tls.csr"))));
  const Certificate made = must(sign_tls_server({stranger.certificate, stranger.key}, request, NameCopying::dns_only, *random_, now_));
  expect_refused({{"tls-crt", made.pem()}}, "tls-crt: CN=gateway.acme.example,OU=acme is not signed by this factory's root");
}

TEST_F(TrustChangeTest, ALeafWithoutServerAuthIsRefused) {
  install({file("factory_ca.pem")});
  const Root root = own_root();
  const X509Handle made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
  X509_set_issuer_name(made.get(), X509_get_subject_name(root.certificate.get()));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("x"), -1, -1,
                             0);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), tls_key_.get());
  X509_sign(made.get(), root.key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(made.get(), &der);
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  expect_refused({{"leaf.pem", encode_pem("CERTIFICATE", bytes)}}, "neither a CA nor a TLS server certificate");
}

TEST_F(TrustChangeTest, ATlsCertificateOfAnotherFactoryIsRefused) {
  install({file("factory_ca.pem")});
  write_request("tls.csr", tls_key_, {.common_name = "g", .organizational_unit = "other", .dns_names = {"g", "o"}});
  const Root root = own_root();
  const auto request = must(CertificateRequest::from_pem(must(read_file(csr_directory() / "tls.csr"))));
  const Certificate made = must(sign_tls_server({root.certificate, root.key}, request, NameCopying::dns_only, *random_, now_));
  expect_refused({{"tls-crt", made.pem()}}, "its OU must be 'acme'");
}

TEST_F(TrustChangeTest, AnExpiredTlsCertificateIsRefused) {
  install({file("factory_ca.pem")});
  situation_.now = certificate("tls-crt").not_after();
  expect_refused({file("tls-crt")}, "expired");
}

TEST_F(TrustChangeTest, ANewTlsCertificateReplacesTheOldAndCanBeTakenBack) {
  install(whole_set());
  ASSERT_TRUE(rotate_tls(tools(), {pki(), csr_directory() / "tls.csr"}));
  const TrustJudgement judgement = install({file("tls-crt")});
  EXPECT_EQ(judgement.change.upserts.size(), 2U);
  EXPECT_EQ(state_of("tls-crt"), AuthorityState::active);
  EXPECT_EQ(state_of("tls-crt.bak"), AuthorityState::replaced);
  install({file("tls-crt.bak")});
  EXPECT_EQ(state_of("tls-crt"), AuthorityState::replaced);
  EXPECT_EQ(state_of("tls-crt.bak"), AuthorityState::active);
}

TEST_F(TrustChangeTest, TwoTlsCertificatesInOneSetAreRefused) {
  ASSERT_TRUE(rotate_tls(tools(), {pki(), csr_directory() / "tls.csr"}));
  expect_refused({file("factory_ca.pem"), file("tls-crt"), file("tls-crt.bak")}, "a second TLS certificate");
}

// --- CRLs ---

TEST_F(TrustChangeTest, DisableEnableAndRevoke) {
  install(whole_set());
  install({crl(CaVerdict::disable)});
  EXPECT_EQ(state_of("local-ca.pem"), AuthorityState::disabled);
  pass(std::chrono::seconds(1));
  install({crl(CaVerdict::enable)});
  EXPECT_EQ(state_of("local-ca.pem"), AuthorityState::active);
  pass(std::chrono::seconds(1));
  install({crl(CaVerdict::revoke)});
  EXPECT_EQ(state_of("local-ca.pem"), AuthorityState::revoked);
  EXPECT_EQ(state_of("online-crt"), AuthorityState::active);
}

TEST_F(TrustChangeTest, RevokedIsPermanent) {
  install(whole_set());
  install({crl(CaVerdict::revoke)});
  pass(std::chrono::seconds(1));
  expect_refused({crl(CaVerdict::enable)}, "was revoked, and that is permanent");
  EXPECT_FALSE(must(judge({crl(CaVerdict::disable)})).changes_anything());
  EXPECT_EQ(state_of("local-ca.pem"), AuthorityState::revoked);
}

TEST_F(TrustChangeTest, AnyOtherReasonRevokes) {
  install(whole_set());
  const Root root = own_root();
  for (const int reason : {0, 1, 4, 5}) {
    const CrlRequest request{{{certificate("local-ca.pem").serial_decimal(), reason}}, 5, now_, std::chrono::minutes(15)};
    const TrustJudgement judgement = must(judge({{"c.pem", must(make_crl({root.certificate, root.key}, request)).pem()}}));
    ASSERT_EQ(judgement.change.upserts.size(), 1U);
    EXPECT_EQ(judgement.change.upserts[0].state, AuthorityState::revoked) << reason;
  }
}

TEST_F(TrustChangeTest, ACrlThatSaysNothingNewIsFineHoweverOld) {
  install(whole_set());
  const Artefact disable = crl(CaVerdict::disable);
  install({disable});
  pass(std::chrono::hours(24));
  EXPECT_FALSE(must(judge({disable})).changes_anything());
}

TEST_F(TrustChangeTest, AnExpiredCrlIsRefused) {
  install(whole_set());
  const Artefact revoke = crl(CaVerdict::revoke);
  pass(std::chrono::minutes(17));
  EXPECT_TRUE(judge({revoke}));  // within the tolerance
  pass(std::chrono::seconds(1));
  expect_refused({revoke}, "crl-revoke.pem: the CRL expired at 2026-11-20T15:15:00Z");
}

TEST_F(TrustChangeTest, ACrlFromTheFutureIsRefused) {
  install(whole_set());
  pass(std::chrono::seconds(121));
  const Artefact revoke = crl(CaVerdict::revoke);
  situation_.now = now_ - std::chrono::seconds(120);
  EXPECT_TRUE(judge({revoke}));
  situation_.now = now_ - std::chrono::seconds(121);
  expect_refused({revoke}, "from the future");
}

TEST_F(TrustChangeTest, AnOldDisableIsNotPlayedAgainAfterAnEnable) {
  install(whole_set());
  const Artefact disable = crl(CaVerdict::disable);
  install({disable});
  pass(std::chrono::seconds(5));
  install({crl(CaVerdict::enable)});
  expect_refused({disable}, "older than the present state");
}

TEST_F(TrustChangeTest, ACrlOfAnotherRootIsRefused) {
  install(whole_set());
  const Root stranger = make_root("acme");
  const CrlRequest request{{{certificate("local-ca.pem").serial_decimal(), 9}}, 1, now_, std::chrono::minutes(15)};
  expect_refused({{"c.pem", must(make_crl({stranger.certificate, stranger.key}, request)).pem()}},
                 "c.pem: the CRL is not signed by this factory's root");
}

TEST_F(TrustChangeTest, ACrlAboutAnUnknownCaIsRefused) {
  install({file("factory_ca.pem"), file("online-crt")});
  expect_refused({crl(CaVerdict::revoke)}, "no device CA with serial " + certificate("local-ca.pem").serial_decimal());
}

TEST_F(TrustChangeTest, AnEmptyCrlIsRefused) {
  install(whole_set());
  const Root root = own_root();
  expect_refused({{"c.pem", must(make_crl({root.certificate, root.key}, {{}, 1, now_, std::chrono::minutes(15)})).pem()}},
                 "names no device CA");
}

TEST_F(TrustChangeTest, ACaCanComeWithItsOwnDisable) {
  install({file("factory_ca.pem")});
  const TrustJudgement judgement = must(judge({crl(CaVerdict::disable), file("local-ca.pem")}));
  ASSERT_EQ(judgement.change.upserts.size(), 1U);
  EXPECT_EQ(judgement.change.upserts[0].state, AuthorityState::disabled);
}

TEST_F(TrustChangeTest, CrlsOfOneSetTakeEffectInTheOrderTheyWereMade) {
  install(whole_set());
  const Artefact disable = crl(CaVerdict::disable);
  pass(std::chrono::seconds(2));
  Artefact enable = crl(CaVerdict::enable);
  install({enable, disable});
  EXPECT_EQ(state_of("local-ca.pem"), AuthorityState::active);
}

// --- keys ---

TEST_F(TrustChangeTest, TheRootsKeyIsNeverTaken) {
  std::vector<Artefact> set = whole_set();
  set.push_back(file("factory_ca.key"));
  expect_refused(set, "factory_ca.key: this is the root's private key");
}

TEST_F(TrustChangeTest, AKeyWithoutItsCertificateIsRefused) {
  install({file("factory_ca.pem")});
  expect_refused({file("local-ca.key")}, "local-ca.key: the key belongs to no device CA");
}

TEST_F(TrustChangeTest, AKeyOfARevokedCaIsRefused) {
  install({file("factory_ca.pem"), file("local-ca.pem")});
  install({crl(CaVerdict::revoke)});
  expect_refused({file("local-ca.key")}, "belongs to no device CA");
}

TEST_F(TrustChangeTest, AKeyCanFollowItsCertificateLater) {
  install({file("factory_ca.pem"), file("local-ca.pem")});
  const TrustJudgement judgement = must(judge({file("local-ca.key")}));
  EXPECT_TRUE(judgement.change.upserts.empty());
  EXPECT_TRUE(judgement.changes_anything());
  EXPECT_EQ(judgement.keys.size(), 1U);
}

TEST_F(TrustChangeTest, ANameThatHoldsAnotherKeyIsRefused) {
  situation_.held_keys.emplace_back("local-ca.key", SpkiHash{});
  expect_refused(whole_set(), "the server holds another key called local-ca.key");
}

TEST_F(TrustChangeTest, AKeyFileMustBeCalledKey) {
  expect_refused({file("factory_ca.pem"), file("local-ca.pem"), {"/x/local-ca.txt", contents("local-ca.key")}}, "<name>.key");
  expect_refused({file("factory_ca.pem"), file("local-ca.pem"), {"/x/.key", contents("local-ca.key")}}, "<name>.key");
}

TEST_F(TrustChangeTest, ARequestIsNoArtefact) {
  expect_refused({{"tls.csr", must(read_file(csr_directory() / "tls.csr"))}}, "tls.csr: a CERTIFICATE REQUEST cannot be installed");
}

// --- what fioctl made: 21-octet serials, OU before CN, cRLNumber 1 ---

TEST_F(TrustChangeTest, AFioctlPkiAndItsCrlAreAccepted) {
  const std::string folder = std::string(BIRTHMARK_TEST_DATA) + "/foundries/";
  const auto vector_artefact = [&](const std::string& name) { return Artefact{folder + name, must(read_file(folder + name))}; };
  situation_.authorities.clear();
  situation_.now = moment("2026-11-20T14:30:00Z");
  const Certificate tls = must(Certificate::from_pem(must(read_file(folder + "tls-crt"))));
  situation_.held_keys = {{"tls.key", tls.spki_sha256()}};
  install({vector_artefact("factory_ca.pem"), vector_artefact("tls-crt"), vector_artefact("online-crt"), vector_artefact("local-ca.pem")});
  EXPECT_EQ(situation_.authorities.size(), 4U);
  const TrustJudgement revoked = must(judge({vector_artefact("revoke-dryrun-pretty.txt")}));
  ASSERT_EQ(revoked.change.upserts.size(), 1U);
  EXPECT_EQ(revoked.change.upserts[0].state, AuthorityState::revoked);
}

// A root from before fioctl v0.39: keyCertSign alone.
TEST_F(TrustChangeTest, ACrlOfARootWithoutCrlSignIsAccepted) {
  const PrivateKey key = must(PrivateKey::generate_p256());
  const Root modern{must(PrivateKey::from_pem(must(key.to_pem()))), must(make_root_certificate(key, "acme", *random_, now_))};
  const X509Handle old(X509_dup(modern.certificate.get()));
  const int at = X509_get_ext_by_NID(old.get(), NID_key_usage, -1);
  const X509ExtensionHandle removed(X509_delete_ext(old.get(), at));
  const X509ExtensionHandle usage(X509V3_EXT_nconf_nid(nullptr, nullptr, NID_key_usage, "critical,keyCertSign"));
  X509_add_ext(old.get(), usage.get(), 0);
  X509_sign(old.get(), key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(old.get(), &der);
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  const Root root{must(PrivateKey::from_pem(must(key.to_pem()))), must(Certificate::from_der(bytes))};
  const Certificate ca = make_ca(root, "fio-x");
  const CrlRequest request{{{ca.serial_decimal(), 6}}, 1, now_, std::chrono::minutes(15)};
  install({{"factory_ca.pem", root.certificate.pem()}, {"x.pem", ca.pem()}});
  install({{"c.pem", must(make_crl({root.certificate, root.key}, request)).pem()}});
  EXPECT_EQ(situation_.authorities.back().state, AuthorityState::disabled);
}

TEST_F(TrustChangeTest, RowsOfOtherFactoriesAreNotSeen) {
  const Root other = make_root("other");
  situation_.authorities.push_back({1, "other", AuthorityRole::root, AuthorityState::active, other.certificate.der(), now_});
  const TrustJudgement judgement = must(judge(whole_set()));
  EXPECT_EQ(judgement.change.upserts.size(), 4U);
}

}  // namespace
}  // namespace birthmark::crypto::testing
