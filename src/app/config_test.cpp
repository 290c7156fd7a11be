// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include <gtest/gtest.h>

namespace birthmark::app {
namespace {

std::string with(const std::string& more) {
  return "[factory]\nname = \"acme\"\ngateway_dns = \"gw.acme.example\"\nostree_dns = \"os.acme.example\"\n" + more;
}

TEST(Configuration, WhatInitWritesIsReadBack) {
  const auto config = parse_config(default_config("acme", "gw.acme.example", "os.acme.example"), "birthmark.toml");
  ASSERT_TRUE(config) << config.error().public_message;
  EXPECT_EQ(config->factory, "acme");
  EXPECT_EQ(config->gateway_server(), "https://gw.acme.example:8443");
  EXPECT_EQ(config->ostree_server(), "https://os.acme.example:8443");
  EXPECT_EQ(config->registration_listen.size(), 1U);
  EXPECT_FALSE(config->issuer_keys_required);
}

// The commented defaults of that file are the defaults: uncommented, nothing changes.
TEST(Configuration, TheCommentedDefaultsAreTheDefaults) {
  std::string text = default_config("acme", "gw.acme.example", "os.acme.example");
  for (std::size_t at = text.find("\n# ", text.find("[factory]")); at != std::string::npos; at = text.find("\n# ", at + 1))
    text.erase(at + 1, 2);
  const auto spelled = parse_config(text, "birthmark.toml");
  ASSERT_TRUE(spelled) << spelled.error().public_message;
  const auto plain = parse_config(with(""), "birthmark.toml");
  ASSERT_TRUE(plain);
  EXPECT_EQ(spelled->rules.certificate_validity, plain->rules.certificate_validity);
  EXPECT_EQ(spelled->rules.backdate, plain->rules.backdate);
  EXPECT_EQ(spelled->rules.retry_window, plain->rules.retry_window);
  EXPECT_EQ(spelled->eve.rules.placeholders, plain->eve.rules.placeholders);
  EXPECT_EQ(spelled->clock.tolerance, plain->clock.tolerance);
  EXPECT_EQ(spelled->clock.forward_limit, plain->clock.forward_limit);
  EXPECT_EQ(spelled->clock.downtime_limit, plain->clock.downtime_limit);
  EXPECT_EQ(spelled->limits.body_bytes, plain->limits.body_bytes);
  EXPECT_EQ(spelled->limits.header_bytes, plain->limits.header_bytes);
  EXPECT_EQ(spelled->limits.header_timeout, plain->limits.header_timeout);
  EXPECT_EQ(spelled->limits.request_timeout, plain->limits.request_timeout);
  EXPECT_EQ(spelled->limits.idle_timeout, plain->limits.idle_timeout);
  EXPECT_EQ(spelled->limits.write_timeout, plain->limits.write_timeout);
  EXPECT_EQ(spelled->limits.shutdown_timeout, plain->limits.shutdown_timeout);
  EXPECT_EQ(spelled->limits.connections, plain->limits.connections);
  EXPECT_EQ(spelled->issuer_keys, plain->issuer_keys);
}

TEST(Configuration, MistakesAreNamedWithFileLineAndSetting) {
  const std::pair<std::string, const char*> rows[] = {
      {with("[registration]\nlissten = [\":1\"]\n"), "line 6: unknown setting registration.lissten"},
      {with("[gatway]\n"), "line 5: unknown section [gatway]"},
      {with("[gateway]\nprofile = \"lax\"\n"), "gateway.profile must be one of: vendor, strict"},
      {with("[gateway]\nlisten = [\"nonsense\"]\n"), "gateway.listen"},
      {with("[gateway]\ntickets = 5\n"), "gateway.tickets must be a whole number from 0 to 4"},
      {with("[registration]\nproduction = \"maybe\"\n"), "registration.production must be one of: device, always, never"},
      {with("[registration]\nbackdate = 5\n"), "registration.backdate must be a string"},
      {with("[registration]\nbackdate = \"5\"\n"), "registration.backdate: not a duration"},
      {with("[registration]\ntrust = \"nobody\"\n"), "registration.trust must be one of: open"},
      {with("[registration]\nlisten = [\"nonsense\"]\n"), "registration.listen"},
      {with("[registration]\nissuer_keys = [\"../x.key\"]\n"), "below the data directory"},
      {with("[upstream]\nurl = \"http://a.example/\"\n"), "upstream.url"},
      {with("[upstream]\nurl = \"https://a.example/\"\n"), "upstream.token_file is required"},
      {with("[upstream]\nmode = \"never\"\n"), "upstream.mode must be one of: queue, wait"},
      {with("[limits]\nconnections = 0\n"), "limits.connections must be a whole number from 1"},
      {with("[log]\nlevel = \"loud\"\n"), "log.level must be one of"},
      {"[factory]\nname = \"acme\"\n", "factory.gateway_dns is required"},
      {"[factory]\nname = \"a/b\"\n", "factory.name"},
      {"[factory\n", "line 1"},
  };
  for (const auto& [text, phrase] : rows) {
    const auto config = parse_config(text, "birthmark.toml");
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ErrorCode::misconfigured);
    EXPECT_EQ(config.error().public_message.rfind("birthmark.toml", 0), 0U) << config.error().public_message;
    EXPECT_NE(config.error().public_message.find(phrase), std::string::npos) << config.error().public_message;
  }
}

}  // namespace
}  // namespace birthmark::app
