// SPDX-License-Identifier: Apache-2.0
#include "core/contact_book.h"

#include <boost/json.hpp>

namespace birthmark::core {
namespace {

namespace json = boost::json;

constexpr std::size_t kPages = 65'536;                      // in each of the two halves
constexpr Duration kWriteEvery = std::chrono::seconds(60);  // the same device, when nothing changed
constexpr std::size_t kMaxHeaderBytes = 2'048;
constexpr const char* kStateKind = "state";

void take(std::string& to, const std::optional<std::string_view>& header) {
  if (header) to = std::string(header->substr(0, kMaxHeaderBytes));
}

std::string member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

ContactBook::Page& ContactBook::page_of(const AdmittedDevice& device) {
  if (const auto found = young_.find(device.row); found != young_.end()) return found->second;
  if (young_.size() >= kPages) {
    old_ = std::move(young_);
    young_ = {};
  }
  Page page;
  if (const auto found = old_.find(device.row); found != old_.end()) page = std::move(found->second);
  return young_.insert_or_assign(device.row, std::move(page)).first->second;
}

void ContactBook::read_state(const AdmittedDevice& device, Page& page) {
  if (page.read) return;
  page.read = true;
  const auto stored = field_.newest(device_field(device.identity, kStateKind), 1);
  if (!stored || stored->empty()) return;
  boost::system::error_code error;
  const json::value body = json::parse(stored->front().body, error);
  if (error || !body.is_object()) return;
  const json::object& object = body.get_object();
  page.state = {member(object, "tag"), member(object, "target"), member(object, "ostree_hash"), member(object, "apps")};
}

void ContactBook::note(const AdmittedDevice& device, const StateHeaders& headers, Instant now) {
  const std::lock_guard lock(mutex_);
  Page& page = page_of(device);
  if (headers.any()) {
    read_state(device, page);
    DeviceState next = page.state;
    take(next.tag, headers.tag);
    take(next.target, headers.target);
    take(next.ostree_hash, headers.ostree_hash);
    take(next.apps, headers.apps);
    if (next != page.state) {
      FieldAppend append;
      append.key = device_field(device.identity, kStateKind);
      append.bodies = {json::serialize(
          json::object{{"tag", next.tag}, {"target", next.target}, {"ostree_hash", next.ostree_hash}, {"apps", next.apps}})};
      append.at = now;
      page.state = std::move(next);
      field_.note(std::move(append));
    }
  }
  if (now - page.written < kWriteEvery) return;
  page.written = now;
  contacts_.push_back({device.row, now});
}

DeviceState ContactBook::state_of(const AdmittedDevice& device) {
  const std::lock_guard lock(mutex_);
  Page& page = page_of(device);
  read_state(device, page);
  return page.state;
}

void ContactBook::flush() {
  std::vector<Contact> contacts;
  {
    const std::lock_guard lock(mutex_);
    contacts.swap(contacts_);
  }
  field_.note_contacts(std::move(contacts));
}

}  // namespace birthmark::core
