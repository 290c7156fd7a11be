// SPDX-License-Identifier: Apache-2.0
// One request, one answer: what the engine makes of well-formed and malformed exchanges.
#include "test_site.h"

namespace birthmark::net_test {
namespace {

class Exchange : public EngineTest {};

TEST_F(Exchange, KeepAliveServesOneRequestAfterAnother) {
  serve();
  RawPeer peer(port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = peer.ask(get("/hello"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "{\"hello\": true}");
    EXPECT_TRUE(answer->has("Content-Type: application/json"));
    EXPECT_FALSE(answer->has("Connection: close"));
    EXPECT_NE(answer->head.find("\r\nDate: "), std::string::npos);
  }
  EXPECT_EQ(site_.last_peer(), "127.0.0.1");
  EXPECT_EQ(server_->statistics().requests, 3U);
  EXPECT_EQ(server_->statistics().connections_accepted, 1U);
}

TEST_F(Exchange, ConnectionCloseIsHonoured) {
  serve();
  RawPeer peer(port());
  const auto answer = peer.ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->has("Connection: close"));
  EXPECT_EQ(peer.read_to_end(), Ending::orderly);
}

TEST_F(Exchange, Http10ClosesUnlessAskedToStay) {
  serve();
  RawPeer closing(port());
  const auto answer = closing.ask("GET /hello HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(closing.read_to_end(), Ending::orderly);
  RawPeer staying(port());
  for (int i = 0; i < 2; ++i) {
    const auto again = staying.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->has("Connection: keep-alive"));
  }
}

TEST_F(Exchange, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  RawPeer peer(port());
  std::string batch;
  for (int i = 0; i < 200; ++i) batch += post("/echo?" + std::to_string(i), std::string(static_cast<std::size_t>(i % 50), 'x'));
  ASSERT_TRUE(peer.send(batch));
  for (int i = 0; i < 200; ++i) {
    const auto answer = peer.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "POST " + std::to_string(i) + " " + std::string(static_cast<std::size_t>(i % 50), 'x'));
  }
}

TEST_F(Exchange, HeadHasGetsLengthAndNoBody) {
  serve();
  RawPeer peer(port());
  const auto head = peer.ask("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_TRUE(head->has("Content-Length: 15"));
  const auto next = peer.ask(get("/echo"));  // nothing of a body stands between
  ASSERT_TRUE(next);
  EXPECT_EQ(next->status, 200);
}

TEST_F(Exchange, ExpectContinueIsAnswered) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  const auto interim = peer.receive();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status, 100);
  const auto answer = peer.ask("body");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST  body");
}

TEST_F(Exchange, ExpectContinueForTooLargeABodyIsRefusedAtOnce) {
  serve();
  RawPeer peer(port());
  const auto answer = peer.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(Exchange, ChunkedBodyOctetByOctet) {
  serve();
  RawPeer peer(port());
  const std::string request = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  for (const char octet : request) ASSERT_TRUE(peer.send({&octet, 1}));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST  abcde");
}

TEST_F(Exchange, BodiesUpToTheLimitArriveWhole) {
  net::Limits limits;
  limits.body_bytes = 1U << 20U;
  serve(limits);
  const std::string body(limits.body_bytes, 'x');
  const auto answer = ask(post("/echo", body));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "POST  " + body);
  const auto refused = ask(post("/echo", body + "x"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 413);
}

TEST_F(Exchange, LargeAnswersToSlowReadersArriveWhole) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/big?20000000")));
  ASSERT_TRUE(eventually([&] { return site_.handled() == 1; }));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 20'000'000U);
  EXPECT_TRUE(peer.ask(get("/hello")));
}

struct RefusalCase {
  const char* name;
  std::string request;
  int status;
};

class Refusal : public EngineTest, public testing::WithParamInterface<RefusalCase> {};

// The client gets the answer and an orderly end, even when it had much more to send.
TEST_P(Refusal, IsJsonAndClosesInAnOrderlyWay) {
  serve();
  for (const std::string& more : {std::string(), std::string(100'000, 'x')}) {
    RawPeer peer(port());
    const auto answer = peer.ask(GetParam().request + more);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, GetParam().status);
    EXPECT_TRUE(answer->has("Content-Type: application/json"));
    EXPECT_TRUE(answer->has("Connection: close"));
    EXPECT_EQ(answer->body.rfind("{\"message\": \"", 0), 0U) << answer->body;
    EXPECT_EQ(peer.read_to_end(), Ending::orderly);
  }
  EXPECT_EQ(server_->statistics().refused_malformed, 2U);
  EXPECT_EQ(site_.handled(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusal,
    testing::Values(RefusalCase{"Noise", "noise\r\n\r\n", 400}, RefusalCase{"Version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
                    RefusalCase{"HeaderTooLarge", "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'), 431},
                    RefusalCase{"BodyTooLarge", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413},
                    RefusalCase{"Conflict", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
                    RefusalCase{"TwoLengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
                    RefusalCase{"Folded", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
                    RefusalCase{"Coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
                    RefusalCase{"Proxy", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501}),
    [](const auto& info) { return info.param.name; });

TEST_F(Exchange, HandlerExceptionsBecome500AndTheConnectionLivesOn) {
  serve();
  RawPeer peer(port());
  for (const char* path : {"/throw", "/bad"}) {
    const auto answer = peer.ask(get(path));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(answer->body, "{\"message\": \"internal error\"}\n");
    EXPECT_FALSE(answer->has("Injected: b"));
  }
  EXPECT_TRUE(peer.ask(get("/hello")));
}

TEST_F(Exchange, HandlersMayBeResumedFromAnotherThread) {
  serve();
  RawPeer peer(port());
  for (int i = 0; i < 20; ++i) {
    const auto answer = peer.ask(get("/other-thread"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "42");
  }
}

TEST_F(Exchange, RequestSurvivesSuspensionWhileOthersAreServed) {
  serve({}, 1);
  RawPeer waiting(port());
  ASSERT_TRUE(waiting.send(post("/held", "my own body ")));
  ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(ask(post("/echo", std::string(3'000, 'z'))));
  site_.release();
  const auto answer = waiting.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "my own body 7");
}

TEST_F(Exchange, HalfClosedPeersGetTheirAnswer) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(post("/held", "x")));
  ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
  peer.shutdown_write();
  site_.release();
  const auto answer = peer.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "x7");
  EXPECT_EQ(peer.read_to_end(), Ending::orderly);
}

}  // namespace
}  // namespace birthmark::net_test
