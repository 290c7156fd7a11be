// SPDX-License-Identifier: Apache-2.0
#include "core/audit_verifier.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "base/text.h"

namespace birthmark::core {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::uint64_t kProgressEvery = 100'000;
// A server may change a device between our look at the table and our look at the audit; it does not go on doing so for ever.
constexpr int kLooksAtOneDevice = 8;

// --- bodies ------------------------------------------------------------------------------------------------------------------------

// The strings of a canonical body (audit_body): one flat object, no spaces, string values. Anything else is not ours.
class BodyReader {
 public:
  explicit BodyReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool read() {
    if (!take('{')) return false;
    do {
      auto name = read_string();
      if (!name || !take(':')) return false;
      auto value = read_string();
      if (!value) return false;
      fields_.emplace_back(std::move(*name), std::move(*value));
    } while (take(','));
    return take('}') && rest_.empty();
  }

  // Null when the field is absent.
  [[nodiscard]] const std::string* field(std::string_view name) const {
    for (const auto& [known, value] : fields_)
      if (known == name) return &value;
    return nullptr;
  }

 private:
  [[nodiscard]] bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] std::optional<std::string> read_string() {
    if (!take('"')) return std::nullopt;
    std::string value;
    while (!rest_.empty()) {
      const char next = rest_.front();
      rest_.remove_prefix(1);
      if (next == '"') return value;
      if (static_cast<unsigned char>(next) < 0x20U) return std::nullopt;
      if (next != '\\')
        value.push_back(next);
      else if (!read_escape(value))
        return std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool read_escape(std::string& value) {
    if (rest_.empty()) return false;
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (kind == 'u') return read_code_unit(value);
    const std::size_t known = kEscapes.find(kind);
    if (known == std::string_view::npos) return false;
    value.push_back(kMeanings[known]);
    return true;
  }

  // Canonical bodies escape control characters only; everything else is UTF-8 as it is.
  [[nodiscard]] bool read_code_unit(std::string& value) {
    if (rest_.size() < 4) return false;
    const auto octets = from_hex(rest_.substr(0, 4));
    if (!octets || (*octets)[0] != 0 || (*octets)[1] >= 0x80U) return false;
    value.push_back(static_cast<char>((*octets)[1]));
    rest_.remove_prefix(4);
    return true;
  }

  std::string_view rest_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

// --- what the audit says of every device ---------------------------------------------------------------------------------------------

// Half a SHA-256 is kept of everything: a million devices fit into about 80 MB, and a forger still needs 2^128 tries.
using Half = std::array<std::uint8_t, 16>;

struct DeviceState {
  DeviceStatus status = DeviceStatus::active;
  bool enrolled = false;
  bool met = false;  // in the table
  Half key{};
  Half certificate{};
};

struct Entry {
  Half identity{};
  std::uint64_t sequence = 0;  // of the last record that speaks of it
  DeviceState state;
};

// Open addressing over row numbers: no allocation for each device.
class DeviceMap {
 public:
  [[nodiscard]] Entry* find(const Half& identity) {
    const std::uint32_t number = slots_[slot(identity)];
    return number == 0 ? nullptr : &entries_[number - 1];
  }

  Entry& make(const Half& identity) {
    if (Entry* known = find(identity)) return *known;
    if ((entries_.size() + 1) * 2 > slots_.size()) grow();
    entries_.emplace_back().identity = identity;
    slots_[slot(identity)] = static_cast<std::uint32_t>(entries_.size());
    return entries_.back();
  }

  [[nodiscard]] const std::deque<Entry>& entries() const { return entries_; }

 private:
  [[nodiscard]] std::size_t slot(const Half& identity) const {
    std::size_t at = 0;
    for (std::size_t i = 0; i < sizeof at; ++i) at = (at << 8U) | identity[i];
    for (;; ++at) {
      const std::uint32_t number = slots_[at & (slots_.size() - 1)];
      if (number == 0 || entries_[number - 1].identity == identity) return at & (slots_.size() - 1);
    }
  }

  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) slots_[slot(entries_[i].identity)] = static_cast<std::uint32_t>(i + 1);
  }

  std::deque<Entry> entries_;
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(1024, 0);
};

// --- the verifier ------------------------------------------------------------------------------------------------------------------

class Verifier {
 public:
  Verifier(Registry& registry, const X509Codec& codec, const std::function<void(std::uint64_t)>& progress)
      : registry_(registry), codec_(codec), progress_(progress) {}

