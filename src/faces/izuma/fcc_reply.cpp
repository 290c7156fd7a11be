// SPDX-License-Identifier: Apache-2.0
#include "faces/izuma/fcc_reply.h"

#include <cbor.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/text.h"

namespace birthmark::faces::izuma {
namespace {

constexpr std::size_t kDeepest = 6;
constexpr std::size_t kMostItems = 512;
constexpr std::size_t kLongestInfo = 4096;

tl::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::invalid, "the Factory Configurator Client's answer cannot be read: " + std::string(what));
}

// Walks over the encoding without allocating: lengths within the message, depth and count bounded. What it lets through the library may
// build; a claimed length is memory there before a single octet of it was seen.
class Surveyor {
 public:
  explicit Surveyor(ByteView message) : rest_(message) {}

  [[nodiscard]] bool one_item_and_no_more() { return item(0) && rest_.empty(); }

 private:
  struct Head {
    unsigned major = 0;
    std::uint64_t argument = 0;
    bool indefinite = false;
  };

  [[nodiscard]] std::optional<Head> head() {
    if (rest_.empty() || ++items_ > kMostItems) return std::nullopt;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    Head read{.major = unsigned{first} >> 5U, .argument = unsigned{first} & 31U, .indefinite = false};
    if (read.argument < 24) return read;
    if (read.argument == 31) {
      read.indefinite = true;
      return read;
    }
    if (read.argument > 27) return std::nullopt;
    const std::size_t size = std::size_t{1} << (read.argument - 24);
    if (rest_.size() < size) return std::nullopt;
    read.argument = 0;
    for (std::size_t i = 0; i < size; ++i) read.argument = (read.argument << 8U) | rest_[i];
    rest_ = rest_.subspan(size);
    return read;
  }

  [[nodiscard]] bool at_break() {
    if (rest_.empty() || rest_.front() != 0xff) return false;
    rest_ = rest_.subspan(1);
    return true;
  }

  [[nodiscard]] bool items(const Head& container, std::uint64_t per_entry, std::size_t depth) {
    if (container.indefinite) {
      while (!at_break()) {
        for (std::uint64_t i = 0; i < per_entry; ++i) {
          if (!item(depth + 1)) return false;
        }
      }
      return true;
    }
    if (container.argument > kMostItems) return false;
    for (std::uint64_t i = 0; i < container.argument * per_entry; ++i) {
      if (!item(depth + 1)) return false;
    }
    return true;
  }

  [[nodiscard]] bool item(std::size_t depth) {
    if (depth > kDeepest) return false;
    const auto read = head();
    if (!read) return false;
    switch (read->major) {
      case 0:
      case 1: return !read->indefinite;
      case 2:
      case 3:  // the client sends no strings in pieces
        if (read->indefinite || read->argument > rest_.size()) return false;
        rest_ = rest_.subspan(static_cast<std::size_t>(read->argument));
        return true;
      case 4: return items(*read, 1, depth);
      case 5: return items(*read, 2, depth);
      case 7: return !read->indefinite;
      default: return false;  // no tags
    }
  }

  ByteView rest_;
  std::size_t items_ = 0;
};

struct Release {
  void operator()(cbor_item_t* item) const { cbor_decref(&item); }
};
using Item = std::unique_ptr<cbor_item_t, Release>;

std::optional<std::string_view> text_of(const cbor_item_t* item) {
  if (!cbor_isa_string(item) || !cbor_string_is_definite(item)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item));
}

std::optional<ByteView> bytes_of(const cbor_item_t* item) {
  if (!cbor_isa_bytestring(item) || !cbor_bytestring_is_definite(item)) return std::nullopt;
  return ByteView(cbor_bytestring_handle(item), cbor_bytestring_length(item));
}

std::span<cbor_pair> pairs_of(const cbor_item_t* map) {
  return {cbor_map_handle(map), cbor_map_size(map)};
}

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, kLongestInfo));
  while (!clean.empty() && (clean.back() == '\n' || clean.back() == '\r' || clean.back() == ' ')) clean.pop_back();
  std::replace_if(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return is_utf8(clean) ? clean : std::string("(unreadable)");
}

Status read_csr(const cbor_item_t* map, FccReply& reply) {
  if (!cbor_isa_map(map)) return bad("a member of Csrs is no map");
  FccCsr csr;
  for (const cbor_pair& pair : pairs_of(map)) {
    const auto name = text_of(pair.key);
    const auto text = text_of(pair.value);
    const auto octets = bytes_of(pair.value);
    if (name == "PrKN" && text) csr.key_name = *text;
    if (name == "Data" && octets) csr.der = to_bytes(*octets);
  }
  if (csr.key_name.empty() || csr.der.empty()) return bad("a certificate request without a name or contents");
  reply.csrs.push_back(std::move(csr));
  return {};
}

