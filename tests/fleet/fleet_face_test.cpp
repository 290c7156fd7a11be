// SPDX-License-Identifier: Apache-2.0
// What fioctl and a browser ask of the resources around devices, and what they are told (protocol facts, Foundries 0.6, 1.12 and 2).
#include "core/access_keeper.h"
#include "test_fleet_face.h"

namespace birthmark::testing {
namespace {

namespace json = boost::json;

class Fleet : public ::testing::Test {
 protected:
  static std::string text(const json::value& value, std::string_view name) {
    const json::value* found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  }
  std::string names(const std::string& query) {
    std::string all;
    const auto answer = face.ask("GET", "/ota/devices/?" + query);
    EXPECT_EQ(answer.status, 200) << answer.text;
    if (answer.status != 200) return all;
    for (const json::value& device : answer.body.at("devices").as_array()) all += text(device, "name") + " ";
    return all;
  }
  TestFleetFace face;
};

TEST_F(Fleet, Foundries21ListsAreFilteredSortedAndPaged) {
  face.fleet.add(1, "b");
  face.fleet.add(2, "a", "lab");
  face.fleet.add(3, "c", "", true);
  EXPECT_EQ(names("factory=factory-a&limit=500"), "a b c ");
  EXPECT_EQ(names("sortby=-name"), "c b a ");
  EXPECT_EQ(names("group=lab"), "a ");
  EXPECT_EQ(names("prod=1"), "c ");
  EXPECT_EQ(names("prod=0"), "a b ");
  EXPECT_EQ(names("name=%5Bab%5D"), "a b ");
  EXPECT_EQ(names("uuid=" + sample_uuid(3)), "c ");
  EXPECT_EQ(names("uuid=" + sample_uuid(3).substr(0, 6) + "*"), "c ");
  EXPECT_EQ(names("mine=1"), "a b c ") << "nobody's devices are the owner's";
  EXPECT_EQ(names("page=2&limit=2"), "c ");
  const auto first = face.ask("GET", "/ota/devices/?limit=2");
  EXPECT_EQ(first.body.at("total").to_number<int>(), 3);
  const std::string next = text(first.body, "next");
  ASSERT_FALSE(next.empty());
  face.fleet.add(4, "aa");  // before the place where the next page begins: it does not move it
  EXPECT_EQ(text(face.ask("GET", next).body.at("devices").at(0), "name"), "c");
  EXPECT_TRUE(face.ask("GET", next).body.at("next").is_null());
  for (const char* bad : {"page=0", "page=x", "limit=1001", "limit=-1", "sortby=colour", "prod=2", "after=x", "after=1.!"})
    EXPECT_EQ(face.ask("GET", std::string("/ota/devices/?") + bad).status, 400) << bad;
  EXPECT_EQ(face.ask("GET", "/ota/devices/?factory=other").status, 404);
}

TEST_F(Fleet, Foundries21TagsAndTargetsAreWhatDevicesSaid) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto identity = face.fleet.add(i, "d" + std::to_string(i));
    core::FieldAppend state;
    state.key = core::device_field(identity, "state");
    state.bodies = {std::string(R"({"tag":"main,)") + (i == 2 ? "lab" : "x") + R"(","target":"lmp-)" + std::to_string(i) + "\"}"};
    ASSERT_TRUE(run_task(face.fleet.registry().field().append(state)));
  }
  EXPECT_EQ(names("match_tag=main"), "d1 d2 d3 ");
  EXPECT_EQ(names("match_tag=lab"), "d2 ");
  EXPECT_EQ(names("target_name=lmp-3"), "d3 ");
  EXPECT_EQ(names("match_tag=main&limit=2&page=2"), "d3 ");
  const auto first = face.ask("GET", "/ota/devices/?match_tag=main&limit=2");
  EXPECT_EQ(text(face.ask("GET", text(first.body, "next")).body.at("devices").at(0), "name"), "d3");
}

