// SPDX-License-Identifier: Apache-2.0
// The requests that the real fioctl sent, byte for byte (tests/data/foundries/fioctl-requests.jsonl), at the moment it sent them, with its
// user known and the keys of its certificates pending here; then the same with each of these taken away.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/pem.h"
#include "test_api.h"

namespace birthmark::testing {
namespace {

namespace json = boost::json;

constexpr std::string_view kCerts = "/ota/factories/acme/certs/";

struct Recorded {
  std::string method, path, body;
  [[nodiscard]] bool has(std::string_view member) const { return body.find("\"" + std::string(member) + "\"") != std::string::npos; }
};

std::vector<Recorded> recorded_requests() {
  const std::string text = must(read_file(std::string(BIRTHMARK_TEST_DATA) + "/foundries/fioctl-requests.jsonl"));
  std::vector<Recorded> all;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const json::value line = json::parse(text.substr(begin, end - begin));
    Recorded request{std::string(line.at("m").get_string()), std::string(line.at("p").get_string()),
                     std::string(line.at("b").get_string())};
    if (request.path == kCerts) all.push_back(std::move(request));
    begin = end + 1;
  }
  return all;
}

Instant moment_of_recording() {
  return must(parse_rfc3339("2026-11-20T14:23:42Z"));
}

// Every certificate in a recorded member, as if its request had been answered here.
void import_keys(TestApi& api, std::string_view member, const std::string& name) {
  for (const Recorded& request : recorded_requests()) {
    if (request.method != "PATCH" || !request.has(member)) continue;
    const std::string pem(json::parse(request.body).at(json::string_view(member.data(), member.size())).get_string());
    for (const PemBlock& block : must(decode_pem(pem))) {
      const auto certificate = must(crypto::Certificate::from_der(block.contents));
      const auto names = certificate.common_names();
      if (!names.empty() && names.front().starts_with("fio-")) continue;  // a local CA: its key never was the server's
      api.imported_keys.emplace_back(name + "-" + std::to_string(api.imported_keys.size()) + ".key", certificate.spki_sha256());
    }
  }
}

void import_all_keys(TestApi& api) {
  import_keys(api, "tls-crt", "tls");
  import_keys(api, "ca-crt", "online-ca");
  import_keys(api, "est-tls-crt", "est-tls");
}

TEST(FioctlReplay, every_recorded_request_is_answered_with_success_in_its_order) {
  TestApi api(moment_of_recording());
  import_all_keys(api);
  int number = 0;
  for (const Recorded& request : recorded_requests()) {
    const auto answer = api.ask(request.method, request.path, request.body);
    const bool before_create = number++ == 0;
    EXPECT_EQ(answer.status, before_create              ? 206
                             : request.method == "POST" ? 201
                                                        : 200)
        << number << ": " << request.method << ' ' << request.body.substr(0, 80) << ": " << answer.message();
  }
  EXPECT_EQ(number, 15);
  const auto now = api.ask("GET", kCerts);
  const json::object& standing = now.body.get_object();
  EXPECT_EQ(must(decode_pem(now.text("ca-crt"))).size(), 3U);
  ASSERT_EQ(standing.at("disabled-ca-serials").get_array().size(), 1U);
  EXPECT_EQ(standing.at("disabled-ca-serials").get_array().front().get_string(), "522911222838660125313829167635364316239381192231");
  EXPECT_FALSE(now.text("est-tls-crt").empty());
}

// The first PATCH, which sets the factory up.
const Recorded& create_patch() {
  static const std::vector<Recorded> all = recorded_requests();
  return *std::find_if(all.begin(), all.end(), [](const Recorded& request) { return request.has("root-crt"); });
}
const Recorded& disable_patch() {
  static const std::vector<Recorded> all = recorded_requests();
  return *std::find_if(all.begin(), all.end(), [](const Recorded& request) { return request.has("ca-revoke-crl"); });
}

TEST(FioctlReplay, keys_that_were_not_made_here_are_refused_with_a_message) {
  TestApi api(moment_of_recording());
  const auto answer = api.ask("PATCH", kCerts, create_patch().body);
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.message().find("its key was not made here"), std::string::npos) << answer.message();
  EXPECT_EQ(api.ask("GET", kCerts).status, 206) << "all or nothing";
}

TEST(FioctlReplay, another_user_is_refused_with_a_message) {
  TestApi api(moment_of_recording(), "somebody-else");
  import_all_keys(api);
  const auto answer = api.ask("PATCH", kCerts, create_patch().body);
  EXPECT_EQ(answer.status, 403) << answer.message();
  EXPECT_NE(answer.message().find("fio-"), std::string::npos) << answer.message();
}

TEST(FioctlReplay, the_command_to_disable_is_refused_when_its_quarter_of_an_hour_is_over) {
  TestApi api(moment_of_recording());
  import_all_keys(api);
  ASSERT_EQ(api.ask("PATCH", kCerts, create_patch().body).status, 200);
  api.clock.pass(std::chrono::minutes(20));
  const auto answer = api.ask("PATCH", kCerts, disable_patch().body);
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.message().find("expired"), std::string::npos) << answer.message();
  const auto standing = api.ask("GET", kCerts);
  EXPECT_TRUE(standing.body.get_object().at("disabled-ca-serials").get_array().empty());
}

TEST(FioctlReplay, with_the_real_clock_nothing_gives_a_5xx) {
  TestApi api(must(parse_rfc3339("2047-01-01T00:00:00Z")));
  for (const Recorded& request : recorded_requests()) {
    const auto answer = api.ask(request.method, request.path, request.body);
    EXPECT_LT(answer.status, 500) << request.method << ' ' << answer.message();
    if (request.method != "PATCH") continue;
    EXPECT_GE(answer.status, 400);
    EXPECT_FALSE(answer.message().empty());
  }
}

}  // namespace
}  // namespace birthmark::testing
