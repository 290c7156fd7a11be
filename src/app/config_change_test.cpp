// SPDX-License-Identifier: Apache-2.0
#include "app/config_change.h"

#include <gtest/gtest.h>

namespace birthmark::app {
namespace {

Config config_of(const std::string& more) {
  auto parsed = parse_config("[factory]\nname = \"acme\"\ngateway_dns = \"gw.example\"\nostree_dns = \"os.example\"\n" + more, "test");
  EXPECT_TRUE(parsed) << parsed.error().describe();
  return std::move(*parsed);
}

using Names = std::vector<std::string>;

TEST(ConfigChange, WhatMayChangeIsTakenOverAndTheRestWaits) {
  const Config running = config_of("[registration]\ntrust = \"open\"\n");
  const Config read = config_of(
      "[registration]\ntrust = \"token\"\nlisten = [\":9000\"]\nproduction = \"always\"\n[limits]\nbody_bytes = 8192\n"
      "[log]\nlevel = \"debug\"\n");
  EXPECT_EQ(taken_over(running, read), (Names{"log.level", "registration.production", "registration.trust"}));
  EXPECT_EQ(waiting_for_restart(running, read), (Names{"limits.body_bytes", "registration.listen"}));
  const Config next = changed_while_running(running, read);
  EXPECT_EQ(next.admission.trust, core::RegistrationTrust::token);
  EXPECT_EQ(next.rules.production, core::ProductionRule::always);
  EXPECT_EQ(next.log_level, log::Level::debug);
  EXPECT_EQ(next.limits.body_bytes, running.limits.body_bytes);
  EXPECT_EQ(next.registration_listen.front().port, running.registration_listen.front().port);
}

TEST(ConfigChange, APlainListenerStaysPlainAndCertificateTrustWaitsWithIt) {
  const Config running = config_of("");
  const Config read = config_of("[registration]\ntls = \"own\"\ntrust = \"certificate\"\n");
  EXPECT_EQ(waiting_for_restart(running, read), (Names{"registration.tls", "registration.trust"}));
  const Config next = changed_while_running(running, read);
  EXPECT_EQ(next.registration_tls, RegistrationTls::off);
  EXPECT_EQ(next.admission.trust, core::RegistrationTrust::open) << "nobody could show a certificate over plain HTTP";
}

TEST(ConfigChange, FromOneCertificateToAnotherIsNoChangeOfTheListener) {
  const Config running = config_of("[registration]\ntls = \"gateway\"\n");
  const Config read = config_of("[registration]\ntls = \"own\"\ntrust = \"certificate\"\n");
  EXPECT_TRUE(waiting_for_restart(running, read).empty());
  const Config next = changed_while_running(running, read);
  EXPECT_EQ(next.registration_tls, RegistrationTls::own);
  EXPECT_EQ(next.admission.trust, core::RegistrationTrust::certificate);
}

TEST(ConfigChange, TheSameAgainIsNothing) {
  const Config config = config_of("[upstream]\nurl = \"https://api.example/\"\ntoken_file = \"t\"\n");
  EXPECT_TRUE(taken_over(config, config).empty());
  EXPECT_TRUE(waiting_for_restart(config, config).empty());
  const Config without = config_of("");
  EXPECT_EQ(taken_over(config, without), (Names{"upstream.token_file", "upstream.url"}));
}

}  // namespace
}  // namespace birthmark::app
