// SPDX-License-Identifier: Apache-2.0
// Any bytes as a peer's side of a connection. Holds: no crash, limits kept, every view inside what was sent, and the same requests
// whether the bytes come in one piece or cut anywhere (the first octet chooses the cuts).
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/request_reader.h"

namespace {

using birthmark::net::ReadProgress;
using birthmark::net::Request;
using birthmark::net::RequestReader;

constexpr std::size_t kHeaderLimit = 512;
constexpr std::size_t kBodyLimit = 256;

std::string describe(const RequestReader& reader, const Request& request) {
  std::string text;
  for (const std::string_view part : {request.method, request.path, request.query, request.content_type, request.body}) {
    text += part;
    text += '\0';
  }
  for (const auto& [name, value] : request.headers) {
    text += name;
    text += '\0';
    text += value;
    text += '\0';
  }
  return text + (reader.keep_alive() ? "keep" : "close") + (reader.is_head() ? "head" : "") + (reader.http_1_0() ? "1.0" : "");
}

void check(const Request& request) {
  BIRTHMARK_ASSERT(request.body.size() <= kBodyLimit);
  BIRTHMARK_ASSERT(!request.method.empty() && !request.path.empty());
  BIRTHMARK_ASSERT(request.path == "*" || request.path.front() == '/');
  BIRTHMARK_ASSERT(request.path.find('?') == std::string_view::npos);
  BIRTHMARK_ASSERT(request.headers.size() <= 100);
  std::size_t header_bytes = 0;
  for (const auto& [name, value] : request.headers) {
    BIRTHMARK_ASSERT(!name.empty() && name.find_first_of("\r\n: ") == std::string_view::npos);
    BIRTHMARK_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    header_bytes += name.size() + value.size();
  }
  BIRTHMARK_ASSERT(header_bytes <= kHeaderLimit);
}

// What came of it: every request, and the final status or how much is held.
std::vector<std::string> read(std::string_view bytes, std::size_t step) {
  RequestReader reader(kHeaderLimit, kBodyLimit);
  std::vector<std::string> seen;
  ReadProgress progress = ReadProgress::need_more;
  while (!bytes.empty() && progress != ReadProgress::refused) {
    const std::string piece(bytes.substr(0, step));
    bytes.remove_prefix(piece.size());
    progress = reader.feed(piece);
    while (progress == ReadProgress::complete) {
      check(reader.request());
      seen.push_back(describe(reader, reader.request()));
      progress = reader.next();
    }
    static_cast<void>(reader.take_continue());
  }
  if (progress == ReadProgress::refused) {
    BIRTHMARK_ASSERT(reader.refusal().status >= 400 && reader.refusal().status <= 505);
    seen.push_back(std::to_string(reader.refusal().status) + std::string(reader.refusal().message));
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1U + data[0] % 64U;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  BIRTHMARK_ASSERT(read(bytes, bytes.size() + 1) == read(bytes, step));
  return 0;
}
