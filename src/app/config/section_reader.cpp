// SPDX-License-Identifier: Apache-2.0
#include "app/config/section_reader.h"

#include <toml++/toml.h>
#include <algorithm>
#include <sstream>

namespace birthmark::app {
namespace {

std::string position(const toml::node& node) {
  return "line " + std::to_string(node.source().begin.line);
}

}  // namespace

struct ConfigFile::Document {
  toml::table root;
};

Result<ConfigFile> ConfigFile::parse(std::string_view text, std::string_view name) {
  try {
    auto document = std::make_shared<const Document>(Document{toml::parse(text, name)});
    return ConfigFile(std::string(name), std::move(document));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::misconfigured,
                std::string(name) + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

Status ConfigFile::check_sections(const std::vector<std::string_view>& known) const {
  for (const auto& [key, node] : document_->root) {
    if (std::find(known.begin(), known.end(), key.str()) == known.end())
      return fail(ErrorCode::misconfigured, name_ + ", " + position(node) + ": unknown section [" + std::string(key.str()) + "]");
  }
  return {};
}

bool ConfigFile::has(std::string_view section) const {
  return document_->root.contains(section);
}

std::map<std::string, std::string> ConfigFile::settings() const {
  std::map<std::string, std::string> all;
  for (const auto& [section, node] : document_->root) {
    const toml::table* table = node.as_table();
    if (table == nullptr) continue;
    for (const auto& [key, value] : *table) {
      std::ostringstream text;
      value.visit([&](const auto& element) { text << element; });
      all.emplace(std::string(section.str()) + "." + std::string(key.str()), text.str());
    }
  }
  return all;
}

SectionReader ConfigFile::section(std::string name) const {
  return {document_, name_, std::move(name)};
}

tl::unexpected<Error> ConfigFile::mistake(const std::string& text) const {
  return fail(ErrorCode::misconfigured, name_ + ": " + text);
}

struct SectionReader::Table {
  std::shared_ptr<const ConfigFile::Document> document;
  std::string file;
  std::string section;
  const toml::table* table = nullptr;
  std::vector<std::string> known;
  std::string mistake;

  const toml::node* take(std::string_view key) {
    known.emplace_back(key);
    return table == nullptr || !mistake.empty() ? nullptr : table->get(key);
  }
  [[nodiscard]] std::string name(std::string_view key) const { return section + "." + std::string(key); }
  void complain(const toml::node& node, const std::string& text) {
    if (mistake.empty()) mistake = file + ", " + position(node) + ": " + text;
  }
};

SectionReader::SectionReader(std::shared_ptr<const ConfigFile::Document> document, std::string file, std::string section)
    : table_(std::make_unique<Table>()) {
  table_->document = std::move(document);
  table_->file = std::move(file);
  table_->section = std::move(section);
  const toml::node* node = table_->document->root.get(table_->section);
  if (node == nullptr) return;
  table_->table = node->as_table();
  if (table_->table == nullptr) table_->complain(*node, table_->section + " must be a [table]");
}

SectionReader::~SectionReader() = default;

SectionReader& SectionReader::text(std::string_view key, std::string& to, const std::function<Status(std::string_view)>& check) {
  const toml::node* node = table_->take(key);
  if (node == nullptr) return *this;
  const auto value = node->value_exact<std::string>();
  if (!value) return complain(key, "must be a string");
  if (check) {
    if (auto judged = check(*value); !judged) {
      table_->complain(*node, table_->name(key) + ": " + judged.error().public_message);
      return *this;
    }
  }
  to = *value;
  return *this;
}

SectionReader& SectionReader::flag(std::string_view key, bool& to) {
  const toml::node* node = table_->take(key);
  if (node == nullptr) return *this;
  const auto value = node->value_exact<bool>();
  if (!value) return complain(key, "must be true or false");
  to = *value;
  return *this;
}

std::optional<std::int64_t> SectionReader::whole_number(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* node = table_->take(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return *value;
  complain(key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

SectionReader& SectionReader::duration(std::string_view key, Duration& to) {
  std::string written;
  text(key, written);
  if (written.empty()) return *this;
  auto parsed = parse_duration(written);
  if (!parsed) return complain(key, ": " + parsed.error().public_message);
  to = *parsed;
  return *this;
}

SectionReader& SectionReader::span(std::string_view key, Duration& to) {
  duration(key, to);
  if (to <= Duration::zero()) complain(key, "must be longer than nothing");
  return *this;
}

SectionReader& SectionReader::texts(std::string_view key, std::vector<std::string>& to) {
  const toml::node* node = table_->take(key);
  if (node == nullptr) return *this;
  const toml::array* array = node->as_array();
  if (array == nullptr) return complain(key, "must be a list of strings");
  to.clear();
  for (const toml::node& element : *array) {
    const auto value = element.value_exact<std::string>();
    if (!value) return complain(key, "must be a list of strings");
    to.push_back(*value);
  }
  return *this;
}

SectionReader& SectionReader::endpoints(std::string_view key, std::vector<net::Endpoint>& to) {
  std::vector<std::string> written;
  const bool given = table_->table != nullptr && table_->table->contains(key);
  texts(key, written);
  if (!given || !table_->mistake.empty()) return *this;
  to.clear();
  for (const std::string& address : written) {
    auto endpoint = net::parse_endpoint(address);
    if (!endpoint) return complain(key, ": " + endpoint.error().public_message);
    to.push_back(*endpoint);
  }
  return *this;
}

SectionReader& SectionReader::complain(std::string_view key, const std::string& text) {
  const toml::node* node = table_->table == nullptr ? nullptr : table_->table->get(key);
  const std::string said = table_->name(key) + (text.starts_with(':') ? "" : " ") + text;
  if (node != nullptr) {
    table_->complain(*node, said);
  } else if (table_->mistake.empty()) {
    table_->mistake = table_->file + ": " + said;
  }
  return *this;
}

Status SectionReader::finish() {
  Table& read = *table_;
  if (read.table != nullptr && read.mistake.empty()) {
    for (const auto& [key, node] : *read.table) {
      if (std::find(read.known.begin(), read.known.end(), key.str()) == read.known.end())
        read.complain(node, "unknown setting " + read.name(key.str()));
    }
  }
  if (read.mistake.empty()) return {};
  return fail(ErrorCode::misconfigured, read.mistake);
}

}  // namespace birthmark::app
