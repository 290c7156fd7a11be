// SPDX-License-Identifier: Apache-2.0
// fcu.yml as customers have it (protocol facts, pep 4.2).
#include "app/fcu_file.h"

#include <gtest/gtest.h>

namespace birthmark::app {
namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "FCU_RESOURCES_DIR") return "/srv/fcu";
  if (name == "EVIL") return "a\nuse-bootstrap: false";
  return std::nullopt;
}

FcuReading read(const std::string& text) {
  return read_fcu_text(text, environment);
}

constexpr const char* kUsual = R"(---
# the customer's
use-bootstrap: true
first-to-claim: true
time-sync: true
verify-on-device: true
update-auth-certificate-file: <%= ENV['FCU_RESOURCES_DIR'] %>/update-auth-certificate.der
vendor-id: 53a9e0b0-1111-4c4c-9a9a-000102030405
class-id: "53A9E0B0-2222-4C4C-9A9A-000102030405"
device-info: &info
  manufacturer: Acme
  model-number: EG-1
  device-type: Edge GW
  hardware-version: 1.0
  memory-total-kb: 1048576
  timezone: Europe/Helsinki
  utc-offset: "+02:00"
device-key-generation-mode: by_device
device-certificate:
  country: FI
  organization: Acme, Inc.
  organization-unit: Edge
entropy-generation-mode: by_device
device-certificate-chain-depth: 1
secure-storage-type: default
device-private-keys-in-field-generation: by_cloud
custom-properties:
  acme.line: "7"
certificate-authority:
  common-name:
)";

TEST(Pep_4_2, the_usual_file_is_read) {
  const FcuReading reading = read(kUsual);
  EXPECT_EQ(reading.problems, std::vector<std::string>{});
  EXPECT_EQ(reading.warnings, std::vector<std::string>{});
  const auto& settings = reading.settings;
  EXPECT_TRUE(settings.first_to_claim);
  EXPECT_EQ(reading.update_certificate_file, "/srv/fcu/update-auth-certificate.der");
  EXPECT_EQ(format_uuid(*settings.class_id), "53a9e0b0-2222-4c4c-9a9a-000102030405");
  EXPECT_EQ(settings.device_info.hardware_version, "1.0");
  EXPECT_EQ(settings.device_info.memory_total_kb, 1048576U);
  EXPECT_EQ(settings.key_mode, faces::izuma::KeyMode::by_device);
  const std::vector<core::SubjectAttribute> subject{{"C", "FI"}, {"O", "Acme, Inc."}, {"OU", "Edge"}};
  EXPECT_EQ(settings.subject, subject);
  EXPECT_EQ(settings.chain_depth, 1U);
  ASSERT_EQ(settings.custom.size(), 1U);
  EXPECT_EQ(settings.custom[0].name, "acme.line");
}

std::string first_problem(const std::string& text) {
  const FcuReading reading = read(text);
  return reading.problems.empty() ? std::string() : reading.problems.front();
}

TEST(Pep_4_2, other_erb_is_an_error_with_its_line) {
  EXPECT_EQ(first_problem("a: 1\nb: <% system('x') %>\n"), "line 2: only <%= ENV['NAME'] %> is understood, no other ERB");
  EXPECT_EQ(first_problem("a: <%= ENV['HOME'] + 'x' %>\n"), "line 1: only <%= ENV['NAME'] %> is understood, no other ERB");
  EXPECT_EQ(first_problem("a: <%= ENV['NOT_THERE'] %>\n"), "line 1: the environment variable NOT_THERE is not set");
  EXPECT_EQ(first_problem("a: <%= ENV['EVIL'] %>\n"), "line 1: the environment variable EVIL has control characters in it");
  EXPECT_EQ(first_problem("a: <%= ENV['FCU_RESOURCES_DIR'\n"), "line 1: <% without %>");
}

TEST(Pep_4_2, wrong_values_are_named) {
  EXPECT_NE(first_problem("use-bootstrap: false\n").find("use-bootstrap"), std::string::npos);
  EXPECT_NE(first_problem("first-to-claim: perhaps\n").find("first-to-claim must be true or false"), std::string::npos);
  EXPECT_NE(first_problem("vendor-id: abc\n").find("vendor-id must be a UUID"), std::string::npos);
  EXPECT_NE(first_problem("device-key-generation-mode: by_magic\n").find("by_magic"), std::string::npos);
  EXPECT_NE(first_problem("device-info: {memory-total-kb: lots}\n").find("memory-total-kb"), std::string::npos);
  EXPECT_NE(first_problem("device-info: text\n"), "");
  EXPECT_NE(first_problem("- a\n- b\n"), "");
  EXPECT_NE(first_problem("a: [1\n"), "");
}

TEST(Pep_4_2, what_has_no_effect_is_a_warning) {
  const FcuReading reading = read("certificate-authority:\n  common-name: Acme CA\nfuture-setting: 1\n");
  EXPECT_EQ(reading.problems, std::vector<std::string>{});
  EXPECT_EQ(reading.warnings.size(), 2U);
}

TEST(Pep_4_2, depth_and_aliases_have_limits) {
  EXPECT_NE(first_problem(std::string(100, '[') + std::string(100, ']')), "");
  EXPECT_NE(first_problem(std::string(100, '{')), "");
  std::string nested;
  for (int i = 0; i < 40; ++i) nested += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(first_problem(nested), "");
  std::string aliases = "a: &a 1\nb: [";
  for (int i = 0; i < 40; ++i) aliases += "*a,";
  EXPECT_NE(first_problem(aliases + "1]\n"), "");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "k" + std::to_string(i) + ": 1\n";
  EXPECT_NE(first_problem(many), "");
}

}  // namespace
}  // namespace birthmark::app
