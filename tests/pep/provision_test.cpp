// SPDX-License-Identifier: Apache-2.0
// Gateways are provisioned: what they store, what who asked is told, what a repeat gets (protocol facts, pep 1.2, 5.6, 5.7).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>

#include "base/text.h"
#include "crypto/pki/certificate.h"
#include "pep_server.h"

namespace birthmark::pep {
namespace {

PepServer& by_tool() {
  static PepServer server;
  static const bool started = (server.start(), true);
  static_cast<void>(started);
  return server;
}

PepServer& by_device() {
  static PepServer server({}, "key_mode = \"by_device\"\n");
  static const bool started = (server.start(), true);
  static_cast<void>(started);
  return server;
}

void expect_provisioned(PepServer& server, const std::string& serial, TestFcc& fcc) {
  const auto answer = server.provision(serial, fcc.port());
  ASSERT_EQ(answer.status, 200) << answer.body << server.process().log_text();
  EXPECT_EQ(fcc.text("mbed.EndpointName"), serial);
  EXPECT_EQ(fcc.text("mbed.SerialNumber"), serial);
  EXPECT_EQ(fcc.text("mbed.Manufacturer"), "Acme");
  EXPECT_EQ(fcc.octets("mbed.VendorId").size(), 16U);
  EXPECT_FALSE(fcc.octets("mbed.UpdateAuthCert").empty());
  const auto leaf = crypto::Certificate::from_der(fcc.octets("mbed.BootstrapDeviceCert"));
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->common_names(), std::vector<std::string>{serial});
  std::string digits;
  for (const char c : answer.member("enrollmentID").substr(2))
    if (c != ':') digits += c;
  EXPECT_EQ(to_lower(digits), to_hex(leaf->fingerprint().view()));
  EXPECT_TRUE(e2e::wait_until([&] { return fcc.ended(); }));
  EXPECT_EQ(server.enrollment_id(serial), answer.member("enrollmentID"));
  EXPECT_EQ(server.process().log_text().find("provisioned with warnings"), std::string::npos);
}

TEST(Pep_5_3_by_tool, the_gateway_holds_what_was_sent) {
  TestFcc fcc;
  expect_provisioned(by_tool(), "GW-1", fcc);
  EXPECT_FALSE(fcc.octets("mbed.BootstrapDevicePrivateKey").empty());
}

TEST(Pep_5_7_by_device, the_gateway_keeps_its_key) {
  TestFcc fcc;
  expect_provisioned(by_device(), "GW-1", fcc);
  EXPECT_EQ(fcc.text("mbed.BootstrapDevicePrivateKey"), "(made here)");
  EXPECT_EQ(fcc.messages(), 2U);
}

TEST(Pep_1_2, the_answer_has_the_members_in_the_order_of_the_request) {
  TestFcc fcc;
  const auto answer = by_tool().provision("GW-order", fcc.port());
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string head =
      R"({"hardwareVersion":"izuma-edge-gateway","radioConfig":"00","ledConfig":"01","category":"production","serialNumber":"GW-order",)"
      R"("apiAddress":"https://api.example","gatewayServicesAddress":"https://gateways.example","deployed":true,)"
      R"("cloudAddress":"https://gateways.example","createdAt":)";
  EXPECT_EQ(answer.body.substr(0, head.size()), head);
  EXPECT_EQ(answer.body.find("verificationKey"), std::string::npos);
  const auto body = boost::json::parse(answer.body).as_object();
  EXPECT_GT(body.at("createdAt").as_int64(), 1'600'000'000'000);
}

TEST(Pep_1_2, a_repeat_of_the_same_target_gets_the_recorded_answer_once_more) {
  TestFcc fcc;
  const auto first = by_tool().provision("GW-repeat", fcc.port());
  ASSERT_EQ(first.status, 200) << first.body;
  const auto second = by_tool().provision("GW-repeat", fcc.port());
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(fcc.messages(), 1U);
}

TEST(Pep_1_2, another_gateway_with_that_serial_number_is_told_that_it_is_taken) {
  TestFcc fcc, other;
  ASSERT_EQ(by_tool().provision("GW-taken", fcc.port()).status, 200);
  const auto answer = by_tool().provision("GW-taken", other.port());
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "Identity with this serial number exists already!");
  EXPECT_EQ(other.messages(), 0U);
}

