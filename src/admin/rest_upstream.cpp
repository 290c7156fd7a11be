// SPDX-License-Identifier: Apache-2.0
// The REST twins of `birthmark upstream`; below /api/v1/hooks/ the same of [hooks].
#include <algorithm>

#include "admin/rest.h"
#include "admin/rest_body.h"
#include "core/outbox_keeper.h"

namespace birthmark::admin {
namespace {

constexpr std::size_t kMaxPage = 1000;

std::string_view hold_name(core::ChannelHold hold) {
  switch (hold) {
    case core::ChannelHold::none: return "none";
    case core::ChannelHold::unreachable: return "unreachable";
    case core::ChannelHold::throttled: return "throttled";
    case core::ChannelHold::unauthorized: return "unauthorized";
  }
  return "unknown";
}

Result<json::value> status_of(const AdminParts& parts, core::OutboxChannel channel) {
  BIRTHMARK_TRY(const core::OutboxTotals totals, parts.outbox.outbox_totals(channel));
  const Delivery delivery = parts.operations.delivery(channel);
  return json::object{{"url", text_or_null(delivery.url)},
                      {"mode", text_or_null(delivery.mode)},
                      {"waiting", totals.waiting},
                      {"sending", totals.sending},
                      {"unverified", totals.unverified},
                      {"stopped", totals.stopped},
                      {"oldest", moment_or_null(totals.oldest)},
                      {"hold", std::string(hold_name(delivery.figures.hold))},
                      {"hold_reason", text_or_null(delivery.figures.hold_reason)}};
}

Result<core::OutboxState> state_named(std::string_view name) {
  const auto state = core::parse_open_state(name.empty() ? "stopped" : name);
  if (!state) return fail(ErrorCode::invalid, "'state' must be waiting, sending, unverified or stopped");
  return *state;
}

Result<json::value> list_messages(const AdminParts& parts, core::OutboxChannel channel, std::string_view query) {
  BIRTHMARK_TRY(const auto state, state_named(parameter(query, "state")));
  BIRTHMARK_TRY(const auto after, number_parameter(query, "after", 0));
  BIRTHMARK_TRY(const auto wanted, number_parameter(query, "limit", kMaxPage));
  const std::size_t limit = std::clamp<std::size_t>(wanted, 1, kMaxPage);
  BIRTHMARK_TRY(const auto page, parts.outbox.messages(channel, state, static_cast<core::RowId>(after), limit));
  json::array messages;
  for (const core::OutboxEntry& entry : page) {
    messages.push_back(json::object{{"message", entry.row},
                                    {"state", std::string(to_string(entry.state))},
                                    {"id", text_or_null(entry.external_id)},
                                    {"attempts", entry.attempts},
                                    {"created_at", format_rfc3339(entry.created_at)},
                                    {"due_at", format_rfc3339(entry.due_at)},
                                    {"reason", text_or_null(entry.note)}});
  }
  return json::object{{"messages", std::move(messages)}, {"next", page.size() == limit ? json::value(page.back().row) : json::value()}};
}

Result<core::MessageSelection> selection_in(Body& body, core::OutboxChannel channel) {
  core::MessageSelection which{channel, {}, core::OutboxState::stopped};
  const auto message = body.number("message");
  const std::string state = body.text("state");
  BIRTHMARK_CHECK(body.good());
  if (message && !state.empty()) return fail(ErrorCode::invalid, "name one 'message' or a 'state', not both");
  if (message) which.message = static_cast<core::RowId>(*message);
  BIRTHMARK_TRY(which.state, state_named(state));
  return which;
}

}  // namespace

Task<net::Response> answer_outbox(const AdminParts& parts, const Call& call, core::OutboxChannel channel) {
  const bool reads = call.request.method == "GET";
  const std::string_view what = call.path.size() == 2 ? call.path[1] : std::string_view();
  if (call.path.size() > 2) co_return not_found();
  if (what.empty() || what == "messages") {
    if (!reads) co_return method_not_allowed("GET");
    auto found = what.empty() ? status_of(parts, channel) : list_messages(parts, channel, call.request.query);
    co_return found ? answer(200, *found) : error_response(found.error());
  }
  if (what != "retry" && what != "drop") co_return not_found();
  if (call.request.method != "POST") co_return method_not_allowed("POST");
  Body body(call.request.body);
  core::OperatorAct act{body.text("reason"), call.actor};
  auto which = selection_in(body, channel);
  if (!which) co_return error_response(which.error());
  core::OutboxKeeper keeper(parts.outbox, parts.clock, parts.factory);
  Result<std::uint64_t> moved = std::uint64_t{0};
  if (what == "retry") {
    auto done = co_await keeper.retry(*which, std::move(act));
    moved = std::move(done);
  } else {
    auto done = co_await keeper.drop(*which, std::move(act));
    moved = std::move(done);
  }
  co_return moved ? answer(200, json::object{{"moved", *moved}}) : error_response(moved.error());
}

}  // namespace birthmark::admin