  [[nodiscard]] Result<AuditVerdict> verify(const std::vector<AuditHead>& heads) {
    heads_ = &heads;
    BIRTHMARK_CHECK(read_chain());
    if (!verdict_.good()) return finish();
    const AuditHead* longer = nullptr;
    for (const AuditHead& head : heads)
      if (head.count > verdict_.head.count) longer = &head;
    BIRTHMARK_CHECK(compare_tables());
    if (longer != nullptr) shorter_than(*longer);
    return finish();
  }

 private:
  [[nodiscard]] AuditVerdict finish() { return std::move(verdict_); }

  void found(AuditFault fault, std::uint64_t sequence, std::string text) {
    verdict_.fault = fault;
    verdict_.sequence = sequence;
    verdict_.text = std::move(text);
  }
  void found_device(AuditFault fault, const std::string& device, std::string text) {
    found(fault, 0, std::move(text));
    verdict_.device = device;
  }

  // From where we are to the present end, or to the first fault.
  [[nodiscard]] Status read_chain() {
    for (;;) {
      BIRTHMARK_TRY(const auto page, registry_.audit_records(verdict_.head.count, kPage));
      for (const AuditRecord& record : page) {
        BIRTHMARK_CHECK(read_record(record));
        if (!verdict_.good()) return {};
      }
      if (page.size() < kPage) return {};
    }
  }

  [[nodiscard]] Status read_record(const AuditRecord& record) {
    AuditHead& head = verdict_.head;
    const std::uint64_t expected = head.count + 1;
    if (record.sequence != expected) {
      found(AuditFault::record_deleted, expected, "audit record " + std::to_string(expected) + " was deleted");
      return {};
    }
    if (audit_link(codec_, record.stream, record.sequence, head.hash, record.body) != record.hash) return explain_broken_link(record);
    head.count = record.sequence;
    head.hash = record.hash;
    check_heads();
    if (verdict_.good()) apply(record);
    if (progress_ && head.count % kProgressEvery == 0) progress_(head.count);
    return {};
  }

  // A record that fits here but stands elsewhere tells a reorder from an edit.
  [[nodiscard]] Status explain_broken_link(const AuditRecord& broken) {
    const std::string number = std::to_string(broken.sequence);
    std::uint64_t after = broken.sequence;
    for (;;) {
      BIRTHMARK_TRY(const auto page, registry_.audit_records(after, kPage));
      for (const AuditRecord& record : page) {
        after = record.sequence;
        if (audit_link(codec_, record.stream, broken.sequence, verdict_.head.hash, record.body) != record.hash) continue;
        found(AuditFault::records_reordered, broken.sequence,
              "audit records " + number + " and " + std::to_string(record.sequence) + " changed places");
        return {};
      }
      if (page.size() < kPage) break;
    }
    found(AuditFault::record_edited, broken.sequence, "audit record " + number + " was edited: its hash does not follow from it");
    return {};
  }

  void check_heads() {
    for (const AuditHead& head : *heads_) {
      if (head.count != verdict_.head.count || head.hash == verdict_.head.hash) continue;
      found(AuditFault::head_differs, head.count,
            "audit record " + std::to_string(head.count) + " is not the one that the kept head names: the chain was made anew");
    }
  }

  // Run last, so that the tables can tell what happened to the missing records.
  void shorter_than(const AuditHead& head) {
    const bool tables_agree = verdict_.good();
    const std::uint64_t first = verdict_.head.count + 1;
    const std::string missing = "audit records " + std::to_string(first) + " to " + std::to_string(head.count) + " are missing: ";
    verdict_.device.clear();
    if (tables_agree)
      found(AuditFault::older_database, first, missing + "an older database was put back, or records that concern no device were cut off");
    else
      found(AuditFault::tail_cut, first, missing + "the end of the audit was cut off");
  }

  // --- devices