TEST_F(Fleet, Foundries21ADeviceIsRenamedGroupedGivenAwayDeletedAndLetBack) {
  face.fleet.add(1, "old");
  face.fleet.add(2, "taken");
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/old/?factory=factory-a", R"({"name":"taken"})").status, 409);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/old/?factory=factory-a", R"({"name":"new"})").status, 200);
  EXPECT_EQ(face.ask("GET", "/ota/devices/old/").status, 404);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/new/", R"({"group":"nowhere"})").status, 400);
  EXPECT_EQ(face.ask("POST", "/ota/factories/factory-a/device-groups/", R"({"name":"lab"})").status, 201);
  EXPECT_EQ(face.ask("POST", "/ota/factories/factory-a/device-groups/", R"({"name":"lab"})").status, 409);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/" + sample_uuid(1) + "/?by-uuid=1", R"({"group":"lab"})").status, 200);
  EXPECT_EQ(face.ask("DELETE", "/ota/factories/factory-a/device-groups/lab/").status, 409);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/new/", R"({"owner":"nobody"})").status, 400);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/new/", R"({"owner":"owner-1"})").status, 200);
  EXPECT_EQ(face.ask("PATCH", "/ota/devices/new/", "{}").status, 400);
  EXPECT_EQ(face.ask("DELETE", "/ota/devices/new/?factory=factory-a").status, 200);
  EXPECT_EQ(face.ask("GET", "/ota/devices/" + sample_uuid(1) + "/?by-uuid=1").status, 404);
  const auto denied = face.ask("GET", "/ota/factories/factory-a/denied-devices/?limit=500&page=1");
  ASSERT_EQ(denied.body.at("devices").as_array().size(), 1U);
  EXPECT_EQ(text(denied.body.at("devices").at(0), "uuid"), sample_uuid(1));
  EXPECT_EQ(text(denied.body.at("devices").at(0), "factory"), "factory-a");
  EXPECT_TRUE(denied.body.at("next").is_null());
  EXPECT_EQ(face.ask("DELETE", "/ota/factories/factory-a/denied-devices/" + sample_uuid(2) + "/").status, 404);
  EXPECT_EQ(face.ask("DELETE", "/ota/factories/factory-a/denied-devices/" + sample_uuid(1) + "/").status, 200);
  EXPECT_EQ(good(face.fleet.registry().find(sample_identity(1)))->status, core::DeviceStatus::released) << "it is forgotten";
}

TEST_F(Fleet, Foundries21TwoDevicesOfOneNameAreToldApartById) {
  face.fleet.add(1, "twin");
  face.fleet.add(2, "twin");
  EXPECT_EQ(face.ask("DELETE", "/ota/devices/twin/").status, 409);
  EXPECT_EQ(face.ask("DELETE", "/ota/devices/" + sample_uuid(2) + "/?by-uuid=1").status, 200);
  EXPECT_EQ(face.ask("DELETE", "/ota/devices/twin/").status, 200);
}

TEST_F(Fleet, Gateway32ConfigurationIsKeptAsTheGatewayDeliversIt) {
  const auto identity = face.fleet.add(1, "dev");
  const std::string path = "/ota/devices/dev/config/";
  const std::string secret = to_base64(Bytes(120, 0x04));
  EXPECT_EQ(face.ask("PATCH", path, R"({"reason":"r","files":[{"name":"a","value":"clear"}]})").status, 400)
      << "a value that no device could decrypt would stop all of its configuration";
  EXPECT_EQ(face.ask("PATCH", path, R"({"reason":"r","files":[{"name":"../a","value":"x","unencrypted":true}]})").status, 400);
  EXPECT_EQ(face.ask("PATCH", path, R"({"reason":"r1","files":[{"name":"a","value":")" + secret + "\"}]}").status, 201);
  EXPECT_EQ(face.ask("PATCH", path, R"({"reason":"r2","files":[{"name":"b","value":"t","unencrypted":true,"on-changed":["/x"]}]})").status,
            201);
  core::DeviceConfigs configs(face.fleet.registry().field());
  const auto delivered = good(run_task(configs.deliver(identity, "")));
  EXPECT_EQ(delivered.json, R"({"a":{"Value":")" + secret + R"("},"b":{"Value":"t","Unencrypted":true,"OnChanged":["/x"]}})");
  const auto history = face.ask("GET", path);
  EXPECT_EQ(history.body.at("total").to_number<int>(), 2);
  EXPECT_EQ(text(history.body.at("config").at(0), "reason"), "r2");
  EXPECT_EQ(text(history.body.at("config").at(0), "created-by"), "owner-1");
  EXPECT_NE(text(history.body.at("config").at(0), "applied-at"), "");
  EXPECT_EQ(text(history.body.at("config").at(1), "applied-at"), "");
  EXPECT_EQ(face.ask("DELETE", path + "a/").status, 200);
  EXPECT_EQ(face.ask("DELETE", path + "a/").status, 404);
  EXPECT_EQ(face.ask("POST", path, R"({"reason":"all new","files":[]})").status, 201);
  EXPECT_EQ(good(configs.current(core::device_config(identity))).files.size(), 0U);
  EXPECT_EQ(face.ask("PATCH", "/ota/factories/factory-a/config/", R"({"reason":"f","files":[{"name":"c","value":"all"}]})").status, 201);
  EXPECT_TRUE(good(configs.current(core::factory_config("factory-a"))).files.at("c").unencrypted) << "one key cannot serve all devices";
  EXPECT_EQ(face.ask("GET", "/ota/factories/factory-a/device-groups/none/config/").status, 404);
}

