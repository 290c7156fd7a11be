// SPDX-License-Identifier: Apache-2.0
#include "crypto/name_reader.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "crypto/der_reader.h"
#include "crypto/der_writer.h"
#include "crypto/object_identifiers.h"

namespace birthmark::crypto {
namespace {

using core::NameAttribute;
using core::NameAttributeType;

constexpr der::Tag kNumericString = 0x12;
constexpr der::Tag kTeletexString = 0x14;
constexpr der::Tag kVisibleString = 0x1a;
constexpr der::Tag kUniversalString = 0x1c;
constexpr der::Tag kBmpString = 0x1e;

NameAttributeType type_of(ByteView type) {
  if (equal(type, oid::kCommonName)) return NameAttributeType::common_name;
  if (equal(type, oid::kOrganizationalUnit)) return NameAttributeType::organizational_unit;
  if (equal(type, oid::kBusinessCategory)) return NameAttributeType::business_category;
  return NameAttributeType::other;
}

bool is_printable_string(std::string_view text) {
  constexpr std::string_view kSigns = " '()+,-./:=?";  // X.680 41.4
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kSigns.find(c) != std::string_view::npos;
  });
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void append_code_point(std::string& to, std::uint32_t code) {
  const auto put = [&](std::uint32_t octet) { to.push_back(static_cast<char>(octet)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | code >> 6U);
  } else if (code < 0x10000) {
    put(0xe0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3fU));
  } else {
    put(0xf0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3fU));
    put(0x80U | (code >> 6U & 0x3fU));
  }
  put(0x80U | (code & 0x3fU));
}

// Characters of a fixed width, big-endian: TeletexString as Latin-1 (what it holds in practice), BMPString, UniversalString.
std::optional<std::string> decode_wide(ByteView contents, std::size_t width) {
  if (contents.size() % width != 0) return std::nullopt;
  std::string text;
  for (std::size_t at = 0; at < contents.size(); at += width) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < width; ++i) code = code << 8U | contents[at + i];
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code > 0x10ffff || surrogate) return std::nullopt;
    append_code_point(text, code);
  }
  return text;
}

bool is_string_type(der::Tag tag) {
  switch (tag) {
    case der::kUtf8String:
    case der::kPrintableString:
    case der::kIa5String:
    case kNumericString:
    case kVisibleString:
    case kTeletexString:
    case kBmpString:
    case kUniversalString: return true;
    default: return false;
  }
}

// The value as UTF-8; nothing when it is not what its type says. PrintableStrings beyond their alphabet are common in old certificates.
std::optional<std::string> decode_text(const der::Value& value) {
  const std::string_view text = as_text(value.contents);
  switch (value.tag) {
    case der::kUtf8String: return is_utf8(text) ? std::optional<std::string>(text) : std::nullopt;
    case kTeletexString: return decode_wide(value.contents, 1);
    case kBmpString: return decode_wide(value.contents, 2);
    case kUniversalString: return decode_wide(value.contents, 4);
    default: return is_ascii(text) ? std::optional<std::string>(text) : std::nullopt;
  }
}

struct TypeAndValue {
  der::Value type;
  der::Value value;
};

std::optional<TypeAndValue> read_type_and_value(der::Reader& set) {
  const auto sequence = set.read(der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader reader(sequence->contents);
  const auto type = reader.read(der::kObjectIdentifier);
  const auto value = reader.read_any();
  if (!type || !value || !reader.at_end()) return std::nullopt;
  return TypeAndValue{*type, *value};
}

// Calls `take(type_and_value)` for each attribute; it answers whether to go on. False when the Name's grammar is broken or `take` said
// stop.
template <class Take>
bool walk_name(ByteView contents, Take&& take) {
  der::Reader names(contents);
  while (!names.at_end()) {
    const auto set = names.read(der::kSet);
    if (!set || set->contents.empty()) return false;
    der::Reader members(set->contents);
    while (!members.at_end()) {
      const auto pair = read_type_and_value(members);
      if (!pair || !take(*pair)) return false;
    }
  }
  return true;
}

bool sets_are_ordered(ByteView contents) {
  der::Reader names(contents);
  while (const auto set = names.read(der::kSet))
    if (!der::members_ascend(set->contents)) return false;
  return true;
}

std::string_view request_string_fault(const der::Value& value) {
  const std::string_view text = as_text(value.contents);
  if (text.empty()) return "an attribute of its subject is empty";
  if (text.find('\0') != std::string_view::npos) return "an attribute of its subject contains NUL";
  if (value.tag == der::kUtf8String && !is_utf8(text)) return "an attribute of its subject is not valid UTF-8";
  if (value.tag == der::kPrintableString && !is_printable_string(text))
    return "an attribute of its subject has characters that no PrintableString may have";
  if (value.tag == der::kIa5String && !is_ascii(text)) return "an attribute of its subject has characters that no IA5String may have";
  return {};
}

}  // namespace

