// SPDX-License-Identifier: Apache-2.0
// Options as the original pep-cli takes them: one dash, one letter, the value behind it or in the next argument; and long ones for what it
// does not have.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace birthmark::device {

class PepOptions {
 public:
  // `letters` as getopt has them: "s:v". `words`: names of long options, "serial=" for those with a value. "-h" and "--help" are always
  // known.
  [[nodiscard]] static Result<PepOptions> parse(const std::vector<std::string>& arguments, std::string_view letters,
                                                const std::vector<std::string>& words = {});

  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] std::string value(const std::string& name, const std::string& otherwise = {}) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace birthmark::device
