// SPDX-License-Identifier: Apache-2.0
// Keys and CSRs come from the product's own builder; the JSON is written as that client writes it, member order and escapes included.
#include "sign_requests.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "base/text.h"
#include "crypto/csr_builder.h"

namespace birthmark::bench {
namespace {

Uuid random_uuid(std::mt19937_64& random) {
  Uuid uuid;
  for (std::uint8_t& octet : uuid) octet = static_cast<std::uint8_t>(random());
  return uuid;
}

Result<std::string> make_request(const std::string& uuid, const std::string& factory) {
  BIRTHMARK_TRY(const auto key, crypto::PrivateKey::generate_p256());
  crypto::CsrSubject subject;
  subject.common_name = uuid;
  subject.organizational_unit = factory;
  subject.device_extensions = true;
  BIRTHMARK_TRY(const std::string csr, crypto::make_csr_pem(key, subject));
  std::string body = R"({
    "use-ostree-server": "true",
    "sota-config-dir": "\/var\/sota",
    "hardware-id": "intel-corei7-64",
    "name": ")" + uuid +
                     R"(",
    "uuid": ")" + uuid +
                     R"(",
    "csr": )" + json_string(csr) +
                     R"(,
    "overrides": {
        "pacman": {
            "type": "\"ostree+compose_apps\"",
            "compose_apps_root": "\"\/var\/sota\/compose-apps\"",
            "reset_apps_root": "\"\/var\/sota\/reset-apps\"",
            "reset_apps": "\" \"",
            "tags": "\"main\""
        }
    }
}
)";
  return "POST /sign HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

Result<std::vector<std::string>> make_sign_requests(std::size_t count, const std::string& factory) {
  std::vector<std::string> requests(count);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  Status all;
  const auto work = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = next++; i < count; i = next++) {
      auto made = make_request(format_uuid(random_uuid(random)), factory);
      if (made) {
        requests[i] = std::move(*made);
        continue;
      }
      const std::lock_guard lock(mutex);
      all = forward_error(made);
      return;
    }
  };
  std::vector<std::thread> threads;
  std::random_device seeds;
  const auto seed = [&seeds] { return (std::uint64_t{seeds()} << 32U) | seeds(); };
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work, seed());
  for (std::thread& thread : threads) thread.join();
  if (!all) return forward_error(all);
  return requests;
}

}  // namespace birthmark::bench
