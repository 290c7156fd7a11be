# Compiler flags, in one place. Presets choose among them.
option(BIRTHMARK_SANITIZE_ADDRESS "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(BIRTHMARK_SANITIZE_THREAD "ThreadSanitizer" OFF)
option(BIRTHMARK_FUZZ "libFuzzer targets" OFF)
option(BIRTHMARK_CRASH_POINTS "Named crash points (tests only)" OFF)

add_library(birthmark_flags INTERFACE)
target_compile_options(birthmark_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wimplicit-fallthrough -Wthread-safety
  -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(birthmark_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(birthmark_flags INTERFACE -fuse-ld=mold -pie -Wl,-z,relro,-z,now,-z,noexecstack)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(birthmark_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

if(BIRTHMARK_SANITIZE_ADDRESS)
  target_compile_options(birthmark_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(birthmark_flags INTERFACE -fsanitize=address,undefined)
endif()
if(BIRTHMARK_SANITIZE_THREAD)
  target_compile_options(birthmark_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(birthmark_flags INTERFACE -fsanitize=thread)
endif()
if(BIRTHMARK_FUZZ)
  target_compile_options(birthmark_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BIRTHMARK_CRASH_POINTS)
  target_compile_definitions(birthmark_flags INTERFACE BIRTHMARK_CRASH_POINTS)
endif()
