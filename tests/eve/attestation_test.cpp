// SPDX-License-Identifier: Apache-2.0
// Attestation as a node with a TPM and one without go through it (protocol facts, EVE 2.2); the TPM's quote is put together here.
#include <eve.pb.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "faces/eve/quote.h"
#include "test_controller.h"

namespace birthmark::eve_test {
namespace {

namespace wire = birthmark::eve::wire;

void append_number(std::string& to, std::uint64_t value, int octets) {
  for (int i = octets - 1; i >= 0; --i) to.push_back(static_cast<char>((value >> (8 * i)) & 0xffU));
}

// TPMS_ATTEST over the SHA-256 bank's registers 0 and 8.
std::string quote_over(const std::string& nonce, const std::string& pcr0, const std::string& pcr8) {
  std::string quote;
  append_number(quote, 0xff544347U, 4);
  append_number(quote, 0x8018U, 2);
  append_number(quote, 4, 2);
  quote += "name";
  append_number(quote, nonce.size(), 2);
  quote += nonce;
  quote += std::string(17 + 8, '\0');
  append_number(quote, 1, 4);
  append_number(quote, 0x000b, 2);
  quote += std::string("\x03\x01\x01\x00", 4);
  const auto digest = crypto::sha256(as_bytes(pcr0 + pcr8));
  append_number(quote, 32, 2);
  quote += as_text(digest.view());
  return quote;
}

class Attestation : public ::testing::Test {
 protected:
  Attestation() {
    controller.admit(onboarding, {"*"});
    EXPECT_EQ(controller.enroll(onboarding, device, "A").status, 201);
    uuid = controller.uuid(device);
  }
  wire::ZAttestResponse attest(const wire::ZAttestReq& request) {
    const Answer answer = controller.post(device, uuid, "attest", request.SerializeAsString());
    EXPECT_EQ(answer.status, 201);
    wire::ZAttestResponse response;
    EXPECT_TRUE(response.ParseFromString(answer.payload));
    return response;
  }
  std::string nonce() {
    wire::ZAttestReq request;
    request.set_reqtype(wire::ATTEST_REQ_NONCE);
    return attest(request).nonce().nonce();
  }
  void send_certificates() {
    wire::ZAttestReq request;
    request.set_reqtype(wire::ATTEST_REQ_CERT);
    wire::ZCert& certificate = *request.add_certs();
    certificate.set_type(wire::CERT_DEVICE_RESTRICTED_SIGNING);
    certificate.set_cert(to_base64(as_bytes(quoting.pem)));
    EXPECT_EQ(attest(request).resptype(), wire::ATTEST_RESP_CERT);
  }
  wire::ZAttestQuoteResp quote(const std::string& data, const Pair& signer) {
    wire::ZAttestReq request;
    request.set_reqtype(wire::ATTEST_REQ_QUOTE);
    wire::ZAttestQuote& sent = *request.mutable_quote();
    sent.set_attestdata(data);
    const auto signature = signer.key.sign(core::SignatureScheme::ecdsa_sha256, as_bytes(data));
    EXPECT_TRUE(signature);
    if (!data.empty()) sent.set_signature(std::string(as_text(*signature)));
    for (const auto& [index, value] : {std::pair{0U, pcr0}, {8U, pcr8}}) {
      wire::TpmPcrValue& pcr = *sent.add_pcrvalues();
      pcr.set_index(index);
      pcr.set_hashalgo(2);
      pcr.set_value(value);
    }
    return attest(request).quoteresp();
  }
  wire::AttestStorageKeysResponseCode store_keys(const std::string& token, const std::string& key) {
    wire::ZAttestReq request;
    request.set_reqtype(wire::ATTEST_REQ_STORE_KEYS);
    request.mutable_storagekeys()->set_integritytoken(token);
    wire::AttestVolumeKey& one = *request.mutable_storagekeys()->add_keys();
    one.set_keytype(wire::VOLUME_KEY_VSK);
    one.set_key(key);
    return attest(request).storagekeysresp().response();
  }

