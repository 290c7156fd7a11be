// SPDX-License-Identifier: Apache-2.0
// Takes over what a factory-registration-ref left: makes a server's directory from its certificates and registers the devices of its log.
// Repeating it changes nothing. Used by `import registration-ref` and by `serve --registration-ref`.
#pragma once

#include <filesystem>
#include <string>

#include "app/reference_data.h"
#include "cli/command.h"

namespace birthmark::app {

struct ReferenceImport {
  ReferencePaths from;
  std::filesystem::path directory;  // the server's; made when it is not there
  std::string upstream_url;         // for the configuration that is made, when there is a token
  std::string group;
  bool dry_run = false;
  bool skip_refused = false;  // import the others
  bool quiet = false;
};

// conflict, after all reasons were printed, when something does not match; nothing was imported then unless `skip_refused`.
[[nodiscard]] Status import_reference(const ReferenceImport& import, cli::Console& console);

}  // namespace birthmark::app
