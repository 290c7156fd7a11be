// SPDX-License-Identifier: Apache-2.0
// Envelopes octet by octet (protocol facts, EVE section 3), and what the controller signs.
#include "faces/eve/envelope.h"

#include <eve.pb.h>

#include "base/ecdsa_signature.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "faces/eve/gzip.h"
#include "faces/eve/node_admin.h"
#include "test_controller.h"

namespace birthmark::eve_test {
namespace {

namespace wire = birthmark::eve::wire;

// Everything of an envelope behind its payload.
std::string made_up_rest() {
  return faces::eve::make_envelope({}, Bytes(32, 1), Bytes(64, 2)).substr(2);
}

TEST(Envelope, IsLaidOutAsNodesMakeIt) {
  const std::string made = faces::eve::make_envelope("hi", Bytes(32, 1), Bytes(64, 2));
  EXPECT_EQ(to_hex(as_bytes(made.substr(0, 12))), "0a040a02686910021a200101");
  EXPECT_EQ(to_hex(as_bytes(made.substr(6 + 2 + 34, 2))), "2240");
  EXPECT_EQ(made.size(), 6U + 2 + 34 + 66);
}

TEST(Envelope, TakesBothFormsOfAnEmptyPayload) {
  const std::string rest = made_up_rest();
  for (const std::string& beginning : {std::string("\x0a\x00", 2), std::string("\x0a\x02\x0a\x00", 4)}) {
    const auto opened = faces::eve::open_envelope(beginning + rest);
    ASSERT_TRUE(opened) << opened.error().describe();
    EXPECT_TRUE(opened->payload.empty());
  }
  EXPECT_FALSE(faces::eve::open_envelope(rest));
}

TEST(Envelope, HashesHaveTheLengthThatTheAlgorithmSays) {
  wire::AuthContainer container;
  container.mutable_protectedpayload();
  container.set_algo(wire::HASH_SHA256_16BYTES);
  container.set_sendercerthash(std::string(32, 'h'));
  EXPECT_FALSE(faces::eve::open_envelope(container.SerializeAsString()));
  container.set_sendercerthash(std::string(16, 'h'));
  EXPECT_TRUE(faces::eve::open_envelope(container.SerializeAsString()));
}

// Nodes find the signing certificate by the hash of its PEM bytes as /certs gave them, and its key checks r and s over the payload.
TEST(Controller, SignsAsNodesVerify) {
  TestController controller;
  const Answer answer = controller.ask("GET", "/api/v2/edgedevice/certs", {});
  ASSERT_EQ(answer.status, 200);
  wire::ZControllerCert certificates;
  ASSERT_TRUE(certificates.ParseFromString(answer.payload));
  ASSERT_EQ(certificates.certs_size(), 2);
  const wire::ZCert& signing = certificates.certs(0);
  EXPECT_EQ(signing.type(), wire::CERT_CONTROLLER_SIGNING);
  EXPECT_EQ(certificates.certs(1).type(), wire::CERT_CONTROLLER_ECDH_EXCHANGE);
  wire::AuthContainer container;
  ASSERT_TRUE(container.ParseFromString(answer.body));
  EXPECT_EQ(container.sendercerthash(), as_text(crypto::sha256(as_bytes(signing.cert())).view()));
  const auto certificate = crypto::Certificate::from_pem(signing.cert());
  ASSERT_TRUE(certificate);
  const auto facts = controller.codec->read_certificate(certificate->der());
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->server_auth);
  EXPECT_TRUE(controller.crypto->verify_raw(facts->spki_der, as_bytes(answer.payload), as_bytes(container.signaturehash())));
  EXPECT_EQ(container.signaturehash().size(), 64U);
}

TEST(EcdsaSignature, BothFormsAreOneSignature) {
  Bytes raw(64, 0);
  raw[31] = 0x80;  // r = 128: one octet, padded in DER because its top bit is set
  raw[32] = 0xff;
  const Bytes der = ecdsa_to_der(raw);
  EXPECT_EQ(to_hex(ByteView(der).first(6)), "302702020080");
  EXPECT_EQ(ecdsa_to_raw(der, 32), raw);
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(ecdsa_to_raw(longer, 32));
  EXPECT_FALSE(ecdsa_to_raw(ByteView(der).first(10), 32));
  EXPECT_TRUE(ecdsa_to_der(Bytes(63, 1)).empty());
}

TEST(NodeConfig, VersionsCountUpAndForeignIdsAreRefused) {
  const std::string uuid = "28d32f3a-4387-4ecf-91ae-872d54289179";
  const auto first = faces::eve::config_from_json(R"({"deviceName":"pump"})");
  ASSERT_TRUE(first) << first.error().describe();
  const auto set = faces::eve::next_config(*first, {}, uuid);
  ASSERT_TRUE(set);
  const auto again = faces::eve::next_config(*set, *set, uuid);
  ASSERT_TRUE(again);
  wire::EdgeDevConfig config;
  ASSERT_TRUE(config.ParseFromString(*again));
  EXPECT_EQ(config.id().version(), "2");
  EXPECT_EQ(config.devicename(), "pump");
  EXPECT_FALSE(faces::eve::next_config(*set, {}, "00000000-0000-4000-8000-000000000000"));
  EXPECT_FALSE(faces::eve::config_from_json(R"({"noSuchField":1})"));
}

}  // namespace
}  // namespace birthmark::eve_test
