// SPDX-License-Identifier: Apache-2.0
// [pep] and [fcu] of birthmark.toml.
#include <gtest/gtest.h>

#include "app/config.h"

namespace birthmark::app {
namespace {

constexpr const char* kBase = "[factory]\nname = \"acme\"\ngateway_dns = \"gw.example\"\nostree_dns = \"ostree.example\"\n";

Result<Config> parse(const std::string& text) {
  return parse_config(kBase + text, "birthmark.toml");
}

TEST(PepConfiguration, says_what_fcu_yml_says) {
  const auto config = parse(R"([pep]
listen = [":5151"]
gateway_networks = ["10.0.0.0/8"]
enrollment_id_case = "lower"
fcc_timeout = "30s"
[fcu]
manufacturer = "Acme"
memory_total_kb = 1024
subject = ["C=FI", "O=Acme"]
key_mode = "by_device"
vendor_id = "53a9e0b0-1111-4c4c-9a9a-000102030405"
)");
  ASSERT_TRUE(config) << config.error().describe();
  EXPECT_EQ(config->pep.listen.size(), 1U);
  EXPECT_EQ(config->pep.times.exchange, std::chrono::seconds(30));
  EXPECT_EQ(config->pep.factory.subject.size(), 2U);
  EXPECT_EQ(config->pep.factory.key_mode, faces::izuma::KeyMode::by_device);
  EXPECT_TRUE(config->pep.factory.vendor_id);
  EXPECT_FALSE(config->pep.factory.class_id);
}

TEST(PepConfiguration, mistakes_name_their_setting) {
  const auto mistake = [](const std::string& text) {
    const auto config = parse(text);
    return config ? std::string() : config.error().public_message;
  };
  EXPECT_NE(mistake("[pep]\nlisten_on = 1\n").find("pep.listen_on"), std::string::npos);
  EXPECT_NE(mistake("[pep]\ngateway_networks = [\"10.0.0.1/8\"]\n").find("pep.gateway_networks"), std::string::npos);
  EXPECT_NE(mistake("[pep]\nenrollment_id_case = \"mixed\"\n").find("upper, lower"), std::string::npos);
  EXPECT_NE(mistake("[fcu]\nsubject = [\"X=1\"]\n").find("fcu.subject"), std::string::npos);
  EXPECT_NE(mistake("[fcu]\nvendor_id = \"1\"\n").find("UUID"), std::string::npos);
  EXPECT_NE(mistake("[pep]\nfcu_config_dir = \"fcu\"\n[fcu]\nmanufacturer = \"Acme\"\n").find("fcu_config_dir"), std::string::npos);
}

}  // namespace
}  // namespace birthmark::app
