// SPDX-License-Identifier: Apache-2.0
// Whether the files that a running server reads have changed: birthmark.toml, keys/ and the certificates beside them. Looks, does not wait;
// `serve` asks once a second.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace birthmark::app {

class FileWatch {
 public:
  explicit FileWatch(std::filesystem::path directory) : directory_(std::move(directory)), taken_(look()), seen_(taken_) {}

  // True once after a change, when two looks in a row found the same: who writes several files, or one slowly, is let finish.
  [[nodiscard]] bool settled();
  // What is there now is known; after a reload that somebody else asked for.
  void take() { taken_ = seen_ = look(); }

 private:
  [[nodiscard]] std::string look() const;

  const std::filesystem::path directory_;
  std::string taken_;  // as of the last reload
  std::string seen_;   // at the last look
};

}  // namespace birthmark::app
