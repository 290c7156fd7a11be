// SPDX-License-Identifier: Apache-2.0
// A server whose clock jumps (DESIGN section 3): small steps back are waited out, larger ones and jumps forward stop issuance, with the
// reason, until the clock comes back or an operator confirms it.
#include <gtest/gtest.h>

#include "bad_weather.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

class WrongClock : public ::testing::Test {
 protected:
  WrongClock() : weather_(factory_.scratch() / "weather") {}

  [[nodiscard]] std::unique_ptr<ServerProcess> serve() const { return factory_.serve({weather_.environment(), 2}); }
  [[nodiscard]] static Answer post_new(const ServerProcess& server) {
    const auto answer = post_sign(server.port(), Device::make().body());
    require(answer.has_value(), "no answer");
    return *answer;
  }
  static void expect_signed(const ServerProcess& server) {
    const Answer answer = post_new(server);
    EXPECT_EQ(answer.status, 201) << answer.body;
  }
  static void expect_refused(const ServerProcess& server, std::string_view reason) {
    const Answer answer = post_new(server);
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_NE(answer.message().find(reason), std::string::npos) << answer.body;
    EXPECT_NE(answer.header("retry-after"), "");
  }
  [[nodiscard]] std::string status() const { return factory_.command({"status"}); }
  void accept() const { factory_.command({"clock", "accept", "--reason", "the battery was replaced"}); }

  static constexpr std::string_view kDoubt = "clock is not trusted";
  Factory factory_;
  BadWeather weather_;
};

TEST_F(WrongClock, AStartIn2040NeedsAWordAndThenAnIssuerThatStillLives) {
  {
    const auto server = serve();
    expect_signed(*server);
    EXPECT_EQ(server->stop(), 0);
  }
  weather_.shift_clock(14 * 365 * kDay);
  {
    const auto server = serve();
    expect_refused(*server, kDoubt);
    EXPECT_NE(status().find("the clock jumped forward"), std::string::npos) << status();
    accept();
    expect_refused(*server, "expired");  // the device CAs last ten years
    EXPECT_EQ(server->stop(), 0);
  }
  // The clock was wrong after all: one record of 2040 does not stop the line for ever.
  weather_.shift_clock(0);
  const auto server = serve();
  expect_refused(*server, kDoubt);
  accept();
  expect_signed(*server);
  EXPECT_EQ(factory_.birthmark({"audit", "verify", "--dir", factory_.directory()}, weather_.environment()).exit_code, 0);
}

TEST_F(WrongClock, OneHourBackStopsIssuanceUntilItIsAccepted) {
  weather_.shift_clock(2 * kHour);  // the PKI is older than both times
  const auto server = serve();
  expect_signed(*server);
  weather_.shift_clock(kHour);
  expect_refused(*server, kDoubt);
  EXPECT_NE(status().find("was already recorded"), std::string::npos) << status();
  accept();
  expect_signed(*server);
  EXPECT_EQ(status().find("clock"), std::string::npos) << status();
}

TEST_F(WrongClock, AnAcceptedClockBeforeThePkiWasMadeHasItsReasonToo) {
  const auto server = serve();
  expect_signed(*server);
  weather_.shift_clock(-kHour);
  accept();
  expect_refused(*server, "not valid before");
}

TEST_F(WrongClock, OneHourBackIsOverWhenTheClockComesBack) {
  const auto server = serve();
  expect_signed(*server);
  weather_.shift_clock(-kHour);
  expect_refused(*server, kDoubt);
  weather_.shift_clock(0);
  expect_signed(*server);
}

TEST_F(WrongClock, OneHourBackAcrossARestartIsNoticed) {
  {
    const auto server = serve();
    expect_signed(*server);
    EXPECT_EQ(server->stop(), 0);
  }
  weather_.shift_clock(-kHour);
  const auto server = serve();
  expect_refused(*server, kDoubt);
}

TEST_F(WrongClock, OneSecondBackIsFine) {
  const auto server = serve();
  expect_signed(*server);
  weather_.shift_clock(-1);
  expect_signed(*server);
  weather_.shift_clock(-60);
  expect_signed(*server);
}

TEST_F(WrongClock, AJumpOfTwoDaysStopsIssuanceWhileItLasts) {
  const auto server = serve();
  expect_signed(*server);
  weather_.shift_clock(2 * kDay);
  expect_refused(*server, kDoubt);
  weather_.shift_clock(0);
  expect_signed(*server);
  weather_.shift_clock(2 * kDay);
  accept();
  expect_signed(*server);
}

}  // namespace
}  // namespace birthmark::e2e
