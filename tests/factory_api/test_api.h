// SPDX-License-Identifier: Apache-2.0
// A factory API without a network: requests go to the face as net/ would hand them over. Its factory has no PKI until a test sets one up.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/token_cache.h"
#include "crypto/pki/ceremony.h"
#include "crypto/pki/certificate.h"
#include "crypto/pki/pki_keeper.h"
#include "faces/factory_api/factory_api_face.h"
#include "test_factory.h"

namespace birthmark::testing {

inline constexpr const char* kOwner = "5e13232f73927550af883e7b";  // the user of the recorded requests

template <class T>
[[nodiscard]] T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "test set-up failed: %s\n", result.error().describe().c_str());
    std::abort();
  }
  return std::move(*result);
}

class TestApi {
 public:
  explicit TestApi(Instant now, const std::string& owner = kOwner);
  ~TestApi();

  struct Answer {
    int status = 0;
    boost::json::value body;
    std::vector<std::pair<std::string, std::string>> headers;
    [[nodiscard]] std::string message() const { return text("message"); }
    [[nodiscard]] std::string text(std::string_view member) const;
  };
  // With this token unless another one is given; "" sends none.
  [[nodiscard]] Answer ask(std::string_view method, std::string_view path, std::string_view body = {});
  [[nodiscard]] Answer ask_as(const std::string& token, std::string_view method, std::string_view path, std::string_view body = {},
                              std::string_view content_type = "application/json");
  [[nodiscard]] std::string make_token(std::string_view scopes);

  // `ca create` on the PKI owner's machine, with the requests that POST gave; then its PATCH.
  void set_up_pki();
  [[nodiscard]] Answer patch(const boost::json::object& members) { return ask("PATCH", certs, boost::json::serialize(members)); }
  [[nodiscard]] std::string contents(const std::string& file) const;  // of the PKI directory
  [[nodiscard]] crypto::CeremonyTools tools();
  [[nodiscard]] std::filesystem::path pki() const { return directory.path() / "owner"; }

  const std::string certs = "/ota/factories/acme/certs/";
  TemporaryDirectory directory;
  FakeClock clock;
  std::unique_ptr<core::X509Codec> codec;
  std::unique_ptr<core::Random> random;
  std::unique_ptr<core::Registry> registry;
  core::Tokens* tokens = nullptr;
  crypto::KeyShelf keys;
  std::vector<std::pair<std::string, SpkiHash>> imported_keys;  // held, as far as the server knows
  std::string token;                                            // holds every scope
  int reloads = 0;

 private:
  class Desk;
  faces::factory_api::SingleOwner users_;
  std::unique_ptr<core::TokenCache> cache_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<faces::factory_api::FactoryApiFace> face_;
};

}  // namespace birthmark::testing
