// SPDX-License-Identifier: Apache-2.0
// The built program with every key in a token: the PKI made there, devices registered, let in at the gateway and renewed over EST; a token
// that goes away and comes back; what `check` says of one that is not right; and that no PIN is found where anybody can look.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "../e2e/device.h"
#include "../e2e/http_peer.h"
#include "../e2e/server_process.h"
#include "base/pem.h"
#include "base/text.h"
#include "crypto/csr_builder.h"
#include "soft_token.h"

namespace birthmark::hsm {
namespace {

using e2e::Arguments;
using e2e::milliseconds;
using e2e::Outcome;

// A server directory and a PKI whose every private key was made in the token `fleet` and stays there.
class TokenFactory {
 public:
  explicit TokenFactory(const std::string& module = kSoftHsm) : module_(module) {
    house_.make_token("fleet");
    must(birthmark(
        with_token({"init", directory(), "--factory", "acme", "--gateway-dns", "gw.example", "--ostree-dns", "os.example", "--no-pki"})));
    must(birthmark(with_token({"ca", "create", pki(), "--csr-dir", directory() + "/csr", "--local-ca-in-hsm"})));
    replace("[\"pkcs11:object=online-ca\"]", "[\"pkcs11:object=local-ca\", \"pkcs11:object=online-ca\"]");
    replace("[gateway]\n", "[gateway]\nlisten = [\"127.0.0.1:0\"]\n");
    must(birthmark({"ca", "install", "--dir", directory(), pki() + "/factory_ca.pem", pki() + "/tls-crt", pki() + "/online-crt",
                    pki() + "/local-ca.pem"}));
  }

  [[nodiscard]] std::string directory() const { return (scratch_.path() / "factory").string(); }
  [[nodiscard]] std::string pki() const { return (scratch_.path() / "pki").string(); }
  [[nodiscard]] std::filesystem::path scratch() const { return scratch_.path(); }
  [[nodiscard]] const SoftHouse& house() const { return house_; }
  [[nodiscard]] std::string log_text() const { return e2e::read_text(scratch_.path() / "server.log"); }

