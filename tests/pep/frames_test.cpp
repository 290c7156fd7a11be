// SPDX-License-Identifier: Apache-2.0
// The Factory Configurator Client's frames and bundles, against bytes of the real one (protocol facts, pep 5.1 to 5.7).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "crypto/x509_codec.h"
#include "faces/izuma/fcc_bundle.h"
#include "faces/izuma/fcc_frame.h"
#include "faces/izuma/fcc_reply.h"
#include "test_fcc.h"

namespace birthmark::faces::izuma {
namespace {

std::string data(const std::string& name) {
  std::ifstream file(std::string(BIRTHMARK_TEST_DATA) + "/pep/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Bytes from_hex_file(const std::string& name) {
  std::string text = data(name);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return from_hex(text).value();
}

const core::X509Codec& codec() {
  static const auto made = crypto::make_x509_codec().value();
  return *made;
}

Bytes between(const std::string& frame, std::string_view before, std::size_t size) {
  const std::size_t at = frame.find(before);
  EXPECT_NE(at, std::string::npos);
  return to_bytes(as_bytes(std::string_view(frame).substr(at + before.size(), size)));
}

Uuid counting(std::uint8_t from) {
  Uuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::uint8_t>(from + i);
  return uuid;
}

FactorySettings sample_settings(const std::string& frame) {
  FactorySettings settings;
  settings.bootstrap_server_uri = kDefaultBootstrapUri;
  settings.device_info = {"Acme", "EG-1", "Edge GW", "1.0", 1048576, "UTC", "+00:00"};
  settings.vendor_id = counting(0);
  settings.class_id = counting(0x10);
  settings.subject = {{"C", "FI"}, {"O", "Acme"}};
  const Bytes rest = between(frame, "mbed.BootstrapServerCACert", 700);
  const std::string_view text = as_text(rest);
  const std::size_t at = text.find("Data");
  const std::size_t size = std::size_t{rest[at + 5]} << 8U | rest[at + 6];
  settings.bootstrap_server_ca =
      Bytes(rest.begin() + static_cast<std::ptrdiff_t>(at) + 7, rest.begin() + static_cast<std::ptrdiff_t>(at + 7 + size));
  return settings;
}

Injection sample_injection(const SecretBytes& key) {
  Injection injection;
  injection.serial_number = "GW-0001";
  injection.private_key = &key;
  injection.certificate = to_bytes(as_bytes(data("sample_by_tool_cert.der")));
  injection.now = from_unix_ms(1795184235000);
  return injection;
}

SecretBytes sample_key(const std::string& frame) {
  const Bytes rest = between(frame, "ECCPrivate", 200);
  const std::size_t at = as_text(rest).find("Data") + 4;
  SecretBytes key;
  append(key, ByteView(rest).subspan(at + 2, rest[at + 1]));
  return key;
}

TEST(Fcc_5_3, a_by_tool_message_is_the_captured_one_octet_for_octet) {
  const std::string captured = data("sample_by_tool_request.bin");
  const SecretBytes key = sample_key(captured);
  const SecretBytes frame = frame_request(encode_injection(sample_settings(captured), sample_injection(key)), codec());
  EXPECT_EQ(to_hex(frame), to_hex(as_bytes(captured)));
}

TEST(Fcc_5_7, a_csr_request_is_the_captured_one_octet_for_octet) {
  const std::vector<core::SubjectAttribute> subject{{"C", "FI"}, {"O", "Acme"}, {"OU", "Edge"}};
  const SecretBytes message = encode_csr_request("sess-0001", subject_text(subject, "GW-0001"));
  EXPECT_EQ(to_hex(message), to_hex(from_hex_file("csr_request.hex")));
}

TEST(Fcc_5_7, a_comma_in_a_name_is_escaped) {
  EXPECT_EQ(subject_text({{"O", "Acme, Inc."}}, "a,b"), "O=Acme\\, Inc.,CN=a\\,b");
}

TEST(Fcc_5_4, the_captured_answer_is_read_however_it_is_cut) {
  const std::string captured = data("sample_by_tool_response.bin");
  for (std::size_t cut = 0; cut <= captured.size(); ++cut) {
    ResponseFrame frame;
    ASSERT_TRUE(frame.feed(std::string_view(captured).substr(0, cut), codec()));
    EXPECT_EQ(frame.complete(), cut == captured.size());
    if (cut == captured.size()) continue;
    ASSERT_TRUE(frame.feed(std::string_view(captured).substr(cut), codec()));
    ASSERT_TRUE(frame.complete());
    const auto reply = parse_fcc_reply(frame.message());
    ASSERT_TRUE(reply) << reply.error().describe();
    EXPECT_EQ(reply->return_status, 0U);
    EXPECT_EQ(reply->info, "The Factory process succeeded");
    EXPECT_EQ(reply->warnings, std::vector<std::string>{"Item not set:mbed.UpdateAuthCert"});
  }
}

TEST(Fcc_5_7, the_captured_csr_is_read_and_its_signature_holds) {
  const Bytes captured = from_hex_file("csr_response.hex");
  ResponseFrame frame;
  ASSERT_TRUE(frame.feed(as_text(captured), codec()));
  ASSERT_TRUE(frame.complete());
  const auto reply = parse_fcc_reply(frame.message());
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->session, "sess-0001");
  ASSERT_EQ(reply->csrs.size(), 1U);
  EXPECT_EQ(reply->csrs[0].key_name, kBootstrapKeyName);
  const auto facts = codec().read_csr_der(reply->csrs[0].der);
  ASSERT_TRUE(facts) << facts.error().describe();
  EXPECT_EQ(facts->values(core::NameAttributeType::common_name), std::vector<std::string_view>{"GW-0001"});
}

TEST(Fcc_5_1, what_is_no_good_frame_is_refused_at_once) {
  const std::string good = data("sample_by_tool_response.bin");
  const auto fed = [](const std::string& octets) {
    ResponseFrame frame;
    return frame.feed(octets, codec());
  };
  EXPECT_FALSE(fed("HTTP/1.1"));
  EXPECT_FALSE(fed("mbeddbap"));
  EXPECT_FALSE(fed(good + "x"));
  std::string damaged = good;
  damaged.back() ^= 1;
  EXPECT_FALSE(fed(damaged));
  std::string huge = good;
  huge[15] = '\x7f';
  EXPECT_FALSE(fed(huge.substr(0, 16)));
  for (unsigned status = 1; status < 20; ++status) {
    std::string refused = good.substr(0, 8) + std::string{static_cast<char>(status), 0, 0, 0};
    const Status answer = fed(refused);
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().public_message.find("status " + std::to_string(status)), std::string::npos);
  }
}

TEST(Fcc_5_5, every_return_status_has_its_words) {
  for (unsigned status = 0; status < 40; ++status) {
    const Bytes cbor = pep::encode_reply({status, "Item does not exist:mbed.EndpointName", "", {}, {}});
    const auto reply = parse_fcc_reply(cbor);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->return_status, status);
    const std::string text = describe_fcc_status(*reply);
    EXPECT_TRUE(text.starts_with(std::to_string(status)));
    EXPECT_NE(text.find("mbed.EndpointName"), std::string::npos);
  }
}

