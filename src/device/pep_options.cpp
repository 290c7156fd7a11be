// SPDX-License-Identifier: Apache-2.0
#include "device/pep_options.h"

#include <algorithm>

namespace birthmark::device {
namespace {

tl::unexpected<Error> bad(const std::string& why) {
  return fail(ErrorCode::invalid, why + "; -h says more");
}

}  // namespace

Result<PepOptions> PepOptions::parse(const std::vector<std::string>& arguments, std::string_view letters,
                                     const std::vector<std::string>& words) {
  PepOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help") {
      options.values_["h"] = "";
      continue;
    }
    if (argument.starts_with("--")) {
      const std::string name = argument.substr(2, argument.find('=') - 2);
      const bool flag = std::find(words.begin(), words.end(), name) != words.end();
      const bool valued = std::find(words.begin(), words.end(), name + "=") != words.end();
      if (!flag && !valued) return bad("unknown option --" + name);
      if (flag) options.values_[name] = "";
      if (!valued) continue;
      const std::size_t equals = argument.find('=');
      if (equals == std::string::npos && i + 1 == arguments.size()) return bad("--" + name + " needs a value");
      options.values_[name] = equals != std::string::npos ? argument.substr(equals + 1) : arguments[++i];
      continue;
    }
    if (argument.size() < 2 || argument[0] != '-') return bad("unexpected argument '" + argument + "'");
    for (std::size_t at = 1; at < argument.size(); ++at) {
      const std::string letter(1, argument[at]);
      const std::size_t known = letter == "h" ? std::string_view::npos : letters.find(argument[at]);
      if (letter != "h" && (known == std::string_view::npos || letter == ":")) return bad("illegal option -- " + letter);
      const bool valued = letter != "h" && known + 1 < letters.size() && letters[known + 1] == ':';
      if (!valued) {
        options.values_[letter] = "";
        continue;
      }
      if (at + 1 == argument.size() && i + 1 == arguments.size()) return bad("option requires an argument -- " + letter);
      options.values_[letter] = at + 1 < argument.size() ? argument.substr(at + 1) : arguments[++i];
      break;
    }
  }
  return options;
}

}  // namespace birthmark::device