  [[nodiscard]] std::vector<std::string> environment() const {
    return {house_.environment(), std::string("BIRTHMARK_SHIM_MODULE=") + kSoftHsm,
            "BIRTHMARK_SHIM_PLAN=" + (scratch_.path() / "plan").string(), "BIRTHMARK_SHIM_LOG=" + (scratch_.path() / "logins").string()};
  }
  [[nodiscard]] Arguments with_token(Arguments arguments) const {
    arguments.insert(arguments.end(),
                     {"--hsm-module", module_, "--hsm-token-label", "fleet", "--hsm-pin", "file:" + house_.pin_file().string()});
    return arguments;
  }
  [[nodiscard]] Outcome birthmark(const Arguments& arguments) const {
    Arguments all{e2e::program()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return e2e::run(all, environment());
  }
  void replace(const std::string& from, const std::string& to) const {
    const std::string path = directory() + "/birthmark.toml";
    std::string text = e2e::read_text(path);
    const std::size_t at = text.find(from);
    e2e::require(at != std::string::npos, "birthmark.toml has no " + from);
    text.replace(at, from.size(), to);
    e2e::write_text(path, text);
  }
  // What the faulty module does from now on.
  void plan(const std::string& text) const {
    e2e::write_text(scratch_.path() / "plan.new", text + "\n");
    std::filesystem::rename(scratch_.path() / "plan.new", scratch_.path() / "plan");
  }
  [[nodiscard]] std::unique_ptr<e2e::ServerProcess> serve(std::vector<std::string> more = {}) const {
    e2e::ServerProcess::Options options;
    options.environment = environment();
    options.environment.insert(options.environment.end(), more.begin(), more.end());
    options.listen = {"registration=127.0.0.1:0", "gateway=127.0.0.1:0"};
    auto server = std::make_unique<e2e::ServerProcess>(directory(), scratch_.path() / "server.log", options);
    e2e::require(server->wait_until_ready(), "the server did not get ready: " + log_text());
    return server;
  }

  static void must(const Outcome& outcome) { e2e::require(outcome.exit_code == 0, outcome.output + outcome.errors); }

 private:
  const std::string module_;
  SoftHouse house_;
  e2e::ScratchDirectory scratch_;
};

// Registers it and leaves its key and certificate in files for curl.
void register_device(const TokenFactory& factory, const e2e::ServerProcess& server, const e2e::Device& device) {
  const auto answer = e2e::post_sign(server.port(), device.body());
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->status, 201) << answer->body << factory.log_text();
  e2e::write_text(factory.scratch() / "client.pem", answer->member("client.pem"));
  e2e::write_text(factory.scratch() / "client.key", *device.key.to_pem());
}

Outcome gateway(const TokenFactory& factory, const e2e::ServerProcess& server, const std::string& path, Arguments more = {}) {
  const std::string port = std::to_string(server.port("gateway"));
  Arguments all{"curl",
                "--silent",
                "--show-error",
                "--write-out",
                "\n%{http_code}",
                "--cacert",
                factory.pki() + "/factory_ca.pem",
                "--resolve",
                "gw.example:" + port + ":127.0.0.1",
                "--cert",
                (factory.scratch() / "client.pem").string(),
                "--key",
                (factory.scratch() / "client.key").string(),
                "https://gw.example:" + port + path};
  all.insert(all.end(), more.begin(), more.end());
  return e2e::run(all);
}

TEST(EveryKeyInTheToken, DevicesRegisterComeInAndRenew) {
  const TokenFactory factory;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(factory.directory()))
    EXPECT_FALSE(entry.path().extension() == ".key" && entry.path().filename() != "audit.key" &&
                 entry.path().string().find("/keys/") != std::string::npos && entry.path().string().find("/tuf/") == std::string::npos)
        << entry.path();
  EXPECT_FALSE(std::filesystem::exists(factory.pki() + "/factory_ca.key"));
  EXPECT_FALSE(std::filesystem::exists(factory.pki() + "/local-ca.key"));
  const auto verified = e2e::run({"openssl", "verify", "-CAfile", factory.pki() + "/factory_ca.pem", factory.pki() + "/local-ca.pem",
                                  factory.pki() + "/online-crt", factory.pki() + "/tls-crt"});
  EXPECT_EQ(verified.exit_code, 0) << verified.errors;
  EXPECT_EQ(factory.birthmark({"check", "--dir", factory.directory()}).exit_code, 0);

