// SPDX-License-Identifier: Apache-2.0
// The gateway as devices meet it (protocol facts, gateway 1 to 3), with curl as the client: one test for each row or rule.
#include "gateway_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace birthmark::conformance {
namespace {

using testing::CertificateSpec;
using testing::make_authority;
using testing::make_certificate;

GatewayServer& gateway() {
  static GatewayServer server;
  return server;
}

// --- first contact ---------------------------------------------------------------------------------------------------------------------

TEST(GatewayContact, TheVendorsLastCheckWorksOnAFreshFactory) {
  const GatewayDevice device = gateway().make_device();
  for (const char* path : {"/repo/1.root.json", "/repo/root.json", "/repo/targets.json"}) {
    const auto answer = gateway().get(device, path);
    EXPECT_EQ(answer.status, 200) << path << answer.body;
    EXPECT_TRUE(boost::json::parse(answer.body).as_object().contains("signed")) << path;
    EXPECT_EQ(answer.header("x-ats-role-checksum").size(), 64U);
  }
  EXPECT_EQ(gateway().status_of(device), "active");  // that request made the device
}

TEST(GatewayContact, ARegisteredDeviceComesInAndItsCertificateWasSeen) {
  const GatewayDevice device = gateway().register_device();
  EXPECT_EQ(gateway().get(device, "/device").status, 200);
  EXPECT_EQ(gateway().get_with_chain(device, "/device").status, 200);
}

TEST(GatewayContact, TwoHundredFirstContactsAreOneDevice) {
  const GatewayDevice device = gateway().make_device();
  std::atomic<int> served = 0;
  std::vector<std::thread> crowd;
  for (int i = 0; i < 10; ++i) {
    crowd.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        if (gateway().get(device, "/device").status == 200) ++served;
      }
    });
  }
  for (std::thread& thread : crowd) thread.join();
  EXPECT_EQ(served, 200);
  EXPECT_EQ(gateway().count(device.uuid), 1);
}

TEST(GatewayContact, WithoutACertificateTheDoorStaysShut) {
  const auto answer = gateway().get({}, "/device");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.member("code"), "no_certificate");
}

struct BadCertificate {
  std::string name;
  std::function<testing::TestCertificate(GatewayServer&)> make;
  int status;
  std::string code;
};

CertificateSpec named(std::vector<std::pair<std::string, std::string>> subject) {
  CertificateSpec spec = testing::device_spec("x", "acme");
  spec.subject = std::move(subject);
  return spec;
}

class GatewayRefusal : public ::testing::TestWithParam<BadCertificate> {};