TEST_F(Fleet, Foundries23ScopesAreNeededAndMistakesSlowTheGuesserAlone) {
  face.fleet.add(1, "dev");
  const std::string reader = face.make_token("devices:read");
  const auto as = [&](const std::string& token, const std::string& method, const std::string& address = "192.0.2.1") {
    const std::string path = method == "GET" ? "/ota/devices/" : "/ota/devices/dev/";
    return face.send(method, path, "", {{"Authorization", "Bearer " + token}}, "", address).status;
  };
  EXPECT_EQ(as(reader, "GET"), 200);
  EXPECT_EQ(as(to_base64(as_bytes(reader)), "GET"), 200);
  EXPECT_EQ(as(reader, "DELETE"), 403);
  int last = 0;
  for (int i = 0; i < 30; ++i) last = as("guess", "GET", "198.51.100.7");
  EXPECT_EQ(last, 429);
  EXPECT_EQ(as(reader, "GET", "198.51.100.7"), 200) << "a good token is good from there, too";
  EXPECT_EQ(as("guess", "GET", "198.51.100.8"), 401);
}

TEST_F(Fleet, Foundries112UsersAndTheirTokens) {
  EXPECT_EQ(text(face.ask("GET", "/ota/factories/factory-a/users/self/").body, "polis-id"), "owner-1");
  core::AccessKeeper keeper(face.fleet.registry().api_access(), kFleetCodec, face.clock, *face.random);
  core::UserRecord wanted;
  wanted.factory = "factory-a";
  wanted.id = "worker";
  wanted.name = "A Worker";
  ASSERT_TRUE(run_task(keeper.add_user(wanted, {"a test", "tester"})));
  const std::string owners = face.token;
  face.token = face.make_token("devices:read");
  const std::string id = to_hex(kFleetCodec.sha256(as_bytes(face.token)).view()).substr(0, 10);
  ASSERT_TRUE(run_task(face.fleet.registry().api_access().set_token_user(id, "worker")));
  const auto self = face.ask("GET", "/ota/factories/factory-a/users/self/");
  EXPECT_EQ(text(self.body, "polis-id"), "worker");
  EXPECT_EQ(text(self.body, "role"), "member");
  EXPECT_EQ(json::serialize(self.body.at("effective-scopes")), R"(["factory-a:devices:read"])");
  EXPECT_EQ(face.ask("GET", "/ota/factories/factory-a/users/").body.as_array().size(), 2U);
  ASSERT_TRUE(run_task(face.fleet.registry().append_audit("{}")));  // behind the note of its use
  EXPECT_TRUE(good(face.fleet.registry().api_access().token_note(id)).last_used_at);
  ASSERT_TRUE(run_task(keeper.remove_user("factory-a", "worker", {"a test", "tester"})));
  EXPECT_EQ(face.ask("GET", "/ota/factories/factory-a/users/").status, 401) << "his token ended with him";
  face.token = owners;
  EXPECT_EQ(face.ask("GET", "/ota/factories/factory-a/users/worker/").status, 404);
}

// --- the device flow over HTTP ---------------------------------------------------------------------------------------------------------

class Approval : public Fleet {
 protected:
  void begin() {
    const auto asked = face.form("/oauth/authorization/device/", "client_id=device-1&scope=factory-a:devices:create");
    ASSERT_EQ(asked.status, 200) << asked.text;
    device_code = text(asked.body, "device_code");
    user_code = text(asked.body, "user_code");
  }
  TestFleetFace::Answer poll() {
    return face.form("/oauth/token/", "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=" + device_code +
                                          "&client_id=device-1&scope=factory-a:devices:create");
  }
  // The cookie of a login with `token`.
  std::string log_in(const std::string& token) {
    const auto answer = face.form("/oauth/device", "action=login&user_code=" + user_code + "&token=" + token);
    const std::string set = answer.header("Set-Cookie");
    return set.substr(0, set.find(';'));
  }
  static std::string proof_on(const std::string& page) {
    const std::string mark = "name=\"proof\" value=\"";
    const std::size_t at = page.find(mark);
    return at == std::string::npos ? std::string() : page.substr(at + mark.size(), 64);
  }
  std::string device_code, user_code;
};

