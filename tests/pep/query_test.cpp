// SPDX-License-Identifier: Apache-2.0
// What pep's clients put into a query (protocol facts, pep 1.2 and 2).
#include "faces/izuma/pep_query.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "faces/izuma/pep_face.h"

namespace birthmark::faces::izuma {
namespace {

IdentityRequest read(std::string_view query, std::string_view peer = "10.1.2.3") {
  const auto parsed = Query::parse(query);
  EXPECT_TRUE(parsed);
  auto request = read_identity_request(*parsed, peer);
  EXPECT_TRUE(request) << request.error().public_message;
  return request.value_or(IdentityRequest{});
}

std::string why_not(std::string_view query) {
  const auto parsed = Query::parse(query);
  if (!parsed) return parsed.error().public_message;
  const auto request = read_identity_request(*parsed, "10.1.2.3");
  return request ? std::string() : request.error().public_message;
}

constexpr std::string_view kCli =
    "&hardwareVersion=izuma-edge-gateway&radioConfig=00&ledConfig=01&category=production&ip=127.0.0.1&port=7777&serialNumber=GW-1"
    "&apiAddress=https%3A%2F%2Fapi.example&gatewayServicesAddress=https%3A%2F%2Fgateways.example"
    "&verificationKey=verification-key-does-not-exist";

TEST(Pep_2_get_one_identity, the_original_clients_query_begins_with_an_ampersand) {
  const IdentityRequest request = read(kCli);
  EXPECT_EQ(request.serial_number, "GW-1");
  EXPECT_EQ(request.target(), "127.0.0.1:7777");
  EXPECT_EQ(request.verification_key, "");
  EXPECT_EQ(request.fields,
            R"("hardwareVersion":"izuma-edge-gateway","radioConfig":"00","ledConfig":"01","category":"production","serialNumber":"GW-1",)"
            R"("apiAddress":"https://api.example","gatewayServicesAddress":"https://gateways.example")");
}

TEST(Pep_1_2, the_callers_address_and_7777_are_the_default_target) {
  EXPECT_EQ(read("serialNumber=a").target(), "10.1.2.3:7777");
  EXPECT_EQ(read("serialNumber=a&ip=::ffff:10.0.0.9&port=1").target(), "10.0.0.9:1");
  EXPECT_EQ(read("serialNumber=a&ip=fe80::1").target(), "[fe80::1]:7777");
}

TEST(Pep_1_2, values_are_decoded_once) {
  EXPECT_EQ(read("serialNumber=a%2520b").serial_number, "a%20b");
  EXPECT_EQ(read("serialNumber=a+b%2Bc").serial_number, "a b+c");
  EXPECT_EQ(read("serialNumber=100%").serial_number, "100%");
  EXPECT_EQ(read("serialNumber=%zz").serial_number, "%zz");
  EXPECT_EQ(read("serialNumber=x%3Btouch%20p%3B%23").serial_number, "x;touch p;#");
  EXPECT_EQ(read("serialNumber=%22%27%C3%A4").serial_number, "\"'\xc3\xa4");
}

TEST(Pep_1_2, what_cannot_be_a_serial_number_is_refused_with_the_reason) {
  EXPECT_NE(why_not("ip=127.0.0.1").find("serialNumber is missing"), std::string::npos);
  EXPECT_NE(why_not("serialNumber=undefined").find("serialNumber is missing"), std::string::npos);
  EXPECT_NE(why_not("serialNumber=a%0ab"), "");
  EXPECT_NE(why_not("serialNumber=%ff"), "");
  EXPECT_EQ(why_not("serialNumber=" + std::string(64, 'x')), "");
  EXPECT_NE(why_not("serialNumber=" + std::string(65, 'x')).find("64"), std::string::npos);
  std::string wide;
  for (int i = 0; i < 64; ++i) wide += "%E2%82%AC";
  EXPECT_EQ(why_not("serialNumber=" + wide), "");
}

TEST(Pep_1_2, targets_are_addresses) {
  EXPECT_NE(why_not("serialNumber=a&ip=gateway.example"), "");
  EXPECT_NE(why_not("serialNumber=a&port=0"), "");
  EXPECT_NE(why_not("serialNumber=a&port=65536"), "");
  EXPECT_NE(why_not("serialNumber=a&port=7777;reboot"), "");
}

TEST(Pep_1_2, unknown_parameters_have_no_effect) {
  const IdentityRequest request = read("serialNumber=a&deployed=true&_id=1&0=%5B&hash=1");
  EXPECT_EQ(request.fields.find("deployed"), std::string::npos);
  EXPECT_EQ(request.fields.find("_id"), std::string::npos);
}

TEST(Pep_1_2, what_is_left_out_is_what_the_interface_declares) {
  EXPECT_EQ(read("serialNumber=a").fields,
            R"("serialNumber":"a","hardwareVersion":"izuma-edge-gateway","radioConfig":"00","ledConfig":"01","category":"production",)"
            R"("apiAddress":"https://api.us-east-1.mbedcloud.com","gatewayServicesAddress":"https://gateways.us-east-1.mbedcloud.com")");
}

TEST(Pep_1_3, addresses_of_interfaces_are_lists_of_numbers) {
  EXPECT_NE(read("serialNumber=a&ethernetMAC[]=0&ethernetMAC[]=165").fields.find(R"("ethernetMAC":[0,165])"), std::string::npos);
  EXPECT_NE(read("serialNumber=a&sixBMAC=0,165,9").fields.find(R"("sixBMAC":[0,165,9])"), std::string::npos);
  EXPECT_NE(why_not("serialNumber=a&ethernetMAC=256"), "");
}

TEST(Pep_1_2, there_are_limits) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += "&a=" + std::to_string(i);
  EXPECT_FALSE(Query::parse(many));
  EXPECT_NE(why_not("serialNumber=a&category=" + std::string(257, 'x')), "");
}

TEST(Pep_3_4, the_enrollment_id_is_the_fingerprint_in_either_case) {
  const auto octets = from_hex("1ea364ffeac70ecf4e603fca901edd8f6a7ec882541db97c69a2d6946bc050dc");
  const Fingerprint fingerprint = *Fingerprint::from(*octets);
  const std::string lower = "A-1e:a3:64:ff:ea:c7:0e:cf:4e:60:3f:ca:90:1e:dd:8f:6a:7e:c8:82:54:1d:b9:7c:69:a2:d6:94:6b:c0:50:dc";
  EXPECT_EQ(enrollment_id(fingerprint, EnrollmentIdCase::lower), lower);
  EXPECT_EQ(enrollment_id(fingerprint, EnrollmentIdCase::upper).size(), 97U);
  EXPECT_EQ(to_lower(enrollment_id(fingerprint, EnrollmentIdCase::upper)), to_lower(lower));
}

}  // namespace
}  // namespace birthmark::faces::izuma