TEST(Pep_1_2, an_operator_can_allow_it_once_more) {
  TestFcc fcc, other;
  const auto first = by_tool().provision("GW-again", fcc.port());
  ASSERT_EQ(first.status, 200);
  by_tool().factory().command({"device", "allow-rekey", "GW-again", "--ecosystem", "izuma", "--reason", "repaired"});
  const auto second = by_tool().provision("GW-again", other.port());
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(second.member("enrollmentID"), first.member("enrollmentID"));
  EXPECT_EQ(by_tool().enrollment_id("GW-again"), second.member("enrollmentID"));
  TestFcc third;
  EXPECT_EQ(by_tool().provision("GW-again", third.port()).status, 409);
}

TEST(Pep_1_2, simultaneous_requests_are_one_injection) {
  TestFcc fcc({.think = std::chrono::milliseconds(300)});
  std::vector<std::future<e2e::Answer>> asked;
  for (int i = 0; i < 5; ++i) asked.push_back(std::async(std::launch::async, [&] { return by_tool().provision("GW-join", fcc.port()); }));
  std::string body;
  for (auto& future : asked) {
    const auto answer = future.get();
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (body.empty()) body = answer.body;
    EXPECT_EQ(answer.body, body);
  }
  EXPECT_EQ(fcc.messages(), 1U);
}

TEST(Pep_1_2, a_denied_serial_number_is_refused_and_the_gateway_left_alone) {
  by_tool().factory().command({"device", "deny", "GW-denied", "--ecosystem", "izuma", "--reason", "stolen"});
  TestFcc fcc;
  EXPECT_EQ(by_tool().provision("GW-denied", fcc.port()).status, 403);
  EXPECT_EQ(fcc.messages(), 0U);
}

TEST(Pep_1_2, targets_outside_the_networks_and_our_own_listeners_are_refused) {
  const std::string base = "/v3/identity?serialNumber=GW-far&port=7777&ip=";
  EXPECT_EQ(by_tool().get(base + "192.0.2.1").status, 403);
  EXPECT_EQ(by_tool().get(base + "gateway.example").status, 400);
  EXPECT_EQ(by_tool().status_of("GW-far"), "");
}

TEST(Pep_1_2, serial_numbers_of_every_kind_come_back_as_they_were) {
  const std::vector<std::pair<std::string, std::string>> serials{{"a%20b%2Bc", "a b+c"},
                                                                 {"x%3Btouch%20p%3B%23", "x;touch p;#"},
                                                                 {"100%25", "100%"},
                                                                 {"%22q%22%2C%27", "\"q\",'"},
                                                                 {"%E2%82%AC%C3%A4", "\xe2\x82\xac\xc3\xa4"},
                                                                 {"..%2F..%2Fetc", "../../etc"},
                                                                 {std::string(64, 'z'), std::string(64, 'z')}};
  for (const auto& [encoded, serial] : serials) {
    TestFcc fcc;
    const auto answer = by_tool().provision(encoded, fcc.port());
    ASSERT_EQ(answer.status, 200) << serial << ": " << answer.body;
    EXPECT_EQ(answer.member("serialNumber"), serial);
    EXPECT_EQ(fcc.text("mbed.EndpointName"), serial);
    EXPECT_EQ(by_tool().enrollment_id(encoded), answer.member("enrollmentID"));
  }
}

TEST(Pep_4_2, a_chain_is_injected_where_it_is_asked_for) {
  PepServer server({}, "chain_depth = 1\nfirst_to_claim = false\naccount_id = \"0123abcd\"\nentropy_mode = \"by_tool\"\n");
  server.start();
  TestFcc fcc;
  const auto answer = server.provision("GW-chain", fcc.port());
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(std::get<std::uint64_t>(fcc.store().at("(chain)")), 2U);
  EXPECT_TRUE(fcc.text("mbed.BootstrapServerURI").ends_with("?aid=0123abcd"));
  EXPECT_FALSE(fcc.store().contains("mbed.FirstToClaim"));
}

TEST(Pep_parallel, many_stations_at_once_lose_none) {
  constexpr int kStations = 15, kEach = 4;
  std::vector<std::future<int>> stations;
  for (int station = 0; station < kStations; ++station) {
    stations.push_back(std::async(std::launch::async, [station] {
      int good = 0;
      for (int i = 0; i < kEach; ++i) {
        TestFcc fcc;
        const auto answer = by_tool().provision("P-" + std::to_string(station) + "-" + std::to_string(i), fcc.port());
        good += answer.status == 200 && fcc.messages() == 1 ? 1 : 0;
      }
      return good;
    }));
  }
  int good = 0;
  for (auto& station : stations) good += station.get();
  EXPECT_EQ(good, kStations * kEach);
  const auto verified = by_tool().factory().birthmark({"audit", "verify", "--dir", by_tool().factory().directory().string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.errors;
}

}  // namespace
}  // namespace birthmark::pep
