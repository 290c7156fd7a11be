// SPDX-License-Identifier: Apache-2.0
// Result<T>: how every fallible function of the project answers. Nothing throws across a room's wall.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace birthmark {

// A code is an instruction to the caller, not a description of the cause.
enum class ErrorCode {
  invalid,        // this input can never succeed: change it
  forbidden,      // policy says no: an operator decides otherwise or nobody does
  not_found,      // there is nothing by that name
  conflict,       // the state is not what you expected: read it again, then decide
  too_large,      // over a stated limit: send less
  unavailable,    // the same call may succeed later, unchanged
  misconfigured,  // an operator must mend a file or a setting first
  internal,       // our own defect: report it
};

[[nodiscard]] std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string public_message;  // may be shown to a device or an operator
  std::string detail;          // for the log and the audit only; may be empty

  // Both texts in one line, for operators and logs.
  [[nodiscard]] std::string describe() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string public_message, std::string detail = {}) {
  return tl::make_unexpected(Error{code, std::move(public_message), std::move(detail)});
}

// Hands a failed result's error on to our own caller.
template <class T>
[[nodiscard]] tl::unexpected<Error> forward_error(Result<T>& failed) {
  return tl::make_unexpected(std::move(failed.error()));
}

// Aborts with a message: for our own mistakes only, never for input. Stays on in release.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace birthmark

#define BIRTHMARK_ASSERT(expression) ((expression) ? static_cast<void>(0) : ::birthmark::assertion_failed(#expression, __FILE__, __LINE__))

#define BIRTHMARK_JOIN_INNER(a, b) a##b
#define BIRTHMARK_JOIN(a, b) BIRTHMARK_JOIN_INNER(a, b)

// BIRTHMARK_TRY(auto facts, read(x)): `facts` is the value, or the function returns the error.
// Not for coroutines: co_return does not fit into it.
#define BIRTHMARK_TRY(declaration, expression)                                                                                \
  auto BIRTHMARK_JOIN(birthmark_try_, __LINE__) = (expression);                                                               \
  if (!BIRTHMARK_JOIN(birthmark_try_, __LINE__)) return ::birthmark::forward_error(BIRTHMARK_JOIN(birthmark_try_, __LINE__)); \
  declaration = std::move(*BIRTHMARK_JOIN(birthmark_try_, __LINE__))

// BIRTHMARK_CHECK(status()): goes on, or the function returns the error.
#define BIRTHMARK_CHECK(expression)                                             \
  do {                                                                          \
    auto birthmark_status = (expression);                                       \
    if (!birthmark_status) return ::birthmark::forward_error(birthmark_status); \
  } while (false)
