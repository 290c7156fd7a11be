// SPDX-License-Identifier: Apache-2.0
#include "faces/eve/gzip.h"

#include <zlib.h>

#include <array>

namespace birthmark::faces::eve {
namespace {

constexpr int kGzipOnly = 15 + 16;  // window bits; plus 16: a gzip header is demanded

// Ends the stream whichever way the scope is left.
struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipOnly) == Z_OK;
  Inflater() = default;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

Status unpack(std::string_view packed, std::size_t most, std::string* to) {
  Inflater inflater;
  if (!inflater.ready) return fail(ErrorCode::unavailable, "out of memory");
  z_stream& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::array<char, 16384> piece;
  std::size_t total = 0;
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    const int result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = piece.size() - stream.avail_out;
    total += made;
    if (total > most) return fail(ErrorCode::too_large, "the gzip unpacks to more than " + std::to_string(most) + " bytes");
    if (to != nullptr) to->append(piece.data(), made);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      if (inflateReset(&stream) != Z_OK) return fail(ErrorCode::invalid, "the gzip cannot be read");
      continue;
    }
    if (result != Z_OK || (made == 0 && stream.avail_in == 0)) return fail(ErrorCode::invalid, "the body is no gzip, or is cut off");
  }
}

}  // namespace

Result<std::string> unpack_gzip(std::string_view packed, std::size_t most) {
  std::string contents;
  BIRTHMARK_CHECK(unpack(packed, most, &contents));
  return contents;
}

Status check_gzip(std::string_view packed, std::size_t most) {
  return unpack(packed, most, nullptr);
}

}  // namespace birthmark::faces::eve
