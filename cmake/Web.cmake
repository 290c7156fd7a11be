# The web packages of web/package-lock.json, fetched once into the build's folder, and files of theirs as octets in a library.
# A build without npm, or without the network when it is first needed, goes on: BIRTHMARK_WEB_LEFT_OUT says what is missing then.

set(BIRTHMARK_WEB_DIR ${CMAKE_BINARY_DIR}/web)
set(BIRTHMARK_WEB_LEFT_OUT "")

function(birthmark_fetch_web)
  file(SHA256 ${CMAKE_SOURCE_DIR}/web/package-lock.json lock)
  set(stamp ${BIRTHMARK_WEB_DIR}/fetched)
  if(EXISTS ${stamp})
    file(READ ${stamp} fetched)
    if(fetched STREQUAL lock)
      return()
    endif()
  endif()
  find_program(BIRTHMARK_NPM npm)
  if(NOT BIRTHMARK_NPM)
    set(BIRTHMARK_WEB_LEFT_OUT "npm is not installed" PARENT_SCOPE)
    return()
  endif()
  file(COPY ${CMAKE_SOURCE_DIR}/web/package.json ${CMAKE_SOURCE_DIR}/web/package-lock.json DESTINATION ${BIRTHMARK_WEB_DIR})
  execute_process(COMMAND ${BIRTHMARK_NPM} ci --ignore-scripts --no-audit --no-fund --cache ${BIRTHMARK_WEB_DIR}/cache
    WORKING_DIRECTORY ${BIRTHMARK_WEB_DIR} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said TIMEOUT 180)
  if(failed)
    message(STATUS "npm ci: ${said}")
    set(BIRTHMARK_WEB_LEFT_OUT "npm could not fetch the packages of web/package-lock.json" PARENT_SCOPE)
    return()
  endif()
  file(WRITE ${stamp} ${lock})
endfunction()

birthmark_fetch_web()
if(BIRTHMARK_WEB_LEFT_OUT)
  message(WARNING "Left out: the pages under /docs/ (Swagger UI), because ${BIRTHMARK_WEB_LEFT_OUT}. The documents at /openapi.json are there.")
  file(WRITE ${BIRTHMARK_WEB_DIR}/left-out "the pages under /docs/ (Swagger UI), because ${BIRTHMARK_WEB_LEFT_OUT}\n")
else()
  file(REMOVE ${BIRTHMARK_WEB_DIR}/left-out)
endif()

# A source file that holds the octets of FILE as `NAME` and `NAME_end`.
function(birthmark_embed target name file)
  set(source ${BIRTHMARK_WEB_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT [[
// Made by cmake/Web.cmake.
__asm__(".section .rodata\n.global @name@\n.global @name@_end\n@name@:\n.incbin \"@file@\"\n@name@_end:\n.byte 0\n.text\n");
]] @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${source})
endfunction()