TEST_F(Approval, Rfc8628InTheWordsOfLmpDeviceRegister) {
  begin();
  const auto pending = poll();
  EXPECT_EQ(pending.status, 400);
  EXPECT_EQ(text(pending.body, "error"), "authorization_pending");
  const std::string cookie = log_in(face.make_token("devices:create"));
  ASSERT_FALSE(cookie.empty());
  const auto page = face.send("GET", "/oauth/device?user_code=" + user_code, "", {{"Cookie", cookie}});
  ASSERT_EQ(page.status, 200);
  for (const char* shown : {"device-1", "192.0.2.1", "factory-a", "Approve", "Refuse"}) EXPECT_NE(page.text.find(shown), std::string::npos);
  EXPECT_EQ(page.text.find("<script"), std::string::npos);
  const auto done =
      face.form("/oauth/device", "action=approve&user_code=" + user_code + "&proof=" + proof_on(page.text), {{"Cookie", cookie}});
  EXPECT_EQ(done.status, 200) << done.text;
  const auto token = poll();
  ASSERT_EQ(token.status, 200) << token.text;
  EXPECT_EQ(token.header("Cache-Control"), "no-store");
  const std::string bearer = "Bearer " + to_base64(as_bytes(text(token.body, "access_token")));
  EXPECT_EQ(face.send("GET", "/ota/devices/", "", {{"Authorization", bearer}}).status, 403) << "it may create, not read";
  EXPECT_EQ(text(face.send("GET", "/ota/factories/factory-a/users/self/", "", {{"Authorization", bearer}}).body, "polis-id"), "owner-1");
}

TEST_F(Approval, NobodyDecidesForSomebodyElsesBrowser) {
  begin();
  const std::string cookie = log_in(face.make_token("devices:create"));
  const auto page = face.send("GET", "/oauth/device?user_code=" + user_code, "", {{"Cookie", cookie}});
  const std::string form = "action=approve&user_code=" + user_code + "&proof=" + proof_on(page.text);
  const std::string unproven = "action=approve&user_code=" + user_code + "&proof=" + std::string(64, '0');
  EXPECT_EQ(face.form("/oauth/device", form).status, 401) << "without the cookie";
  EXPECT_EQ(face.form("/oauth/device", unproven, {{"Cookie", cookie}}).status, 403);
  EXPECT_EQ(face.form("/oauth/device", form, {{"Cookie", cookie}, {"Origin", "https://evil.example"}, {"Host", "api.example"}}).status,
            403);
  EXPECT_EQ(face.form("/oauth/device", form, {{"Cookie", cookie}, {"Sec-Fetch-Site", "cross-site"}}).status, 403);
  EXPECT_EQ(text(poll().body, "error"), "authorization_pending");
  EXPECT_EQ(face.form("/oauth/device", form, {{"Cookie", cookie}, {"Origin", "https://api.example"}, {"Host", "api.example"}}).status, 200);
}

TEST_F(Approval, OnlyWhoMayCreateDevicesLogsIn) {
  begin();
  EXPECT_EQ(log_in(face.make_token("devices:read")), "");
  EXPECT_EQ(log_in("guess"), "");
  int last = 0;
  for (int i = 0; i < 30; ++i) last = face.form("/oauth/device", "action=login&token=guess").status;
  EXPECT_EQ(last, 429);
}

TEST_F(Approval, WrongCodesAreCounted) {
  begin();
  const std::string cookie = log_in(face.make_token("devices:create"));
  int last = 0;
  for (int i = 0; i < 30; ++i) last = face.send("GET", "/oauth/device?user_code=BBBB-BBBB", "", {{"Cookie", cookie}}).status;
  EXPECT_EQ(last, 429);
}

TEST_F(Approval, WhatADeviceSaysOfItselfIsNoMarkup) {
  const auto asked =
      face.form("/oauth/authorization/device/", "client_id=%3Cscript%3Ealert(1)%3C/script%3E&scope=factory-a:devices:create");
  ASSERT_EQ(asked.status, 200);
  user_code = text(asked.body, "user_code");
  const std::string cookie = log_in(face.make_token("devices:create"));
  const auto page = face.send("GET", "/oauth/device?user_code=" + user_code, "", {{"Cookie", cookie}});
  EXPECT_EQ(page.text.find("<script"), std::string::npos);
  EXPECT_NE(page.text.find("&lt;script&gt;"), std::string::npos);
}

TEST_F(Approval, Foundries24WrongFactoryIsSaidInTheWordsThatPeopleKnow) {
  const auto asked = face.form("/oauth/authorization/device/", "client_id=device-1&scope=other:devices:create");
  EXPECT_EQ(asked.status, 400);
  EXPECT_EQ(text(asked.body, "message"), "'scope' parameter is not valid: wrong Factory value");
}

}  // namespace
}  // namespace birthmark::testing