NameReading read_request_name(ByteView contents, std::vector<NameAttribute>& attributes) {
  attributes.reserve(4);
  std::string_view fault;
  bool other_strings = false;
  const bool well_formed = walk_name(contents, [&](const TypeAndValue& pair) {
    const der::Tag tag = pair.value.tag;
    if (tag != der::kUtf8String && tag != der::kPrintableString && tag != der::kIa5String) {
      other_strings = true;
      return true;
    }
    fault = request_string_fault(pair.value);
    attributes.push_back({type_of(pair.type.contents), to_bytes(pair.type.contents), std::string(as_text(pair.value.contents))});
    return fault.empty();
  });
  if (!well_formed) return {NameOutcome::malformed, fault.empty() ? "its subject is not a Name" : fault};
  if (!sets_are_ordered(contents)) return {NameOutcome::malformed, "its subject has a SET that is not in order (BER, not DER)"};
  return {other_strings ? NameOutcome::other_strings : NameOutcome::read, {}};
}

NameReading read_certificate_name(ByteView contents, std::vector<NameAttribute>& attributes) {
  std::string_view fault;
  const bool well_formed = walk_name(contents, [&](const TypeAndValue& pair) {
    const NameAttributeType type = type_of(pair.type.contents);
    std::optional<std::string> text;
    if (is_string_type(pair.value.tag)) text = decode_text(pair.value);
    const bool must_be_text = type != NameAttributeType::other || is_string_type(pair.value.tag);
    if (must_be_text && (!text || text->find('\0') != std::string::npos)) fault = "an attribute of its subject is no proper text";
    attributes.push_back({type, to_bytes(pair.type.contents), text ? std::move(*text) : std::string()});
    return fault.empty();
  });
  if (well_formed) return {};
  return {NameOutcome::malformed, fault.empty() ? "its subject is not a Name" : fault};
}

Result<Bytes> remove_business_category(ByteView name_der) {
  const auto name = der::read_single(name_der, der::kSequence);
  if (!name || der::find_fault(name_der)) return fail(ErrorCode::invalid, "The subject is not a Name.");
  Bytes kept;
  der::Reader names(name->contents);
  while (!names.at_end()) {
    const auto set = names.read(der::kSet);
    if (!set) return fail(ErrorCode::invalid, "The subject is not a Name.");
    Bytes members;
    der::Reader reader(set->contents);
    while (!reader.at_end()) {
      der::Reader one = reader;
      const auto whole = reader.read_any();
      const auto pair = read_type_and_value(one);
      if (!pair) return fail(ErrorCode::invalid, "The subject is not a Name.");
      if (!equal(pair->type.contents, oid::kBusinessCategory)) append(members, whole->whole);
    }
    if (!members.empty()) der::append_value(kept, der::kSet, {members});
  }
  return der::value(der::kSequence, {kept});
}

Result<Bytes> set_business_category(ByteView name_der, std::string_view category) {
  if (category.empty() || !is_utf8(category)) return fail(ErrorCode::internal, "A businessCategory must be UTF-8 text.");
  BIRTHMARK_TRY(const Bytes others, remove_business_category(name_der));
  std::size_t found = 0;
  bool fits = true;
  const bool read = walk_name(der::read_single(name_der, der::kSequence)->contents, [&](const TypeAndValue& pair) {
    if (!equal(pair.type.contents, oid::kBusinessCategory)) return true;
    ++found;
    fits = fits && is_string_type(pair.value.tag) && decode_text(pair.value) == category;
    return true;
  });
  BIRTHMARK_ASSERT(read);
  if (found == 1 && fits) return to_bytes(name_der);
  const Bytes type = der::value(der::kObjectIdentifier, {oid::kBusinessCategory});
  const Bytes text = der::value(der::kUtf8String, {as_bytes(category)});
  const Bytes appended = der::value(der::kSet, {der::value(der::kSequence, {type, text})});
  return der::value(der::kSequence, {der::read_single(others, der::kSequence)->contents, appended});
}

}  // namespace birthmark::crypto
