// SPDX-License-Identifier: Apache-2.0
// Named places where a test may end the process as if the power went. Compiled to nothing unless BIRTHMARK_CRASH_POINTS is
// defined (debug and test presets). BIRTHMARK_CRASH_AT="store.before_commit:3" kills the process (SIGKILL) the third time it
// passes that point.
#pragma once

#ifdef BIRTHMARK_CRASH_POINTS
namespace birthmark {
void crash_point(const char* name);
}
#define BIRTHMARK_CRASH_POINT(name) ::birthmark::crash_point(name)
#else
#define BIRTHMARK_CRASH_POINT(name) static_cast<void>(0)
#endif