TEST(Fcc_5_4, cbor_that_lies_is_refused) {
  const auto refused = [](const std::string& hex) { return !parse_fcc_reply(from_hex(hex).value()); };
  EXPECT_TRUE(refused("a0"));                              // no status
  EXPECT_TRUE(refused("bf6c52657475726e53746174757300"));  // no end
  EXPECT_TRUE(refused("bf6c52657475726e53746174757300ff00"));
  EXPECT_TRUE(refused("9b7fffffffffffffff"));
  EXPECT_TRUE(refused("bb7fffffffffffffff"));
  EXPECT_TRUE(refused("5b7fffffffffffffff"));
  EXPECT_TRUE(refused("8181818181818181818181818181818181818100"));
  EXPECT_TRUE(refused("bf6c52657475726e5374617475736130ff"));
  EXPECT_TRUE(refused(""));
}

TEST(Fcc_5_6, what_the_client_would_reject_is_not_sent) {
  const std::string captured = data("sample_by_tool_request.bin");
  const SecretBytes key = sample_key(captured);
  const FactorySettings good = sample_settings(captured);
  const Injection injection = sample_injection(key);
  EXPECT_TRUE(check_injection(good, injection, codec()));
  const auto refused = [&](const FactorySettings& settings, const Injection& changed) {
    return !check_injection(settings, changed, codec());
  };
  FactorySettings settings = good;
  settings.bootstrap_server_uri = "https://bootstrap.example";
  EXPECT_TRUE(refused(settings, injection));
  settings.bootstrap_server_uri = "coaps://bootstrap.example:5684?aid=1";
  EXPECT_TRUE(refused(settings, injection));
  settings.first_to_claim = false;
  EXPECT_FALSE(refused(settings, injection));
  settings.bootstrap_server_uri = "coaps://bootstrap.example:5684";
  EXPECT_TRUE(refused(settings, injection));
  settings = good;
  settings.device_info.model_number.clear();
  EXPECT_TRUE(refused(settings, injection));
  settings = good;
  settings.device_info.utc_offset = "0100";
  EXPECT_TRUE(refused(settings, injection));
  settings = good;
  settings.custom.push_back({"mbed.Own", std::string("x")});
  EXPECT_TRUE(refused(settings, injection));
  settings = good;
  settings.update_certificate = good.bootstrap_server_ca;
  settings.class_id.reset();
  EXPECT_TRUE(refused(settings, injection));
  Injection changed = injection;
  changed.serial_number = "GW-0002";
  EXPECT_TRUE(refused(good, changed));
  changed = injection;
  changed.now = from_unix_ms(1);
  EXPECT_TRUE(refused(good, changed));
  changed = injection;
  changed.now += std::chrono::hours(24 * 365 * 30);
  EXPECT_TRUE(refused(good, changed));
  changed = injection;
  changed.entropy = Bytes(47);
  EXPECT_TRUE(refused(good, changed));
}

}  // namespace
}  // namespace birthmark::faces::izuma