  const auto server = factory.serve();
  const e2e::Device device = e2e::Device::make();
  register_device(factory, *server, device);
  const auto chain = e2e::run({"openssl", "verify", "-CAfile", factory.pki() + "/factory_ca.pem", "-untrusted",
                               factory.pki() + "/local-ca.pem", (factory.scratch() / "client.pem").string()});
  EXPECT_EQ(chain.exit_code, 0) << chain.errors;
  for (const char* version : {"1.2", "1.3"}) {
    const auto answer = gateway(factory, *server, "/device", {"--tls-max", version});
    EXPECT_TRUE(answer.output.ends_with("\n200")) << version << answer.output << answer.errors << factory.log_text();
  }
  // RFC 7030 4.2.2: the same subject and key, by the current certificate.
  crypto::CsrSubject subject;
  subject.common_name = device.uuid;
  subject.organizational_unit = "acme";
  const auto request = decode_pem(*crypto::make_csr_pem(device.key, subject));
  e2e::write_text(factory.scratch() / "renewal", to_base64(request->front().contents));
  const auto renewed =
      gateway(factory, *server, "/.well-known/est/simplereenroll",
              {"--header", "Content-Type: application/pkcs10", "--data-binary", "@" + (factory.scratch() / "renewal").string()});
  EXPECT_TRUE(renewed.output.ends_with("\n201")) << renewed.output << renewed.errors;
  EXPECT_EQ(server->stop(), 0) << factory.log_text();
}

TEST(EveryKeyInTheToken, AnAbsentTokenIsA503WithARetryAndNoRestart) {
  const TokenFactory factory(BIRTHMARK_FAULTY_MODULE);
  const auto server = factory.serve();
  register_device(factory, *server, e2e::Device::make());
  factory.plan("* 1 1000000 return e0");  // CKR_TOKEN_NOT_PRESENT
  const e2e::Device device = e2e::Device::make();
  const std::string body = device.body();
  ASSERT_TRUE(e2e::wait_until([&] {
    const auto answer = e2e::post_sign(server->port(), e2e::Device::make().body());
    return answer && answer->status == 503;
  }));
  const auto away = e2e::post_sign(server->port(), body);
  ASSERT_TRUE(away.has_value());
  EXPECT_EQ(away->status, 503);
  EXPECT_FALSE(away->header("retry-after").empty());
  EXPECT_FALSE(away->message().empty());
  const auto check = factory.birthmark({"check", "--dir", factory.directory()});
  EXPECT_NE(check.output.find("the token 'fleet'"), std::string::npos) << check.output;
  EXPECT_EQ(factory.birthmark({"device", "list", "--dir", factory.directory(), "--format", "json"}).output.find(device.uuid),
            std::string::npos);
  factory.plan("");
  EXPECT_TRUE(e2e::wait_until(
      [&] {
        const auto answer = e2e::post_sign(server->port(), body);
        return answer && answer->status == 201;
      },
      milliseconds(5000)))
      << factory.log_text();
  EXPECT_EQ(server->stop(), 0);
}

// Whatever fails underneath: what a device got is in the registry, and what was refused is not.
TEST(EveryKeyInTheToken, NoCertificateLeavesUnrecordedOnABadDay) {
  const TokenFactory factory(BIRTHMARK_FAULTY_MODULE);
  const auto server = factory.serve();
  int registered = 0;
  for (const char* function : {"C_SignInit", "C_Sign", "C_OpenSession", "C_Login", "C_FindObjects", "C_GetTokenInfo"}) {
    for (int at = 1; at <= 3; ++at) {
      factory.plan(std::string("C_Sign 2 2 return 30\n") + function + " " + std::to_string(at) + " 1 return 5");
      std::vector<std::string> served;
      for (int round = 0; round < 4; ++round) {
        const e2e::Device device = e2e::Device::make();
        const auto answer = e2e::post_sign(server->port(), device.body());
        ASSERT_TRUE(answer.has_value()) << function;
        ASSERT_TRUE(answer->status == 201 || answer->status == 503) << answer->body;
        if (answer->status == 201) served.push_back(device.uuid);
      }
      registered += static_cast<int>(served.size());
      const std::string list = factory.birthmark({"device", "list", "--dir", factory.directory(), "--format", "json"}).output;
      for (const std::string& uuid : served) EXPECT_NE(list.find(uuid), std::string::npos) << function << at;
    }
  }
  const std::string list = factory.birthmark({"device", "list", "--dir", factory.directory(), "--format", "json"}).output;
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), registered);
  EXPECT_EQ(e2e::read_text(factory.scratch() / "logins").find("a0"), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
}

// ---- the PIN