  [[nodiscard]] Half half(const Sha256Digest& digest) const {
    Half made{};
    std::copy_n(digest.octets.begin(), made.size(), made.begin());
    return made;
  }
  [[nodiscard]] Half digest(std::string_view a, std::string_view b, std::string_view c) const {
    std::string joined(a);
    joined.append(1, '\0').append(b).append(1, '\0').append(c);
    return half(codec_.sha256(as_bytes(joined)));
  }
  [[nodiscard]] Half digest(const DeviceIdentity& identity) const {
    return digest(identity.factory, to_string(identity.ecosystem), identity.external_id);
  }

  void unreadable(const AuditRecord& record) {
    found(AuditFault::record_unreadable, record.sequence,
          "audit record " + std::to_string(record.sequence) + " is not one that this version of birthmark writes");
  }

  void apply(const AuditRecord& record) {
    BodyReader body(record.body);
    const std::string* event = body.read() ? body.field("event") : nullptr;
    if (event == nullptr) return unreadable(record);
    constexpr std::array kIssued{AuditEvent::device_issued, AuditEvent::device_superseded, AuditEvent::device_admitted,
                                 AuditEvent::device_rekeyed};
    const bool issued = std::any_of(kIssued.begin(), kIssued.end(), [&](AuditEvent known) { return *event == to_string(known); });
    const bool denied = *event == to_string(AuditEvent::device_denied) || *event == to_string(AuditEvent::device_deleted);
    const bool allowed = *event == to_string(AuditEvent::device_allowed) || *event == to_string(AuditEvent::device_key_forgotten) ||
                         *event == to_string(AuditEvent::device_released);
    const bool imported = *event == to_string(AuditEvent::device_imported);
    if (!issued && !denied && !allowed && !imported) return;

    const std::string* factory = body.field("factory");
    const std::string* ecosystem = body.field("ecosystem");
    const std::string* id = body.field("id");
    if (factory == nullptr || ecosystem == nullptr || id == nullptr) return unreadable(record);
    Entry& entry = devices_.make(digest(*factory, *ecosystem, *id));
    entry.sequence = record.sequence;
    if (denied) entry.state.status = DeviceStatus::denied;
    if (allowed) entry.state = {.status = DeviceStatus::released, .enrolled = false, .met = entry.state.met, .key = {}, .certificate = {}};
    if (imported && !apply_import(body, entry.state)) unreadable(record);
    if (issued && !apply_issuance(body, entry.state)) unreadable(record);
  }

  [[nodiscard]] bool apply_import(const BodyReader& body, DeviceState& state) const {
    const std::string* key = body.field("key");
    if (key == nullptr) return false;
    state.status = DeviceStatus::active;
    state.enrolled = true;
    state.key = half(codec_.sha256(as_bytes(*key)));
    state.certificate = {};
    return true;
  }

  [[nodiscard]] bool apply_issuance(const BodyReader& body, DeviceState& state) const {
    const std::string* key = body.field("key");
    const std::string* certificate = body.field("certificate");
    const std::string* serial = body.field("serial");
    const std::string* issuer = body.field("issuer");
    if (key == nullptr || certificate == nullptr || serial == nullptr || issuer == nullptr) return false;
    state.status = DeviceStatus::active;
    state.enrolled = true;
    state.key = half(codec_.sha256(as_bytes(*key)));
    state.certificate = digest(*certificate, *serial, *issuer);
    return true;
  }

  // What the table says, in the audit's terms.
  [[nodiscard]] DeviceState state_of(const DeviceRecord& device) const {
    DeviceState state;
    state.status = device.status;
    state.enrolled = device.current_key.has_value() || device.certificate.has_value();
    if (device.current_key) state.key = half(codec_.sha256(as_bytes(to_hex(device.current_key->view()))));
    if (device.certificate) {
      const auto& kept = device.certificate->only_fingerprint;
      const std::string fingerprint = to_hex(kept ? kept->view() : codec_.sha256(device.certificate->der).view());
      state.certificate = digest(fingerprint, device.certificate->serial.hex(), std::to_string(device.certificate->issuer));
    }
    return state;
  }

  [[nodiscard]] Status compare_tables() {
    RowId after = 0;
    for (;;) {
      BIRTHMARK_TRY(const auto page, registry_.list({}, after, kPage));
      for (const DeviceSummary& row : page) {
        after = row.row;
        BIRTHMARK_CHECK(compare_device(row.identity));
        if (!verdict_.good()) return {};
        ++verdict_.devices;
      }
      if (page.size() < kPage) break;
    }
    return look_for_missing_rows();
  }