void read_warnings(std::string_view text, FccReply& reply) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty()) reply.warnings.push_back(printable(line));
  }
}

Status read_member(std::string_view name, const cbor_item_t* value, FccReply& reply, bool& has_status) {
  const auto text = text_of(value);
  if (name == "ReturnStatus") {
    if (!cbor_isa_uint(value)) return bad("ReturnStatus is no number");
    reply.return_status = cbor_get_int(value);
    has_status = true;
  } else if (name == "SchemeVersion") {
    if (text != "0.0.1") return bad("its scheme version is not 0.0.1");
  } else if (name == "SID" && text) {
    reply.session = *text;
  } else if (name == "InfoMessage" && text) {
    reply.info = printable(*text);
  } else if (name == "WarningInfo" && text) {
    read_warnings(text->substr(0, kLongestInfo), reply);
  } else if (name == "Csrs") {
    if (!cbor_isa_array(value)) return bad("Csrs is no list");
    for (std::size_t i = 0; i < cbor_array_size(value); ++i) BIRTHMARK_CHECK(read_csr(cbor_array_handle(value)[i], reply));
  }
  return {};  // later versions may say more
}

constexpr std::array<std::string_view, 38> kMeanings{"success",
                                                     "error",
                                                     "out of memory",
                                                     "invalid parameter",
                                                     "it could not store an item",
                                                     "an internal item exists already",
                                                     "the bootstrap server's CA is not accepted",
                                                     "the root of trust is not accepted",
                                                     "the entropy is not accepted",
                                                     "the factory flow of this device is disabled",
                                                     "invalid certificate",
                                                     "a certificate's attribute cannot be read",
                                                     "a CA's signature is wrong",
                                                     "a certificate has expired",
                                                     "the certificate's common name is not the endpoint name",
                                                     "its key store failed",
                                                     "its storage failed",
                                                     "an item exists already",
                                                     "a key or certificate is not accepted",
                                                     "it is not initialised",
                                                     "the bundle cannot be read",
                                                     "it could not make its response",
                                                     "unsupported group in the bundle",
                                                     "invalid group in the bundle",
                                                     "unsupported scheme version",
                                                     "an item is missing",
                                                     "an item is empty",
                                                     "an item has the wrong size",
                                                     "wrong form of the server's URI",
                                                     "first-to-claim is not allowed with this URI",
                                                     "wrong bootstrap mode",
                                                     "it could not collect its messages",
                                                     "it could not make a warning",
                                                     "wrong UTC offset",
                                                     "the certificate is not for the device's key",
                                                     "wrong keep-alive state",
                                                     "too many certificate requests",
                                                     "something in the bundle is not supported by this build"};

}  // namespace

Result<FccReply> parse_fcc_reply(ByteView message) {
  if (!Surveyor(message).one_item_and_no_more()) return bad("it is not one CBOR item within our limits");
  cbor_load_result loaded{};
  const Item root(cbor_load(message.data(), message.size(), &loaded));
  if (!root || loaded.error.code != CBOR_ERR_NONE || loaded.read != message.size()) return bad("it is not CBOR");
  if (!cbor_isa_map(root.get())) return bad("it is no map");
  FccReply reply;
  bool has_status = false;
  for (const cbor_pair& pair : pairs_of(root.get())) {
    const auto name = text_of(pair.key);
    if (!name) return bad("a member without a name");
    BIRTHMARK_CHECK(read_member(*name, pair.value, reply, has_status));
  }
  if (!has_status) return bad("it has no ReturnStatus");
  return reply;
}

std::string describe_fcc_status(const FccReply& reply) {
  std::string text = std::to_string(reply.return_status);
  if (reply.return_status < kMeanings.size()) text += ", " + std::string(kMeanings[static_cast<std::size_t>(reply.return_status)]);
  if (!reply.info.empty()) text += " (" + reply.info + ")";
  return text;
}

std::string advice_for_fcc_status(std::uint64_t status) {
  switch (status) {
    case 9: return "the device's factory flow was disabled; it cannot be provisioned again";
    case 4:
    case 15:
    case 16: return "look at the storage, the entropy source and, with Parsec, /run/parsec/parsec.sock on the gateway";
    case 5:
    case 17: return "start the Factory Configurator Client anew: it holds items of an earlier attempt";
    case 13:
    case 33: return "look at the clock and timezone settings of this server";
    case 37: return "the gateway's build does not support this; look at device-key-generation-mode";
    default: return {};
  }
}

}  // namespace birthmark::faces::izuma
