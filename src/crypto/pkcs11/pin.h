// SPDX-License-Identifier: Apache-2.0
// A token's PIN in a page of its own: locked, left out of core dumps, wiped when it goes. Nothing else of the program ever holds a copy:
// it is read straight into that page and handed to C_Login from there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace birthmark::crypto::pkcs11 {

class Pin {
 public:
  // A file that only its owner can read; one line end after the PIN is dropped.
  [[nodiscard]] static Result<std::shared_ptr<const Pin>> from_file(const std::filesystem::path& path);
  // Takes the variable's value away from the environment: overwritten where it stands, then unset. Call it before any thread starts.
  // not_found when there is no such variable.
  [[nodiscard]] static Result<std::shared_ptr<const Pin>> from_environment(const char* name);
  // Asks on the controlling terminal, without echo; misconfigured with advice when there is none.
  [[nodiscard]] static Result<std::shared_ptr<const Pin>> from_terminal(const std::string& question);
  // For tests and for tools that hold it already.
  [[nodiscard]] static Result<std::shared_ptr<const Pin>> from_text(ByteView text);

  ~Pin();
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  [[nodiscard]] ByteView view() const { return {page_, size_}; }

 private:
  Pin() = default;
  [[nodiscard]] static Result<std::shared_ptr<Pin>> make();
  [[nodiscard]] static Result<std::shared_ptr<const Pin>> finished(std::shared_ptr<Pin> pin, const std::string& from);
  [[nodiscard]] Status fill_from(int descriptor, const std::string& from, bool one_line);

  std::uint8_t* page_ = nullptr;
  std::size_t size_ = 0;
};

// Where a PIN comes from, as `--hsm-pin` says it: "file:PATH" or "env:NAME". A literal is refused with advice, and never repeated.
// Empty: BIRTHMARK_HSM_PIN as it was at the start, else the terminal.
[[nodiscard]] Result<std::shared_ptr<const Pin>> pin_from_option(const std::string& option);

// Takes BIRTHMARK_HSM_PIN out of the environment; first thing in main. What was there is used by pin_from_option and serve.
void capture_environment_pin();
[[nodiscard]] std::shared_ptr<const Pin> captured_environment_pin();  // null: there was none

}  // namespace birthmark::crypto::pkcs11
