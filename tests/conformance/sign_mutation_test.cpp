// SPDX-License-Identifier: Apache-2.0
// Thousands of damaged registrations: every one is answered below 500, and the server goes on serving good ones. The seed is printed, so
// that a failure can be repeated.
#include <gtest/gtest.h>

#include <random>

#include "base/pem.h"
#include "sign_server.h"

namespace birthmark::conformance {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kBodies = 2'000;
#else
constexpr int kBodies = 10'000;
#endif

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed), device_(Device::make()) {}

  // One damaged body: in its text, or inside the DER of its CSR.
  [[nodiscard]] std::string next() {
    if (below(3) == 0) return damaged_csr();
    std::string body = device_.body();
    for (std::size_t strokes = 1 + below(4); strokes > 0; --strokes) damage(body);
    return body;
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  std::string damaged_csr() {
    std::string der(as_text(decode_first_pem(device_.csr)->contents));
    damage(der);
    return boost::json::serialize(e2e::request_with(encode_pem("CERTIFICATE REQUEST", as_bytes(der))));
  }

  void damage(std::string& text) {
    constexpr std::string_view kInteresting("\0\x7f\xff\"\\{}[],:\n/-0\x30\x80\x02", 18);
    if (text.empty()) return;
    const std::size_t at = below(text.size());
    switch (below(6)) {
      case 0: text[at] = static_cast<char>(below(256)); break;
      case 1: text[at] = kInteresting[below(kInteresting.size())]; break;
      case 2: text.erase(at, 1 + below(16)); break;
      case 3: text.insert(at, text.substr(below(text.size()), below(64))); break;
      case 4: text.resize(at); break;
      default: text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(7))); break;
    }
  }

  std::mt19937 random_;
  Device device_;
};

TEST(SignMutation, DamagedRequestsAreRefusedAndTheServerLives) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const SignServer server;
  Mutator mutator(seed);
  auto peer = std::make_unique<e2e::HttpPeer>(server.port());
  std::map<int, int> seen;
  for (int i = 0; i < kBodies; ++i) {
    const std::string body = mutator.next();
    ASSERT_TRUE(peer->send(e2e::request_text("POST", "/sign", body))) << i;
    const auto answer = peer->receive();
    ASSERT_TRUE(answer) << i << ": " << body;
    ASSERT_LT(answer->status, 500) << i << ": " << body << "\n" << answer->body;
    ++seen[answer->status];
    if (answer->header("connection") == "close") peer = std::make_unique<e2e::HttpPeer>(server.port());
  }
  EXPECT_GT(seen[400], kBodies / 2);
  EXPECT_EQ(server.post(Device::make().body()).status, 201);
  EXPECT_EQ(server.process().stop(), 0) << "it must end well too";
}

}  // namespace
}  // namespace birthmark::conformance
