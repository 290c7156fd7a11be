// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/quote.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace birthmark::faces::eve {
namespace {

constexpr std::uint32_t kMagic = 0xff544347U;  // TPM_GENERATED_VALUE
constexpr std::uint16_t kQuoteType = 0x8018U;  // TPM_ST_ATTEST_QUOTE
constexpr std::uint16_t kSha256 = 0x000bU;     // TPM_ALG_SHA256
constexpr std::size_t kClockInfo = 17, kFirmwareVersion = 8;
constexpr std::uint32_t kMostBanks = 16;
constexpr std::uint32_t kHighestRegister = 31;

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::uint32_t number(std::size_t octets) {
    std::uint32_t value = 0;
    for (const std::uint8_t octet : take(octets)) value = (value << 8U) | octet;
    return value;
  }
  ByteView take(std::size_t size) {
    if (failed_ || rest_.size() < size) {
      failed_ = true;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  ByteView sized() { return take(number(2)); }  // TPM2B

 private:
  ByteView rest_;
  bool failed_ = false;
};

void add_selected(ByteView bitmap, std::vector<std::uint32_t>& pcrs) {
  for (std::uint32_t index = 0; index < bitmap.size() * 8; ++index)
    if ((bitmap[index / 8] >> (index % 8) & 1U) != 0) pcrs.push_back(index);
}

}  // namespace

Result<Quote> read_quote(ByteView attest_data) {
  Reader reader(attest_data);
  const std::uint32_t magic = reader.number(4);
  const std::uint32_t type = reader.number(2);
  if (reader.failed() || magic != kMagic || type != kQuoteType) return fail(ErrorCode::invalid, "attestData is not a TPM quote");
  Quote quote;
  reader.sized();  // the signing key's qualified name
  quote.extra_data = to_bytes(reader.sized());
  reader.take(kClockInfo + kFirmwareVersion);
  const std::uint32_t banks = reader.number(4);
  if (banks > kMostBanks) return fail(ErrorCode::invalid, "attestData selects too many PCR banks");
  for (std::uint32_t bank = 0; bank < banks; ++bank) {
    const std::uint32_t hash = reader.number(2);
    const ByteView bitmap = reader.take(reader.number(1));
    if (reader.failed()) break;
    if (hash == kSha256)
      add_selected(bitmap, quote.pcrs);
    else if (std::any_of(bitmap.begin(), bitmap.end(), [](std::uint8_t octet) { return octet != 0; }))
      return fail(ErrorCode::invalid, "attestData selects registers of another bank than SHA-256");
  }
  quote.pcr_digest = to_bytes(reader.sized());
  if (reader.failed() || !reader.at_end()) return fail(ErrorCode::invalid, "attestData is cut off, or something follows it");
  return quote;
}

Result<PcrValues> read_pcr_template(std::string_view text) {
  PcrValues values;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    std::uint32_t index = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), index);
    const std::string_view rest = line.substr(static_cast<std::size_t>(read.ptr - line.data()));
    const auto value = rest.starts_with(' ') ? from_hex(rest.substr(1)) : std::nullopt;
    if (read.ec != std::errc() || index > kHighestRegister || !value || value->size() != 32)
      return fail(ErrorCode::invalid, "line " + std::to_string(number) + ": expected INDEX and 64 hexadecimal digits");
    values[index] = to_hex(*value);
  }
  if (values.empty()) return fail(ErrorCode::invalid, "the template names no register");
  return values;
}

}  // namespace birthmark::faces::eve
