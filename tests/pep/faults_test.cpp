// SPDX-License-Identifier: Apache-2.0
// Whatever a gateway does, and whenever the server dies: the serial number is free or provisioned, never stuck, and who asked gets one
// clear error (protocol facts, pep 5.2 and 5.5).
#include <gtest/gtest.h>

#include "pep_server.h"

namespace birthmark::pep {
namespace {

PepServer& server(bool by_device) {
  static PepServer tool("fcc_timeout = \"2s\"\n"), device("", "key_mode = \"by_device\"\n");
  static const bool started = (tool.start(), device.start(), true);
  static_cast<void>(started);
  return by_device ? device : tool;
}

std::string fresh_serial() {
  static int number = 0;
  return "F-" + std::to_string(++number);
}

// The attempt fails; the next, with a client that behaves, succeeds.
std::string expect_free_after(FccScript script, bool by_device = false) {
  PepServer& pep = server(by_device);
  const std::string serial = fresh_serial();
  std::string body;
  {
    TestFcc fcc(script);
    const auto answer = pep.provision(serial, fcc.port());
    EXPECT_EQ(answer.status, 500) << answer.body;
    EXPECT_TRUE(answer.body.starts_with(
        "Make sure you are running fcc-example on the gateway with ip=127.0.0.1 at port=" + std::to_string(fcc.port()) + ". "))
        << answer.body;
    body = answer.body;
    EXPECT_EQ(pep.enrollment_id(serial), "Not found!");
  }
  TestFcc good;
  const auto answer = pep.provision(serial, good.port());
  EXPECT_EQ(answer.status, 200) << answer.body << pep.process().log_text();
  return body;
}

TEST(Pep_5_2_faults, nobody_listens) {
  const std::string serial = fresh_serial();
  std::uint16_t port = 0;
  {
    const TestFcc gone;
    port = gone.port();
  }
  const auto answer = server(false).provision(serial, port);
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("cannot connect"), std::string::npos) << answer.body;
  EXPECT_EQ(server(false).status_of(serial), "");  // nothing was recorded
  TestFcc good;
  EXPECT_EQ(server(false).provision(serial, good.port()).status, 200);
}

TEST(Pep_5_2_faults, it_never_answers) {
  PepServer hurried("fcc_timeout = \"1s\"\n");
  hurried.start();
  TestFcc fcc({.never_answer = true});
  const auto answer = hurried.provision("slow", fcc.port());
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("did not answer in time"), std::string::npos) << answer.body;
  TestFcc good;
  EXPECT_EQ(hurried.provision("slow", good.port()).status, 200);
}

TEST(Pep_5_2_faults, it_closes_anywhere_in_the_request) {
  for (const std::size_t octets : {0U, 1U, 100U, 1000U, 1'000'000U}) expect_free_after({.close_request_after = octets});
}

TEST(Pep_5_2_faults, it_closes_at_every_octet_of_its_answer) {
  FccReplyText usual;
  usual.info = "The Factory process succeeded\n";
  const std::size_t size = 16 + encode_reply(usual).size() + 32;
  for (std::size_t octets = 0; octets < size; octets += octets < 20 ? 1 : 13) expect_free_after({.close_reply_after = octets});
}

TEST(Pep_5_1_faults, every_status_of_the_frame) {
  for (std::uint32_t status = 1; status < 17; ++status) {
    const std::string body = expect_free_after({.frame_status = status});
    EXPECT_NE(body.find("status " + std::to_string(status)), std::string::npos) << body;
  }
}

TEST(Pep_5_5_faults, every_return_status) {
  for (unsigned status = 1; status < 39; ++status) {
    const std::string body = expect_free_after({.return_status = status});
    EXPECT_NE(body.find("refused: " + std::to_string(status)), std::string::npos) << body;
  }
}

TEST(Pep_5_4_faults, answers_that_are_none) {
  expect_free_after({.damage_hash = true});
  expect_free_after({.huge_length = true});
  expect_free_after({.junk = true});
}

TEST(Pep_5_7_faults, certificate_requests_that_are_not_what_was_asked_for) {
  for (const auto csr : {FccScript::Csr::other_subject, FccScript::Csr::bad_signature}) {
    TestFcc fcc({.csr = csr});
    const std::string serial = fresh_serial();
    const auto answer = server(true).provision(serial, fcc.port());
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(server(true).status_of(serial), "");
    TestFcc good;
    EXPECT_EQ(server(true).provision(serial, good.port()).status, 200);
  }
  // The certificate is for another key than the gateway's: it says so itself.
  expect_free_after({.csr = FccScript::Csr::other_key}, true);
}

TEST(Pep_5_7_faults, either_message_of_a_session_may_fail) {
  for (const unsigned message : {1U, 2U}) {
    expect_free_after({.close_reply_after = 30, .fail_on_message = message}, true);
    expect_free_after({.return_status = 16, .fail_on_message = message}, true);
  }
}

TEST(Pep_5_2, an_answer_in_single_octets_is_an_answer) {
  TestFcc fcc({.one_octet_at_a_time = true});
  EXPECT_EQ(server(false).provision(fresh_serial(), fcc.port()).status, 200);
}

#ifdef BIRTHMARK_CRASH_POINTS
struct CrashCase {
  const char* at;
  bool provisioned;  // afterwards
};

class PepCrash : public ::testing::TestWithParam<CrashCase> {};

TEST_P(PepCrash, the_serial_number_is_free_or_provisioned) {
  PepServer pep;
  pep.start({std::string("BIRTHMARK_CRASH_AT=") + GetParam().at});
  TestFcc fcc;
  const auto answer = e2e::ask(pep.port(), "GET " + identity_target("C-1", fcc.port()) + " HTTP/1.1\r\nHost: pep\r\n\r\n");
  EXPECT_FALSE(answer.has_value());
  ASSERT_TRUE(pep.process().wait().has_value());
  pep.start();
  if (GetParam().provisioned) {
    EXPECT_TRUE(pep.enrollment_id("C-1").starts_with("A-"));
    const auto again = pep.provision("C-1", fcc.port());
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(again.member("enrollmentID"), pep.enrollment_id("C-1"));
  } else {
    EXPECT_EQ(pep.enrollment_id("C-1"), "Not found!");
    TestFcc next;
    const auto again = pep.provision("C-1", next.port());
    EXPECT_EQ(again.status, 200) << again.body;
  }
  const auto verified = pep.factory().birthmark({"audit", "verify", "--dir", pep.factory().directory().string()});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.errors;
}

INSTANTIATE_TEST_SUITE_P(EveryPoint, PepCrash,
                         ::testing::Values(CrashCase{"enroll.before_sign", false}, CrashCase{"enroll.after_sign", false},
                                           CrashCase{"enroll.after_record", false}, CrashCase{"pep.after_enroll", false},
                                           CrashCase{"pep.after_injection", false}, CrashCase{"pep.after_settle", true}));
#endif

}  // namespace
}  // namespace birthmark::pep
