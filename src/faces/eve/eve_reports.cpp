// SPDX-License-Identifier: Apache-2.0
// What nodes report: accepted within bounds, kept as it came, the oldest of each kind going first. Nothing here is believed.
#include "base/text.h"
#include "faces/eve/eve_face.h"
#include "faces/eve/gzip.h"

namespace birthmark::faces::eve {
namespace {

constexpr std::size_t kMostReportBytes = 1U << 20U;
constexpr std::size_t kMostPackedBytes = 2U << 20U;     // EVE closes its log files at half a megabyte
constexpr std::size_t kMostUnpackedBytes = 32U << 20U;  // of log lines in one of them
constexpr std::size_t kLongestApplicationId = 64;

struct Report {
  const char* kind = nullptr;
  std::size_t keep = 0;
  bool packed = false;
  bool waited_for = true;  // acknowledged when it is on disk
  std::string prefix;
};

// The application of "/apps/instanceid/<id>/newlogs" and its older spellings.
std::string application_of(std::string_view path) {
  for (const std::string_view prefix : {"/apps/instanceid/id/", "/apps/instances/id/", "/apps/instanceid/"}) {
    if (!path.starts_with(prefix)) continue;
    path.remove_prefix(prefix.size());
    return std::string(path.substr(0, path.find('/')));
  }
  return {};
}

}  // namespace

Task<net::Response> EveFace::report(const Call& call, std::string_view what) {
  Report report;
  if (what == "/info") report = {kInfoLog, settings_.keep_info, false, true, {}};
  if (what == "/metrics") report = {kMetricsLog, settings_.keep_metrics, false, false, {}};
  if (what == "/logs") report = {kLogsLog, settings_.keep_logs, false, true, {}};
  if (what == "/newlogs") report = {kNewLogsLog, settings_.keep_logs, true, true, {}};
  if (what == "/flowlog") report = {kFlowLog, settings_.keep_metrics, false, false, {}};
  if (what == "/hardwarehealth") report = {kHealthLog, settings_.keep_metrics, false, true, {}};
  if (what.starts_with("/apps/")) {
    const std::string application = application_of(what);
    const bool packed = what.ends_with("/newlogs");
    const bool named = !application.empty() && application.size() <= kLongestApplicationId && is_utf8(application);
    if (!named || (!packed && !what.ends_with("/logs"))) co_return net::json_error(404, "there is nothing here");
    report = {kAppLogsLog, settings_.keep_logs, packed, true, application + "\n"};
  }
  if (report.kind == nullptr) co_return net::json_error(404, "there is nothing here");
  if (call.payload.size() > (report.packed ? kMostPackedBytes : kMostReportBytes))
    co_return net::json_error(413, "the report is too large");
  if (report.packed) {
    const auto good = check_gzip(call.payload, kMostUnpackedBytes);
    if (!good) co_return net::json_error(good.error().code == ErrorCode::too_large ? 413 : 422, good.error().public_message);
  }
  std::string body = report.prefix + call.payload;
  if (!report.waited_for) {
    core::FieldAppend append;
    append.key = core::node_field(call.node.identity, report.kind);
    append.bodies.push_back(std::move(body));
    append.at = parts_.clock.now();
    append.keep = report.keep;
    parts_.field.note(std::move(append));
    co_return empty_answer(201);
  }
  auto stored = co_await store(call.node, report.kind, std::move(body), report.keep);
  if (!stored) co_return net::json_error(503, stored.error().public_message);
  co_return empty_answer(201);
}

}  // namespace birthmark::faces::eve