  TestController controller;
  Pair onboarding = make_onboarding_pair("stick");
  Pair device = make_device_pair();
  Pair quoting = make_device_pair();
  const std::string pcr0 = std::string(32, '\1'), pcr8 = std::string(32, '\2');
  std::string uuid;
};

TEST_F(Attestation, ANodeWithoutATpmPassesWithAnEmptyQuote) {
  nonce();
  const auto said = quote({}, quoting);
  EXPECT_EQ(said.response(), wire::QUOTE_SUCCESS);
  EXPECT_FALSE(said.integritytoken().empty());
  EXPECT_EQ(said.keys_size(), 0);
  EXPECT_EQ(store_keys(said.integritytoken(), "disk"), wire::STORE_SUCCESS);
}

TEST_F(Attestation, AQuoteIsCheckedAgainstNonceKeyAndRegisters) {
  EXPECT_EQ(quote(quote_over(nonce(), pcr0, pcr8), quoting).response(), wire::QUOTE_NO_CERT_FOUND);
  send_certificates();
  EXPECT_EQ(quote(quote_over(nonce(), pcr0, pcr8), quoting).response(), wire::QUOTE_SUCCESS);
  EXPECT_EQ(quote(quote_over("another nonce", pcr0, pcr8), quoting).response(), wire::QUOTE_NONCE_MISMATCH);
  EXPECT_EQ(quote(quote_over(nonce(), pcr0, pcr8), device).response(), wire::QUOTE_FAILED);
  EXPECT_EQ(quote(quote_over(nonce(), pcr8, pcr0), quoting).response(), wire::QUOTE_FAILED);
  EXPECT_EQ(quote({}, quoting).response(), wire::QUOTE_FAILED);  // it has a TPM
}

TEST_F(Attestation, RegistersMustBeThoseOfTheTemplateOnceThereIsOne) {
  send_certificates();
  const auto set = [&](const std::string& value) {
    core::FieldAppend append;
    append.key = core::node_field(controller.identity(uuid), faces::eve::kTemplateLog);
    append.at = controller.clock.now();
    append.bodies = {"# measured at the line\n8 " + to_hex(as_bytes(value)) + "\n"};
    ASSERT_TRUE(run_task(controller.registry->field().append(std::move(append))));
  };
  set(pcr8);
  EXPECT_EQ(quote(quote_over(nonce(), pcr0, pcr8), quoting).response(), wire::QUOTE_SUCCESS);
  set(pcr0);
  EXPECT_EQ(quote(quote_over(nonce(), pcr0, pcr8), quoting).response(), wire::QUOTE_FAILED);
}

TEST_F(Attestation, DiskKeysComeBackToWhoQuotesAndNeverLieOpen) {
  send_certificates();
  const std::string secret = "the key of an encrypted disk";
  const auto first = quote(quote_over(nonce(), pcr0, pcr8), quoting);
  EXPECT_EQ(store_keys("a made-up token", secret), wire::STORE_ITOKEN_MISMATCH);
  EXPECT_EQ(store_keys(first.integritytoken(), secret), wire::STORE_SUCCESS);
  const auto kept = controller.registry->field().newest(core::node_field(controller.identity(uuid), faces::eve::kEscrowLog), 1);
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().body.find(secret), std::string::npos);
  const auto second = quote(quote_over(nonce(), pcr0, pcr8), quoting);
  ASSERT_EQ(second.keys_size(), 1);
  EXPECT_EQ(second.keys(0).key(), secret);
}

TEST_F(Attestation, EnforcedItStandsBeforeTheConfiguration) {
  faces::eve::EveSettings settings;
  settings.enforce_attestation = true;
  const faces::eve::EveParts parts{*controller.onboarder,
                                   controller.registry->nodes(),
                                   controller.registry->field(),
                                   *controller.registry,
                                   *controller.codec,
                                   *controller.crypto,
                                   controller.clock,
                                   *controller.random,
                                   controller};
  controller.face = std::make_unique<faces::eve::EveFace>(parts, settings);
  EXPECT_EQ(controller.post(device, uuid, "config", {}).status, 403);
  wire::ConfigRequest request;
  request.set_integritytoken(quote({}, quoting).integritytoken());
  EXPECT_EQ(controller.post(device, uuid, "config", request.SerializeAsString()).status, 200);
  request.set_integritytoken("another");
  EXPECT_EQ(controller.post(device, uuid, "config", request.SerializeAsString()).status, 403);
}

TEST(Quote, CutOffOnesAreRefusedAtEveryOctet) {
  const std::string whole = quote_over("nonce", std::string(32, 'a'), std::string(32, 'b'));
  ASSERT_TRUE(faces::eve::read_quote(as_bytes(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(faces::eve::read_quote(as_bytes(whole).first(size))) << size;
  EXPECT_FALSE(faces::eve::read_quote(as_bytes(whole + "x")));
}

}  // namespace
}  // namespace birthmark::eve_test