  // The server may be at work: a difference counts only if it stays when the audit is read up to its present end.
  [[nodiscard]] Status compare_device(const DeviceIdentity& identity) {
    std::string difference;
    AuditFault fault = AuditFault::none;
    for (int look = 0; look < kLooksAtOneDevice; ++look) {
      BIRTHMARK_TRY(const auto device, registry_.find(identity));
      if (look > 0) BIRTHMARK_CHECK(read_chain());
      if (!verdict_.good()) return {};
      Entry* entry = devices_.find(digest(identity));
      if (entry != nullptr) entry->state.met = true;
      fault = compare(device, entry, difference);
      if (fault == AuditFault::none) return {};
    }
    found_device(fault, identity.external_id, "device " + identity.external_id + " " + difference);
    return {};
  }

  [[nodiscard]] AuditFault compare(const std::optional<DeviceRecord>& device, const Entry* entry, std::string& difference) const {
    if (!device) {
      difference = "is in the audit but not in the registry";
      return AuditFault::device_missing;
    }
    if (entry == nullptr) {
      difference = "is in the registry but not in the audit";
      return AuditFault::device_unaudited;
    }
    const DeviceState table = state_of(*device);
    const DeviceState& audit = entry->state;
    const auto name = [](DeviceStatus status) { return std::string(to_string(status)); };
    if (table.status != audit.status)
      difference = "is " + name(table.status) + " in the registry and " + name(audit.status) + " by the audit";
    else if (table.enrolled != audit.enrolled || table.key != audit.key)
      difference = "has another key in the registry than by the audit";
    else if (table.certificate != audit.certificate)
      difference = "has another certificate in the registry than by the audit";
    else
      return AuditFault::none;
    return AuditFault::device_differs;
  }

  [[nodiscard]] Status look_for_missing_rows() {
    // By number: reading the chain further may add entries on the way.
    for (std::size_t i = 0; i < devices_.entries().size(); ++i) {
      const Entry& entry = devices_.entries()[i];
      if (entry.state.met) continue;
      // Registered while we read the list, or gone: its own record says who it is.
      BIRTHMARK_TRY(const auto records, registry_.audit_records(entry.sequence - 1, 1));
      if (records.empty()) continue;
      BodyReader body(records.front().body);
      if (!body.read() || body.field("id") == nullptr) continue;
      DeviceIdentity identity;
      identity.factory = *body.field("factory");
      identity.ecosystem = parse_ecosystem(*body.field("ecosystem")).value_or(Ecosystem::foundries);
      identity.external_id = *body.field("id");
      BIRTHMARK_CHECK(compare_device(identity));
      if (!verdict_.good()) return {};
      ++verdict_.devices;
    }
    return {};
  }

  Registry& registry_;
  const X509Codec& codec_;
  const std::function<void(std::uint64_t)>& progress_;
  const std::vector<AuditHead>* heads_ = nullptr;
  DeviceMap devices_;
  AuditVerdict verdict_;
};

}  // namespace

std::string_view to_string(AuditFault fault) {
  switch (fault) {
    case AuditFault::none: return "none";
    case AuditFault::record_edited: return "record-edited";
    case AuditFault::record_deleted: return "record-deleted";
    case AuditFault::records_reordered: return "records-reordered";
    case AuditFault::record_unreadable: return "record-unreadable";
    case AuditFault::tail_cut: return "tail-cut";
    case AuditFault::older_database: return "older-database";
    case AuditFault::head_differs: return "head-differs";
    case AuditFault::device_differs: return "device-differs";
    case AuditFault::device_missing: return "device-missing";
    case AuditFault::device_unaudited: return "device-unaudited";
  }
  return "unknown";
}

Result<AuditVerdict> verify_audit(Registry& registry, const X509Codec& codec, std::optional<AuditHead> expected,
                                  std::optional<AuditHead> signed_head, const std::function<void(std::uint64_t records)>& progress) {
  std::vector<AuditHead> heads;
  if (expected) heads.push_back(*expected);
  if (signed_head) heads.push_back(*signed_head);
  return Verifier(registry, codec, progress).verify(heads);
}

}  // namespace birthmark::core
