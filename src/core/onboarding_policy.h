// SPDX-License-Identifier: Apache-2.0
// Which EVE nodes may come in, and under which serial each is known. Pure: everything it looks at is handed in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/nodes.h"

namespace birthmark::core {

struct OnboardingRules {
  // Hardware serials that a whole product line shares (protocol facts, EVE 4.2): such a node is told apart by its soft serial, unless the
  // onboarding certificate lists the serial itself. Compared without case and outer blanks.
  std::vector<std::string> placeholders = default_placeholders();

  [[nodiscard]] static std::vector<std::string> default_placeholders();
  [[nodiscard]] bool is_placeholder(std::string_view serial) const;
};

// What a node says of itself.
struct NodeSerials {
  std::string hardware;  // without outer blanks
  std::string soft;
};

// Checks and trims; `invalid` with a text that names the field (protocol facts, EVE 2: serial and softSerial have at most 256 bytes).
[[nodiscard]] Result<NodeSerials> read_serials(std::string_view hardware, std::string_view soft);

// Why the certificate brings no new nodes; nothing when it does.
[[nodiscard]] std::optional<std::string> why_closed(const OnboardingCertificate& certificate, Instant now);

// The serial that the certificate admits: the hardware serial before the soft one. `listed` asks the certificate's list.
using IsListed = std::function<Result<bool>(const std::string&)>;
[[nodiscard]] Result<std::optional<std::string>> admitted_serial(const OnboardingCertificate& certificate, const NodeSerials& serials,
                                                                 const OnboardingRules& rules, const IsListed& listed);

// The serial to write on a list so that this node is admitted; nothing when it has none that tells it apart.
[[nodiscard]] std::optional<std::string> telling_serial(const NodeSerials& serials, const OnboardingRules& rules);

}  // namespace birthmark::core
