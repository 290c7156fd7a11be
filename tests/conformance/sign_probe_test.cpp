// SPDX-License-Identifier: Apache-2.0
// The ping before a registration: lmp-device-register sends HEAD, fioup GET; any cleanly framed answer below 500 tells them that somebody
// is here (protocol facts, Foundries 0.3 and 3.3).
#include <gtest/gtest.h>

#include "sign_server.h"

namespace birthmark::conformance {
namespace {

constexpr auto kQuiet = e2e::milliseconds(200);

TEST(SignProbe, HeadHasAStatusBelow500AndNoBody) {
  e2e::HttpPeer peer(default_server().port());
  ASSERT_TRUE(peer.send("HEAD /sign HTTP/1.1\r\nHost: 127.0.0.1:18500\r\nAccept: */*\r\n\r\n"));
  const auto answer = peer.receive(true);
  ASSERT_TRUE(answer);
  EXPECT_LT(answer->status, 500);
  EXPECT_EQ(peer.leftovers(kQuiet), "") << "a body after HEAD is the next answer's beginning to the client";
}

TEST(SignProbe, TheConnectionOfAHeadServesTheRegistrationThatFollows) {
  e2e::HttpPeer peer(default_server().port());
  ASSERT_TRUE(peer.send(e2e::request_text("HEAD", "/sign", "", "")));
  ASSERT_TRUE(peer.receive(true));
  ASSERT_TRUE(peer.send(e2e::request_text("POST", "/sign", Device::make().body())));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201) << answer->body;
}

TEST(SignProbe, GetIsAnsweredAtMost500) {
  const auto answer = e2e::ask(default_server().port(), e2e::request_text("GET", "/sign", "", ""));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->header("allow"), "POST");
  EXPECT_NE(answer->message(), "");
}

TEST(SignProbe, OtherMethodsAre405AndOtherPaths404) {
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const auto answer = e2e::ask(default_server().port(), e2e::request_text(method, "/sign", "", ""));
    ASSERT_TRUE(answer) << method;
    EXPECT_EQ(answer->status, 405) << method;
  }
  for (const char* path : {"/", "/sign/", "/sign/x", "/Sign", "/..%2fsign"}) {
    const auto answer = e2e::ask(default_server().port(), e2e::request_text("POST", path, Device::make().body()));
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 404) << path;
  }
}

TEST(SignProbe, SixteenPipelinedRequestsGetTheirAnswersInOrder) {
  e2e::HttpPeer peer(default_server().port());
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += e2e::request_text("POST", "/sign", i % 2 == 0 ? "{}" : Device::make().body());
  ASSERT_TRUE(peer.send(requests));
  for (int i = 0; i < 16; ++i) {
    const auto answer = peer.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, i % 2 == 0 ? 400 : 201) << i;
  }
}

}  // namespace
}  // namespace birthmark::conformance
