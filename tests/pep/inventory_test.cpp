// SPDX-License-Identifier: Apache-2.0
// What was provisioned is read back: ids, keys, pages, the portal's CSV (protocol facts, pep 1.2 and 1.4).
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "pep_server.h"

namespace birthmark::pep {
namespace {

namespace json = boost::json;

PepServer& filled() {
  static PepServer server;
  static const bool started = [] {
    server.start();
    for (int i = 0; i < 7; ++i) {
      TestFcc fcc;
      e2e::require(
          server.provision("I-" + std::to_string(i), fcc.port(), i == 0 ? "&verificationKey=a1b2c3-d4e5f6%2F2f1a3c-989680" : "").status ==
              200,
          "provisioned");
    }
    return true;
  }();
  static_cast<void>(started);
  return server;
}

json::object page(const std::string& target) {
  const auto answer = filled().get(target);
  EXPECT_EQ(answer.status, 200) << answer.body;
  return json::parse(answer.body).as_object();
}

std::vector<std::string> serials(const json::object& page) {
  std::vector<std::string> all;
  for (const auto& row : page.at("results").as_array()) all.emplace_back(row.at("serialNumber").as_string());
  return all;
}

TEST(Pep_1_2_enrollment_ids, newest_first_fifty_at_a_time) {
  const auto first = page("/v3/enrollment-ids");
  EXPECT_EQ(serials(first), (std::vector<std::string>{"I-6", "I-5", "I-4", "I-3", "I-2", "I-1", "I-0"}));
  EXPECT_EQ(first.at("limit").as_int64(), 50);
  EXPECT_EQ(first.at("order").as_string(), "DESC");
  EXPECT_EQ(first.at("total_count").as_int64(), 7);
  EXPECT_FALSE(first.at("_links").as_object().contains("next"));
}

TEST(Pep_1_2_enrollment_ids, following_next_reads_everything_once) {
  for (const std::string prefix : {"/v3", ""}) {
    std::string target = prefix + "/enrollment-ids?&order=asc&limit=3&last=";
    std::vector<std::string> all;
    for (int pages = 0; pages < 10 && !target.empty(); ++pages) {
      const auto one = page(target);
      for (const std::string& serial : serials(one)) all.push_back(serial);
      const auto& links = one.at("_links").as_object();
      target = links.contains("next") ? std::string(links.at("next").at("href").as_string()) : "";
      EXPECT_TRUE(target.empty() || target.starts_with(prefix + "/enrollment-ids?")) << target;
    }
    EXPECT_EQ(all, (std::vector<std::string>{"I-0", "I-1", "I-2", "I-3", "I-4", "I-5", "I-6"}));
  }
}

TEST(Pep_1_2_enrollment_ids, limits_are_read_as_the_original_reads_them) {
  EXPECT_EQ(page("/v3/enrollment-ids?limit=0").at("limit").as_int64(), 50);
  EXPECT_EQ(page("/v3/enrollment-ids?limit=5000").at("limit").as_int64(), 1000);
  EXPECT_EQ(page("/v3/enrollment-ids?limit=-2").at("limit").as_int64(), 50);
  EXPECT_EQ(page("/v3/enrollment-ids?limit=2x").at("limit").as_int64(), 2);
  EXPECT_EQ(filled().get("/v3/enrollment-ids?last=nonsense").status, 400);
}

TEST(Pep_1_2_enrollment_ids, rows_have_an_id_and_no_secret) {
  const auto row = page("/v3/enrollment-ids?limit=1").at("results").as_array().at(0).as_object();
  EXPECT_EQ(row.at("_id").as_string().size(), 24U);
  EXPECT_TRUE(row.at("deployed").as_bool());
  EXPECT_EQ(filled().get("/v3/enrollment-ids").body.find("a1b2c3"), std::string::npos);
}

TEST(Pep_1_2_verification_key, is_given_by_serial_number) {
  EXPECT_EQ(filled().get("/v3/verification-key?serialNumber=I-0").body, "a1b2c3-d4e5f6/2f1a3c-989680");
  EXPECT_EQ(filled().get("/verification-key?&serialNumber=I-1").body, "");
  EXPECT_EQ(filled().get("/v3/verification-key?serialNumber=none").status, 404);
  EXPECT_EQ(filled().get("/v3/verification-key").status, 400);
}

TEST(Pep_1_2_enrollment_id, is_plain_text) {
  const auto answer = filled().get("/enrollment-id?serialNumber=I-3");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), 97U);
  EXPECT_EQ(filled().get("/v3/enrollment-id?serialNumber=none").body, "Not found!");
}

TEST(Pep_1_2, other_paths_and_methods_are_4xx) {
  EXPECT_EQ(filled().get("/v3/requestLog").status, 404);
  EXPECT_EQ(filled().get("/").status, 404);
  const auto answer = e2e::ask(filled().port(), "DELETE /v3/enrollment-ids HTTP/1.1\r\nHost: pep\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
}

TEST(Pep_1_2_docs, the_document_names_what_is_served_and_no_other_site) {
  const auto answer = filled().get("/docs/pep-swagger.yaml");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "text/yaml; charset=utf-8");
  const auto paths = json::parse(answer.body).at("paths").as_object();
  EXPECT_EQ(paths.size(), 4U);
  for (const auto& path : paths) EXPECT_NE(filled().get(std::string(path.key())).status, 404) << path.key();
  EXPECT_EQ(filled().get("/docs").status, 301);
  const auto page = filled().get("/docs/");
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
}

TEST(Pep_secrets, queries_are_never_logged) {
  EXPECT_EQ(filled().process().log_text().find("a1b2c3"), std::string::npos);
  EXPECT_EQ(filled().process().log_text().find("verificationKey"), std::string::npos);
}

TEST(Pep_1_4, the_portal_takes_the_csv_in_parts) {
  const std::string whole = filled().factory().command({"pep", "export"});
  const std::string heading =
      "\"enrollmentID\",\"serialNumber\",\"gatewayServicesAddress\",\"apiAddress\",\"hardwareVersion\",\"radioConfig\",\"ledConfig\","
      "\"category\",\"deployed\",\"createdAt\"\n";
  EXPECT_EQ(whole.substr(0, heading.size()), heading);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 8);
  std::size_t rows = 0;
  for (int part = 1; part < 10; ++part) {
    const auto one = filled().factory().birthmark(
        {"pep", "export", "--dir", filled().factory().directory().string(), "--part-bytes", "1024", "--part", std::to_string(part)});
    if (one.exit_code != 0) break;
    EXPECT_LE(one.output.size(), 1024U);
    EXPECT_EQ(one.output.substr(0, heading.size()), heading);
    rows += static_cast<std::size_t>(std::count(one.output.begin(), one.output.end(), '\n')) - 1;
  }
  EXPECT_EQ(rows, 7U);
}

TEST(Pep_inventory, notes_who_got_a_gateway) {
  filled().factory().command({"pep", "note", "I-2", "--tenant", "Helsinki, \"north\"", "--notes", "pallet 7"});
  const std::string rows = filled().factory().command({"pep", "export", "--json", "--tenant", "Helsinki, \"north\""});
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 1);
  EXPECT_NE(rows.find("pallet 7"), std::string::npos);
  EXPECT_NE(
      filled().factory().birthmark({"pep", "note", "none", "--tenant", "x", "--dir", filled().factory().directory().string()}).exit_code,
      0);
}

}  // namespace
}  // namespace birthmark::pep
