// SPDX-License-Identifier: Apache-2.0
// Structured log lines on stderr: time, level, event, key=value fields. Never a secret, never a private key, never a token.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace birthmark::log {

enum class Level { debug, info, warning, error };

struct Field {
  std::string_view name;
  std::string value;
};

void set_level(Level lowest);
[[nodiscard]] bool enabled(Level level);

// `event` is a constant phrase a reader can search for; what varies goes into fields.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace birthmark::log
