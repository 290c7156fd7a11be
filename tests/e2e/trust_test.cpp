// SPDX-License-Identifier: Apache-2.0
// registration.trust, seen from a station: who may register, and what a refusal says.
#include <gtest/gtest.h>

#include "base/text.h"
#include "device.h"
#include "http_peer.h"
#include "server_process.h"

namespace birthmark::e2e {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// POST /sign with one more header line; empty: without.
Answer post(std::uint16_t port, const std::string& body, const std::string& header) {
  std::string text = request_text("POST", "/sign", body);
  if (!header.empty()) text.insert(text.find("\r\n") + 2, header + "\r\n");
  const auto answer = ask(port, text);
  require(answer.has_value(), "no whole answer");
  return *answer;
}

// The row of one device, as JSON.
boost::json::object row_of(const Factory& factory, const std::string& id) {
  const std::string row = factory.command({"device", "list", "--format", "json", "--id-prefix", id});
  return boost::json::parse(first_line(row)).as_object();
}

TEST(Trust, TokensDecideWhoRegistersUnderTokenTrust) {
  const Factory factory;
  factory.configure("registration", "trust = \"token\"");
  const std::string token = first_line(factory.command({"token", "create", "--scope", "devices:create", "--station", "line-1"}));
  const auto server = factory.serve();
  const std::uint16_t port = server->port();

  const Answer without = post(port, Device::make().body(), "");
  EXPECT_EQ(without.status, 401);
  EXPECT_NE(without.message(), "");
  EXPECT_EQ(without.header("www-authenticate"), "Bearer");
  EXPECT_EQ(post(port, Device::make().body(), "OSF-TOKEN: na").status, 401);
  EXPECT_EQ(post(port, "not JSON", "OSF-TOKEN: na").status, 401) << "the body of a stranger is not read";

  const Device device = Device::make();
  for (const std::string& header :
       {"OSF-TOKEN: " + token, "Authorization: Bearer " + token, "Authorization: Bearer " + to_base64(as_bytes(token))}) {
    EXPECT_EQ(post(port, Device::make().body(), header).status, 201) << header.substr(0, 16);
  }
  EXPECT_EQ(post(port, device.body(), "OSF-TOKEN: " + token).status, 201);
  EXPECT_EQ(row_of(factory, device.uuid).at("station").as_string(), "line-1");

  // A token made, and one revoked, while the server runs.
  const std::string reader = first_line(factory.command({"token", "create", "--scope", "devices:read"}));
  const Answer forbidden = post(port, Device::make().body(), "OSF-TOKEN: " + reader);
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_NE(forbidden.message().find("devices:create"), std::string::npos);
  const auto listed = boost::json::parse(first_line(factory.command({"token", "list", "--format", "json"}))).as_object();
  EXPECT_EQ(listed.at("station").as_string(), "line-1");
  factory.command({"token", "revoke", std::string(listed.at("id").as_string())});
  EXPECT_EQ(post(port, Device::make().body(), "OSF-TOKEN: " + token).status, 401);

  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(server->log_text().find(token), std::string::npos) << "a token in the log";
  factory.command({"audit", "verify"});
}

TEST(Trust, ALostAnswerUnderTokenTrustMayBeAskedForWithAnotherKeyByTheSameStation) {
  const Factory factory;
  factory.configure("registration", "trust = \"token\"");
  const std::string token = first_line(factory.command({"token", "create", "--scope", "devices:create", "--station", "line-1"}));
  const std::string other = first_line(factory.command({"token", "create", "--scope", "devices:create", "--station", "line-2"}));
  const auto server = factory.serve();
  const Device first = Device::make();
  {
    HttpPeer peer(server->port());
    std::string text = request_text("POST", "/sign", first.body());
    text.insert(text.find("\r\n") + 2, "OSF-TOKEN: " + token + "\r\n");
    require(peer.send(text), "not sent");
    require(wait_until([&] { return factory.command({"device", "list", "--format", "json"}).find(first.uuid) != std::string::npos; }),
            "not registered");
  }  // gone without having read the answer: the connection is reset
  const Device second = Device::make(first.uuid);
  EXPECT_EQ(post(server->port(), second.body(), "OSF-TOKEN: " + other).status, 409);
  EXPECT_EQ(post(server->port(), second.body(), "OSF-TOKEN: " + token).status, 201);
}

TEST(Trust, PeersOutsideTheNetworksAreRefusedInWords) {
  const Factory factory;
  factory.configure("registration", "networks = [\"10.77.0.0/16\", \"fd00::/8\"]");
  const auto server = factory.serve();
  const Answer refused = post(server->port(), Device::make().body(), "");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.message().find("127.0.0.1"), std::string::npos) << refused.body;
  EXPECT_EQ(ask(server->port(), "HEAD /sign HTTP/1.1\r\nHost: x\r\n\r\n", true)->status, 405) << "a ping asks for nothing";
}

TEST(Trust, AStationBeyondItsRateGets429WithRetryAfter) {
  const Factory factory;
  factory.configure("registration", "rate_per_station = \"2/h\"");
  const auto server = factory.serve();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(post(server->port(), Device::make().body(), "").status, 201);
  const Answer refused = post(server->port(), Device::make().body(), "");
  EXPECT_EQ(refused.status, 429);
  EXPECT_GT(std::stoi(refused.header("retry-after")), 1700) << refused.header("retry-after");
}

TEST(Trust, ABadNetworkOrRateInTheConfigurationIsNamed) {
  const Factory factory;
  factory.configure("registration", "networks = [\"10.0.0.1/8\"]");
  const Outcome outcome = factory.birthmark({"device", "list", "--dir", factory.directory()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("registration.networks"), std::string::npos) << outcome.errors;
  EXPECT_NE(outcome.errors.find("10.0.0.1/8"), std::string::npos) << outcome.errors;
}

TEST(Trust, TokenCommandsSayWhatIsWrong) {
  const Factory factory;
  const auto fails = [&](Arguments arguments, std::string_view phrase) {
    arguments.insert(arguments.end(), {"--dir", factory.directory()});
    const Outcome outcome = factory.birthmark(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << phrase;
    EXPECT_NE(outcome.errors.find(phrase), std::string::npos) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
  };
  fails({"token", "create", "--scope", "devices:creat"}, "unknown scope 'devices:creat'");
  fails({"token", "create", "--scope", "admin", "--expires", "soon"}, "--expires soon");
  fails({"token", "create", "--scope", "admin", "--expires", "2020-01-01T00:00:00Z"}, "expired already");
  fails({"token", "create", "--scope", "admin", "--station", "10.0.0.1"}, "station");
  fails({"token", "revoke", "nope"}, "there is no token nope");
  EXPECT_EQ(factory.birthmark({"token", "create"}).exit_code, 2);
}

}  // namespace
}  // namespace birthmark::e2e
