// SPDX-License-Identifier: Apache-2.0
#include "faces/factory_api/list_query.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "faces/factory_api/answers.h"

namespace birthmark::faces::factory_api {
namespace {

constexpr std::uint64_t kDefaultLimit = 1000;
constexpr std::uint64_t kMostLimit = 1000;
constexpr std::uint64_t kMostPage = 1'000'000;

tl::unexpected<Error> bad(std::string_view name, std::string_view wanted) {
  return fail(ErrorCode::invalid, "Invalid value for '" + std::string(name) + "': it must be " + std::string(wanted));
}

// Query parameters, decoded; what cannot be decoded is as if it were not there.
class Parameters {
 public:
  explicit Parameters(std::string_view query) : query_(query) {}
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
    auto value = query_value(query_, name);
    if (value && value->empty()) return std::nullopt;  // as if it were not there
    return value;
  }
  [[nodiscard]] Result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise, std::uint64_t most) const {
    const auto written = text(name);
    if (!written) return otherwise;
    std::uint64_t value = 0;
    const auto read = std::from_chars(written->data(), written->data() + written->size(), value);
    if (read.ec != std::errc{} || read.ptr != written->data() + written->size() || value == 0 || value > most)
      return bad(name, "a number from 1 to " + std::to_string(most));
    return value;
  }
  [[nodiscard]] Result<std::optional<bool>> flag(std::string_view name) const {
    const auto written = text(name);
    if (!written) return std::optional<bool>();
    if (*written == "1" || *written == "true") return std::optional(true);
    if (*written == "0" || *written == "false") return std::optional(false);
    return bad(name, "1 or 0");
  }

 private:
  std::string_view query_;
};

// fioctl sends one field; of a list the first decides, names within equal times being beyond what anybody looks at.
Result<core::DeviceOrder> parse_order(const std::optional<std::string>& written) {
  if (!written) return core::DeviceOrder::name;
  const std::string first = written->substr(0, written->find(','));
  if (first == "name") return core::DeviceOrder::name;
  if (first == "-name") return core::DeviceOrder::name_descending;
  if (first == "last_seen") return core::DeviceOrder::last_seen;
  if (first == "-last_seen") return core::DeviceOrder::last_seen_descending;
  return bad("sortby", "name, -name, last_seen or -last_seen");
}

// "<row>.<name in base64>", opaque to callers.
Status parse_position(const std::string& written, core::DirectoryQuery& query) {
  const std::size_t dot = std::min(written.find('.'), written.size());
  const auto read = std::from_chars(written.data(), written.data() + dot, query.after);
  const auto name = dot == written.size() ? std::nullopt : from_base64(std::string_view(written).substr(dot + 1));
  if (read.ec != std::errc{} || read.ptr != written.data() + dot || query.after < 0 || !name || !is_utf8(as_text(*name)))
    return bad("after", "what a 'next' said");
  query.after_name = std::string(as_text(*name));
  return {};
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    const auto octet = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out.append({'%', kDigits[octet >> 4U], kDigits[octet & 15U]});
  }
  return out;
}

// The query again, without where the page begins.
std::string kept_query(std::string_view query) {
  std::string kept;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (!pair.empty() && name != "page" && name != "after") kept.append(pair).append("&");
  }
  return kept;
}

}  // namespace

Result<ListRequest> parse_list_request(std::string_view path, std::string_view query, const std::string& factory, const Caller& caller,
                                       const std::string& default_owner) {
  const Parameters given(query);
  ListRequest request;
  core::DirectoryQuery& wanted = request.query;
  wanted.factory = factory;
  BIRTHMARK_TRY(request.page, given.number("page", 1, kMostPage));
  BIRTHMARK_TRY(wanted.limit, given.number("limit", kDefaultLimit, kMostLimit));
  BIRTHMARK_TRY(wanted.order, parse_order(given.text("sortby")));
  BIRTHMARK_TRY(wanted.production, given.flag("prod"));
  BIRTHMARK_TRY(const auto mine, given.flag("mine"));
  wanted.skip = (request.page - 1) * wanted.limit;
  wanted.name = given.text("name").value_or("");
  wanted.is_pattern = true;
  wanted.group = given.text("group");
  if (mine.value_or(false)) {
    wanted.owner = caller.user_id;
    wanted.or_without_owner = caller.user_id == default_owner;
  }
  request.id = given.text("uuid").value_or("");
  request.tag = given.text("match_tag");
  request.target = given.text("target_name");
  if (const auto after = given.text("after")) BIRTHMARK_CHECK(parse_position(*after, wanted));
  request.next_path = std::string(path) + "?" + kept_query(query);
  return request;
}

std::string next_page(const ListRequest& request, const core::DeviceSummary& last) {
  const bool by_name = request.query.order == core::DeviceOrder::name || request.query.order == core::DeviceOrder::name_descending;
  if (!by_name) return request.next_path + "page=" + std::to_string(request.page + 1);
  return request.next_path + "after=" + percent_encoded(std::to_string(last.row) + "." + to_base64(as_bytes(last.name)));
}

}  // namespace birthmark::faces::factory_api