// What a core dump would hold: every readable mapping that is not marked "dd" (MADV_DONTDUMP), read from outside.
bool dump_holds(pid_t pid, const std::string& text) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/smaps");
  std::ifstream memory("/proc/" + std::to_string(pid) + "/mem", std::ios::binary);
  std::uint64_t begin = 0, end = 0;
  bool readable = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string first, flags;
    words >> first >> flags;
    if (const std::size_t dash = first.find('-'); dash != std::string::npos && first.back() != ':') {
      begin = std::stoull(first.substr(0, dash), nullptr, 16);
      end = std::stoull(first.substr(dash + 1), nullptr, 16);
      readable = flags.starts_with("rw");
    }
    if (first != "VmFlags:" || !readable || line.find(" dd") != std::string::npos) continue;
    std::string block(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (block.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(ThePin, IsFoundNowhere) {
  const TokenFactory factory;
  const auto by_environment = factory.scratch() / "factory" / "birthmark.toml";
  std::string text = e2e::read_text(by_environment);
  const std::size_t at = text.find("pin_file = \"/");
  ASSERT_NE(at, std::string::npos);
  text.erase(at, text.find('\n', at) - at);
  e2e::write_text(by_environment, text);
  const auto server = factory.serve({std::string("BIRTHMARK_HSM_PIN=") + kPin});
  register_device(factory, *server, e2e::Device::make());
  const std::string process = "/proc/" + std::to_string(server->pid());
  EXPECT_EQ(e2e::read_text(process + "/environ").find(kPin), std::string::npos);
  EXPECT_EQ(e2e::read_text(process + "/cmdline").find(kPin), std::string::npos);
#if !__has_feature(address_sanitizer)  // whose runtime keeps a copy of the first environment
  EXPECT_FALSE(dump_holds(server->pid(), kPin));
#endif
  EXPECT_TRUE(dump_holds(server->pid(), "local-ca")) << "the search itself finds nothing";
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(factory.log_text().find(kPin), std::string::npos);
}

TEST(ThePin, AsALiteralOptionIsRefusedAndNotRepeated) {
  const TokenFactory factory;
  const auto refused = factory.birthmark({"ca", "rotate-tls", factory.pki(), "--csr-dir", factory.directory() + "/csr", "--hsm-module",
                                          kSoftHsm, "--hsm-token-label", "fleet", "--hsm-pin", kPin});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.errors.find("file:PATH"), std::string::npos) << refused.errors;
  EXPECT_EQ(refused.errors.find(kPin), std::string::npos);
}

TEST(ThePin, ThatIsWrongIsTriedOnceHoweverOftenTheServerIsStarted) {
  const TokenFactory factory(BIRTHMARK_FAULTY_MODULE);
  e2e::write_text(factory.scratch() / "logins", "");
  const auto pin_file = factory.house().pin_file();
  e2e::write_text(pin_file, "00000000\n");
  for (int start = 0; start < 3; ++start) {
    const auto check = factory.birthmark({"check", "--dir", factory.directory()});
    EXPECT_EQ(check.exit_code, 1);
    EXPECT_NE(check.output.find("refuse"), std::string::npos) << check.output;
  }
  const std::string logins = e2e::read_text(factory.scratch() / "logins");
  EXPECT_EQ(std::count(logins.begin(), logins.end(), '\n'), 1) << logins;
  e2e::write_text(pin_file, std::string(kPin) + "\n");
  EXPECT_EQ(factory.birthmark({"check", "--dir", factory.directory()}).exit_code, 0);
}

// ---- what check says

TEST(Check, ExplainsATokensStateInPlainWords) {
  const TokenFactory factory;
  const auto says = [&](const std::string& from, const std::string& to, const std::string& words) {
    factory.replace(from, to);
    const auto check = factory.birthmark({"check", "--dir", factory.directory()});
    EXPECT_EQ(check.exit_code, 1) << words;
    EXPECT_NE(check.output.find(words), std::string::npos) << check.output << check.errors;
    factory.replace(to, from);
  };
  says("module = \"/usr", "module = \"/nowhere/usr", "there is no PKCS#11 module /nowhere/usr");
  says("token = \"fleet\"", "token = \"fleed\"", "the token 'fleed' is not there; there are: 'fleet'");
  says("tls_key = \"pkcs11:object=tls\"", "tls_key = \"pkcs11:object=tsl\"", "the key 'tsl' is not in the token; it holds the keys:");
  says("tls_key = \"pkcs11:object=tls\"", "tls_key = \"pkcs11:object=root-ca\"", "is for another key");
  EXPECT_EQ(factory.birthmark({"check", "--dir", factory.directory()}).exit_code, 0);
}

}  // namespace
}  // namespace birthmark::hsm
