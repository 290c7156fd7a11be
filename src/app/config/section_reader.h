// SPDX-License-Identifier: Apache-2.0
// A TOML file, read strictly section by section: the first mistake is kept with its file and line, and a key that nobody asked for is one.
// Used by the files of this folder, one a section; no caller sees the TOML library.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/server.h"

namespace birthmark::app {

class SectionReader;

class ConfigFile {
 public:
  // `name` is what error messages call the text ("DIR/birthmark.toml").
  [[nodiscard]] static Result<ConfigFile> parse(std::string_view text, std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // misconfigured for a section that is none of these.
  [[nodiscard]] Status check_sections(const std::vector<std::string_view>& known) const;
  [[nodiscard]] bool has(std::string_view section) const;
  // "section.key" of everything in it, with the value as TOML.
  [[nodiscard]] std::map<std::string, std::string> settings() const;
  // Of a section that is not there every setting keeps its value.
  [[nodiscard]] SectionReader section(std::string name) const;
  // For what is wrong between settings: "birthmark.toml: TEXT".
  [[nodiscard]] tl::unexpected<Error> mistake(const std::string& text) const;

  struct Document;  // section_reader.cpp

 private:
  ConfigFile(std::string name, std::shared_ptr<const Document> document) : name_(std::move(name)), document_(std::move(document)) {}
  std::string name_;
  std::shared_ptr<const Document> document_;
};

class SectionReader {
 public:
  SectionReader(std::shared_ptr<const ConfigFile::Document> document, std::string file, std::string section);
  ~SectionReader();
  SectionReader(const SectionReader&) = delete;
  SectionReader& operator=(const SectionReader&) = delete;

  // Each sets `to` when the key is there, with the right type and within reason.
  SectionReader& text(std::string_view key, std::string& to, const std::function<Status(std::string_view)>& check = {});
  SectionReader& flag(std::string_view key, bool& to);
  SectionReader& duration(std::string_view key, Duration& to);
  // The same, but longer than nothing.
  SectionReader& span(std::string_view key, Duration& to);
  SectionReader& texts(std::string_view key, std::vector<std::string>& to);
  // "host:port" texts.
  SectionReader& endpoints(std::string_view key, std::vector<net::Endpoint>& to);

  template <class Number>
  SectionReader& number(std::string_view key, Number& to, std::int64_t least, std::int64_t most) {
    if (const auto value = whole_number(key, least, most)) to = static_cast<Number>(*value);
    return *this;
  }

  template <class Enum>
  SectionReader& choice(std::string_view key, Enum& to, const std::function<std::optional<Enum>(std::string_view)>& parse,
                        std::string_view choices) {
    std::string written;
    text(key, written);
    if (written.empty()) return *this;
    const auto parsed = parse(written);
    if (!parsed) return complain(key, "must be one of: " + std::string(choices));
    to = *parsed;
    return *this;
  }

  // For judgements of the section's own: "FILE, line N: SECTION.KEY TEXT".
  SectionReader& complain(std::string_view key, const std::string& text);
  // The first mistake, or a key that nobody asked for.
  [[nodiscard]] Status finish();

 private:
  struct Table;
  [[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view key, std::int64_t least, std::int64_t most);

  const std::unique_ptr<Table> table_;
};

}  // namespace birthmark::app
