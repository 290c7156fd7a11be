// SPDX-License-Identifier: Apache-2.0
// on_delivered: called once when the peer's TCP has all of the answer and shows a sign of life, never otherwise. The unseen rule of
// enrollment stands on it.
#include <sys/wait.h>
#include <unistd.h>

#include "test_site.h"

namespace birthmark::net_test {
namespace {

class Delivery : public EngineTest {};

TEST_F(Delivery, SeenAtTheNextRequest) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.ask(get("/delivered")));
  EXPECT_EQ(site_.delivered(), 0);
  ASSERT_TRUE(peer.ask(get("/hello")));
  EXPECT_EQ(site_.delivered(), 1);
  ASSERT_TRUE(peer.ask(get("/hello")));
  EXPECT_EQ(site_.delivered(), 1);
}

TEST_F(Delivery, SeenAtAnOrderlyClose) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.ask(get("/delivered")));
  peer.close();
  EXPECT_TRUE(eventually([&] { return site_.delivered() == 1; }));
  EXPECT_TRUE(all_closed());
}

TEST_F(Delivery, SeenWhenTheAnswerClosesTheConnection) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.ask("GET /delivered HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(peer.read_to_end(), Ending::orderly);
  peer.close();
  EXPECT_TRUE(eventually([&] { return site_.delivered() == 1; }));
}

TEST_F(Delivery, EachOfSeveralAnswersIsReported) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/delivered") + get("/delivered") + get("/delivered")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(peer.receive());
  peer.close();
  EXPECT_TRUE(eventually([&] { return site_.delivered() == 3; }));
}

TEST_F(Delivery, NotWhenThePeerResetsBeforeReading) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/delivered")));
  ASSERT_TRUE(eventually([&] { return server_->statistics().requests == 1; }));
  peer.reset();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(site_.delivered(), 0);
}

// close() with unread data sends a reset, and so does the end of a killed process.
TEST_F(Delivery, NotWhenThePeerClosesWithTheAnswerUnread) {
  serve();
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/delivered")));
  ASSERT_TRUE(eventually([&] { return server_->statistics().requests == 1; }));
  char first = 0;
  ASSERT_EQ(::recv(peer.descriptor(), &first, 1, 0), 1);  // it is there, but not all of it was read
  peer.close();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(site_.delivered(), 0);
}

TEST_F(Delivery, NotWhenThePeerHadGoneBeforeTheAnswer) {
  serve();
  for (const bool rudely : {false, true}) {
    RawPeer peer(port());
    ASSERT_TRUE(peer.send(post("/held", "x")));
    ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
    if (rudely) {
      peer.reset();
    } else {
      peer.close();
    }
    site_.release();
    EXPECT_TRUE(all_closed());
    EXPECT_EQ(site_.delivered(), 0);
  }
}

TEST_F(Delivery, NotWhenThePeerProcessIsKilledBeforeTheAnswer) {
  serve();
  const pid_t child = ::fork();
  if (child == 0) {
    RawPeer peer(port());
    peer.send(post("/held", "x"));
    ::pause();
    ::_exit(0);
  }
  ASSERT_GT(child, 0);
  ASSERT_TRUE(eventually([&] { return site_.held() == 1; }));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  site_.release();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(site_.delivered(), 0);
}

TEST_F(Delivery, NotWhenTheWriteTimesOut) {
  net::Limits limits;
  limits.write_timeout = std::chrono::milliseconds(300);
  serve(limits);
  RawPeer peer(port());
  ASSERT_TRUE(peer.send(get("/big?50000000") + get("/delivered")));
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(site_.delivered(), 0);
}

}  // namespace
}  // namespace birthmark::net_test
