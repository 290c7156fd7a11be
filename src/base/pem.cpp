// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include <optional>

#include "base/text.h"

namespace birthmark {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kColumns = 64;

// Takes one line off `text`, without its line end and trailing blanks.
std::string_view take_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

// The label of a "-----BEGIN x-----" or "-----END x-----" line.
std::optional<std::string_view> boundary_label(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) || line.size() < prefix.size() + kDashes.size()) return std::nullopt;
  return line.substr(prefix.size(), line.size() - prefix.size() - kDashes.size());
}

// Skips to the next BEGIN line; nothing when there is none.
std::optional<std::string_view> take_begin(std::string_view& text) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (auto label = boundary_label(line, kBegin)) return label;
  }
  return std::nullopt;
}

Result<PemBlock> take_contents(std::string_view& text, std::string_view label) {
  const std::string name = "PEM block '" + std::string(label.substr(0, 64)) + "'";
  std::string digits;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (const auto end = boundary_label(line, kEnd)) {
      if (*end != label) return fail(ErrorCode::invalid, name + " ends with another label");
      auto contents = from_base64(digits);
      if (!contents || contents->empty()) return fail(ErrorCode::invalid, name + " does not hold valid base64");
      return PemBlock{std::string(label), std::move(*contents)};
    }
    if (line.starts_with(kDashes)) break;
    digits += line;
  }
  return fail(ErrorCode::invalid, name + " has no END line");
}

}  // namespace

std::string encode_pem(std::string_view label, ByteView contents) {
  const std::string digits = to_base64(contents);
  std::string pem;
  pem.reserve(digits.size() + digits.size() / kColumns + 2 * label.size() + 40);
  pem.append(kBegin).append(label).append(kDashes).append("\n");
  for (std::size_t at = 0; at < digits.size(); at += kColumns) pem.append(digits, at, kColumns).append("\n");
  pem.append(kEnd).append(label).append(kDashes).append("\n");
  return pem;
}

Result<std::vector<PemBlock>> decode_pem(std::string_view text) {
  std::vector<PemBlock> blocks;
  while (const auto label = take_begin(text)) {
    auto block = take_contents(text, *label);
    if (!block) return forward_error(block);
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

Result<PemBlock> decode_first_pem(std::string_view text) {
  const auto label = take_begin(text);
  if (!label) return fail(ErrorCode::not_found, "no PEM block found");
  return take_contents(text, *label);
}

}  // namespace birthmark