TEST_P(GatewayRefusal, SaysWhyAndMakesNothing) {
  const auto devices = [] {  // by number: when they were last seen is written behind their answers
    const std::string rows = gateway().factory().command({"device", "list", "--format", "json"});
    return std::count(rows.begin(), rows.end(), '\n');
  };
  const auto before = devices();
  GatewayDevice device;
  device.certificate = GetParam().make(gateway());
  gateway().keep(device);
  const auto answer = gateway().get(device, "/device");
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(answer.member("code"), GetParam().code) << answer.body;
  EXPECT_NE(answer.message(), "");
  EXPECT_EQ(devices(), before);
  EXPECT_NE(gateway().process().log_text().find("check=" + GetParam().code), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Certificates, GatewayRefusal,
    ::testing::Values(
        BadCertificate{"DotDot", [](GatewayServer& s) { return make_certificate(named({{"CN", ".."}, {"OU", "acme"}}), &s.local_ca()); },
                       403, "bad_device_id"},
        BadCertificate{"Climbing",
                       [](GatewayServer& s) { return make_certificate(named({{"CN", "../../pwned"}, {"OU", "acme"}}), &s.local_ca()); },
                       403, "bad_device_id"},
        BadCertificate{
            "TenKilobytes",
            [](GatewayServer& s) { return make_certificate(named({{"CN", std::string(10'000, 'x')}, {"OU", "acme"}}), &s.local_ca()); },
            403, "bad_device_id"},
        BadCertificate{"NoName", [](GatewayServer& s) { return make_certificate(named({{"OU", "acme"}}), &s.local_ca()); }, 403,
                       "bad_device_id"},
        BadCertificate{"EmptyName", [](GatewayServer& s) { return make_certificate(named({{"CN", ""}, {"OU", "acme"}}), &s.local_ca()); },
                       403, "bad_device_id"},
        BadCertificate{"OtherFactory",
                       [](GatewayServer& s) { return make_certificate(named({{"CN", "dev-1"}, {"OU", "other"}}), &s.local_ca()); }, 403,
                       "wrong_factory"},
        BadCertificate{"NoFactory", [](GatewayServer& s) { return make_certificate(named({{"CN", "dev-1"}}), &s.local_ca()); }, 403,
                       "wrong_factory"},
        BadCertificate{
            "TwoFactories",
            [](GatewayServer& s) { return make_certificate(named({{"CN", "dev-1"}, {"OU", "acme"}, {"OU", "other"}}), &s.local_ca()); },
            403, "wrong_factory"},
        BadCertificate{"UnderTheRoot",
                       [](GatewayServer& s) { return make_certificate(named({{"CN", "dev-1"}, {"OU", "acme"}}), &s.root()); }, 403,
                       "issued_by_root"},
        BadCertificate{"TheCaItself", [](GatewayServer& s) { return s.local_ca(); }, 403, "is_authority"},
        BadCertificate{"ServerOnly",
                       [](GatewayServer& s) {
                         CertificateSpec spec = named({{"CN", "dev-1"}, {"OU", "acme"}});
                         spec.extensions = {{"keyUsage", "critical,digitalSignature"}, {"extendedKeyUsage", "serverAuth"}};
                         return make_certificate(spec, &s.local_ca());
                       },
                       403, "certificate_profile"}),
    [](const auto& instance) { return instance.param.name; });

TEST(GatewayContact, CertificatesInUseByTheVendorsRecipesComeIn) {
  CertificateSpec ca_shaped = named({{"CN", "recipe-1"}, {"OU", "acme"}});
  ca_shaped.extensions = {{"keyUsage", "critical,keyCertSign"}, {"basicConstraints", "critical,CA:TRUE,pathlen:0"}};
  CertificateSpec bare = named({{"CN", "recipe-2"}, {"OU", "acme"}});
  bare.extensions = {};
  CertificateSpec agreement = named({{"CN", "recipe-3"}, {"OU", "acme"}});
  agreement.extensions = {{"keyUsage", "critical,digitalSignature,keyAgreement"}, {"extendedKeyUsage", "critical,clientAuth"}};
  CertificateSpec large = named({{"CN", "recipe-4"}, {"OU", "acme"}});
  large.curve = "P-384";
  for (const CertificateSpec& spec : {ca_shaped, bare, agreement, large}) {
    GatewayDevice device;
    device.certificate = make_certificate(spec, &gateway().local_ca());
    gateway().keep(device);
    EXPECT_EQ(gateway().get(device, "/device").status, 200) << spec.subject.front().second;
  }
}

TEST(GatewayContact, ADeviceThatIsACaMintsNoDevices) {
  CertificateSpec ca_shaped = named({{"CN", "minter"}, {"OU", "acme"}});
  ca_shaped.extensions = {{"keyUsage", "critical,keyCertSign,digitalSignature"}, {"basicConstraints", "critical,CA:TRUE"}};
  const auto minter = make_certificate(ca_shaped, &gateway().local_ca());
  GatewayDevice minted;
  minted.certificate = make_certificate(named({{"CN", "minted"}, {"OU", "acme"}}), &minter);
  gateway().keep(minted);
  EXPECT_EQ(gateway().get(minted, "/device").status, 0);  // a TLS alert: no HTTP answer
  EXPECT_EQ(gateway().count("minted"), 0);
}

TEST(GatewayContact, DatesAndStrangersGetATlsAlert) {
  CertificateSpec spec = named({{"CN", "late"}, {"OU", "acme"}});
  spec.from = std::chrono::hours(-48);
  spec.to = std::chrono::hours(-24);
  GatewayDevice device;
  device.certificate = make_certificate(spec, &gateway().local_ca());
  gateway().keep(device);
  EXPECT_EQ(gateway().get(device, "/device").status, 0);
  const auto strange_ca = make_authority("fio-acme", "acme");
  device.certificate = make_certificate(named({{"CN", "stranger"}, {"OU", "acme"}}), &strange_ca);
  gateway().keep(device);
  EXPECT_EQ(gateway().get(device, "/device").status, 0);
  EXPECT_NE(gateway().process().log_text().find("certificate has expired"), std::string::npos);
}

TEST(GatewayContact, AnotherKeyForAKnownDeviceIsAConflict) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  const GatewayDevice impostor = gateway().make_device(device.uuid);
  const auto answer = gateway().get(impostor, "/device");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.member("code"), "key_conflict");
  EXPECT_EQ(gateway().get(device, "/device").status, 200);
}

TEST(GatewayContact, ADeniedDeviceIsOutAtOnceAndForgottenOnceAllowed) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  gateway().factory().command({"device", "deny", device.uuid, "--reason", "stolen"});
  const auto refused = gateway().get(device, "/config");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.member("code"), "denied");
  gateway().factory().command({"device", "allow", device.uuid, "--reason", "found"});
  const GatewayDevice reborn = gateway().make_device(device.uuid);
  EXPECT_EQ(gateway().get(reborn, "/device").status, 200);
  EXPECT_EQ(gateway().get(device, "/device").status, 409);
}

// With the certificate it always had: an operator may be wrong about a device more than once.
TEST(GatewayContact, ADeviceComesBackAsOftenAsItIsAllowed) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  for (int round = 1; round <= 4; ++round) {
    gateway().factory().command({"device", "deny", device.uuid, "--reason", "stolen"});
    EXPECT_EQ(gateway().get(device, "/device").status, 403) << round;
    gateway().factory().command({"device", "allow", device.uuid, "--reason", "found"});
    EXPECT_EQ(gateway().get(device, "/device").status, 200) << round;
  }
}

// --- endpoints ---------------------------------------------------------------------------------------------------------------------------

TEST(GatewayEndpoints, DeviceHasTheKeysOfEveryClient) {
  const GatewayDevice device = gateway().make_device();
  const auto answer = gateway().get(device, "/device", {"x-ats-tags: main", "x-ats-target: t-7"});
  ASSERT_EQ(answer.status, 200);
  const auto object = boost::json::parse(answer.body).as_object();
  for (const char* key : {"Name", "name", "uuid", "factory", "owner", "repo_id", "created_at", "last_seen", "pubkey", "tag", "is_prod",
                          "docker_apps", "group_name", "ostree_hash", "target_name", "update_name"})
    EXPECT_TRUE(object.contains(key)) << key;
  EXPECT_EQ(object.at("uuid").as_string(), device.uuid);
  EXPECT_EQ(object.at("tag").as_string(), "main");
  EXPECT_EQ(object.at("target_name").as_string(), "t-7");
  EXPECT_EQ(object.at("pubkey").as_string(), device.certificate.public_key_pem);
  // Absent headers keep, an empty one clears.
  const auto later = boost::json::parse(gateway().get(device, "/device", {"x-ats-tags;"}).body).as_object();
  EXPECT_EQ(later.at("tag").as_string(), "");
  EXPECT_EQ(later.at("target_name").as_string(), "t-7");
}

TEST(GatewayEndpoints, ReportsAreTakenWithTheirOwnCodes) {
  const GatewayDevice device = gateway().make_device();
  const auto send = [&](const char* method, const char* path, const std::string& body) {
    return gateway().send(device, method, path, body).status;
  };
  EXPECT_EQ(send("PUT", "/system_info", "{\"id\": \"board\"}"), 200);
  EXPECT_EQ(send("PUT", "/system_info", std::string(300'000, ' ') + "{}"), 200);
  EXPECT_EQ(send("PUT", "/system_info", std::string((1U << 20U) + 1, 'x')), 413);
  EXPECT_EQ(send("PUT", "/system_info/network", R"({"hostname":"h","mac":"m","local_ipv4":"10.0.0.2/24"})"), 200);
  EXPECT_EQ(send("PUT", "/system_info/network", R"({"hostname":7})"), 400);
  EXPECT_EQ(send("PUT", "/system_info/config", "[pacman]\ntags = \"main\"\n"), 200);
  EXPECT_EQ(send("POST", "/apps-states", R"({"deviceTime":"2026-11-20T10:00:00Z","apps":{}})"), 200);
  EXPECT_EQ(send("POST", "/apps-states", R"({"deviceTime":"yesterday"})"), 400);
  EXPECT_EQ(send("PUT", "/ecus", R"({"serial":{"target":"t","hwid":"h"}})"), 200);
  EXPECT_EQ(send("POST", "/events", R"([{"id":"1","eventType":{"id":"Generate new certificate","version":0}}])"), 200);
  EXPECT_EQ(send("POST", "/events", "{}"), 400);
  EXPECT_EQ(send("POST", "/events", "[{\"x\": \"" + std::string(20'000, 'x') + "\"}]"), 413);
  EXPECT_EQ(send("DELETE", "/device", ""), 405);
  EXPECT_EQ(send("GET", "/nothing", ""), 404);
  EXPECT_EQ(send("POST", "/ostree/download-urls", "null"), 204);
}

TEST(GatewayEndpoints, TestsAreBegunFilledAndFinished) {
  const GatewayDevice device = gateway().make_device();
  const auto begun = gateway().send(device, "POST", "/tests", R"({"name":"boot"})");
  EXPECT_EQ(begun.status, 201);
  EXPECT_EQ(begun.header("content-type"), "text/plain");
  const std::string id = begun.body;
  const auto finished = gateway().send(device, "PUT", "/tests/" + id, R"({"status":"PASSED","artifacts":["console.log"]})");
  EXPECT_EQ(finished.status, 200);
  EXPECT_TRUE(boost::json::parse(finished.body).as_object().contains("console.log"));
  EXPECT_EQ(gateway().send(device, "PUT", "/tests/" + id + "/console.log", std::string(100'000, 'l')).status, 200);
  EXPECT_EQ(gateway().send(device, "PUT", "/tests/another-test-id-0/x", "l").status, 404);
  EXPECT_EQ(gateway().send(device, "POST", "/tests", R"({"name":"x","test-id":"../../../../../x"})").status, 400);
}

TEST(GatewayEndpoints, NothingLeadsOutOfTheRepository) {
  const GatewayDevice device = gateway().make_device();
  for (const char* path : {"/repo/../keys/root.key", "/repo/..%2fkeys%2froot.key", "/repo/.hidden", "/repo//etc/passwd", "/repo/x/y"})
    EXPECT_EQ(gateway().get(device, path, {}, {"--path-as-is"}).status, 404) << path;
  EXPECT_EQ(gateway().get(device, "/repo/targets.json", {"x-ats-tags: ../../keys"}).status, 200);
}

// --- configuration
// -------------------------------------------------------------------------------------------------------------------------

TEST(GatewayConfig, InitStepsAreStoredAndDeliveredInTheSameRun) {
  const GatewayDevice device = gateway().make_device();
  EXPECT_EQ(gateway().get(device, "/config").status, 204);
  const auto patched = gateway().send(
      device, "PATCH", "/config",
      R"({"reason":"init","files":[{"name":"fio-remote-actions","value":"diag,reboot","unencrypted":true}],"public-key":""})");
  EXPECT_EQ(patched.status, 201) << patched.body;
  const auto config = gateway().get(device, "/config");
  ASSERT_EQ(config.status, 200);
  EXPECT_EQ(config.body, R"({"fio-remote-actions":{"Value":"diag,reboot","Unencrypted":true}})");
  const std::string date = config.header("date");
  EXPECT_TRUE(date.ends_with(" GMT"));
  EXPECT_EQ(gateway().get(device, "/config", {"If-Modified-Since: " + date}).status, 304);
  EXPECT_EQ(gateway().get(device, "/config", {"If-Modified-Since: " + date.substr(0, date.size() - 3) + "UTC"}).status, 304);
  // A second change within the same second is delivered too (protocol facts, gateway 3.1).
  EXPECT_EQ(
      gateway().send(device, "PATCH", "/config", R"({"files":[{"name":"fio-remote-actions","value":"diag","unencrypted":true}]})").status,
      201);
  EXPECT_EQ(gateway().get(device, "/config", {"If-Modified-Since: " + date}).status, 200);
  EXPECT_EQ(gateway().get(device, "/config-device").status, 200);
}

TEST(GatewayConfig, ADeviceSetsOnlyItsOwnInitFiles) {
  const GatewayDevice device = gateway().make_device();
  const auto patch = [&](const std::string& body) { return gateway().send(device, "PATCH", "/config", body).status; };
  EXPECT_EQ(patch(R"({"files":[{"name":"z-50-fioctl.toml","value":"x","unencrypted":true}]})"), 403);
  EXPECT_EQ(patch(R"({"files":[{"name":"../x","value":"x","unencrypted":true}]})"), 400);
  EXPECT_EQ(patch("nonsense"), 400);
  EXPECT_EQ(gateway().get(device, "/config").status, 204);
}

// --- keys and EST (protocol facts, gateway 3.6)
// --------------------------------------------------------------------------------------------

TEST(GatewayRotation, AnAnnouncedKeyTakesOverAtItsFirstUse) {
  const GatewayDevice device = gateway().make_device();
  ASSERT_EQ(gateway().get(device, "/device").status, 200);
  const GatewayDevice next = gateway().make_device(device.uuid);  // renewed elsewhere, by another EST server
  EXPECT_EQ(gateway().get(next, "/device").status, 409);
  const std::string announcement = boost::json::serialize(boost::json::object{{"next_pubkey", next.certificate.public_key_pem}});
  EXPECT_EQ(gateway().send(device, "PATCH", "/device", "{}").status, 400);
  EXPECT_EQ(gateway().send(device, "PATCH", "/device", announcement).status, 200);
  EXPECT_EQ(gateway().get(device, "/device").status, 200);  // still good: the device may lose its power here
  EXPECT_EQ(gateway().get(next, "/device").status, 200);
  EXPECT_EQ(gateway().get(device, "/device").status, 409);
  EXPECT_EQ(gateway().count(device.uuid), 1);
}

TEST(GatewayRotation, EstRenewsWithAnotherKeyInBothDialects) {
  for (const auto& [label, status, type] :
       {std::tuple{"", 201, "application/pkcs7-mime"}, {"rfc/", 200, "application/pkcs7-mime; smime-type=certs-only"}}) {
    const GatewayDevice device = gateway().register_device();
    GatewayDevice next = gateway().request_renewal(device);
    const auto answer = gateway().renew(device, next, label);
    ASSERT_EQ(answer.status, status) << answer.body;
    EXPECT_EQ(answer.header("content-type"), type);
    // The answer was lost: the device asks once more and gets the same.
    EXPECT_EQ(gateway().renew(device, next, label).body, answer.body);
    gateway().take_certificate(next, answer);
    EXPECT_EQ(gateway().get(device, "/config").status, 204);
    EXPECT_EQ(gateway().get(next, "/config").status, 204);
    EXPECT_EQ(gateway().get(device, "/config").status, 409);
    EXPECT_EQ(gateway().count(device.uuid), 1);
  }
  EXPECT_EQ(gateway().factory().birthmark({"audit", "verify", "--dir", gateway().factory().directory()}).exit_code, 0);
}

TEST(GatewayRotation, EstRefusesWhatIsNotTheDevicesOwnRequest) {
  const GatewayDevice device = gateway().register_device();
  const GatewayDevice other = gateway().register_device();
  const auto est = [&](const GatewayDevice& who, const std::string& body, const std::string& type) {
    return gateway().send(who, "POST", "/.well-known/est/simplereenroll", body, {"Content-Type: " + type}).status;
  };
  const GatewayDevice next = gateway().request_renewal(device);
  EXPECT_EQ(est(other, next.request_base64, "application/pkcs10"), 400);  // another subject
  EXPECT_EQ(est(device, "nonsense", "application/pkcs10"), 400);
  EXPECT_EQ(est(device, next.request_base64, "text/plain"), 415);
  EXPECT_EQ(est(device, std::string(20'000, 'A'), "application/pkcs10"), 413);
  EXPECT_EQ(est({}, next.request_base64, "application/pkcs10"), 403);
  EXPECT_EQ(gateway().get({}, "/.well-known/est/cacerts").status, 200);
  EXPECT_EQ(gateway().get({}, "/.well-known/est/csrattrs").status, 204);
  EXPECT_EQ(gateway().get({}, "/.well-known/est/serverkeygen").status, 404);
}

}  // namespace
}  // namespace birthmark::conformance
