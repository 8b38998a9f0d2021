# SPDX-License-Identifier: MIT
# tests/compile_fail/check.cmake: a file with one mistake fails to compile, for the right reason.
#
#   cmake -D COMPILER=g++ -D INCLUDE=include -D FILE=x.cpp [-D PARSED=<flags>] [-D CONTROL=ON]
#         -P check.cmake
#
# PARSED: what makes the compiler read the umbrella header as it was parsed before.
# CONTROL: compiles the file without its mistake, too; otherwise compile_fail/controls does.
#
# Among the file's comments:
#   // expect: <text>    stands in the text of one error line
#   // errors: <n>       number of error lines; 1 where the file says nothing
# With LRQAT_CONTROL defined the file compiles: nothing else in it is wrong.
cmake_policy(VERSION 3.24)
macro(wrong what)
  message(NOTICE "${what}")  # FATAL_ERROR alone would break the lines anew
  message(FATAL_ERROR "${FILE}")
endmacro()

foreach(mark IN ITEMS expect errors)
  file(STRINGS ${FILE} ${mark} REGEX "^// ${mark}: ")
  string(REGEX REPLACE "^// ${mark}: " "" ${mark} "${${mark}}")
  string(REPLACE "\\;" ";" ${mark} "${${mark}}")
endforeach()
if("${expect}" STREQUAL "")
  wrong("The file has no line `// expect: <text>`.")
endif()
if("${errors}" STREQUAL "")
  set(errors 1)
endif()

list(TRANSFORM INCLUDE PREPEND -I OUTPUT_VARIABLE include_flags)
function(compile result output)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -Wall -Wextra ${include_flags} ${PARSED}
            ${ARGN} -fsyntax-only ${FILE}
    RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} ${status} PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

compile(status text)
if(status EQUAL 0)
  wrong("The file compiles, but its mistake should have been an error.")
endif()

# Brackets and semicolons would split the list of lines.
string(REGEX REPLACE "[][;]" "|" lines "${text}")
string(REGEX REPLACE "[][;]" "|" sentence "${expect}")
string(REGEX MATCHALL "[^\n]*error: [^\n]*" lines "${lines}")
list(LENGTH lines count)
string(FIND "${lines}" "${sentence}" found)
if(found EQUAL -1)
  wrong("No error line says\n  ${expect}\nThe compiler said\n${text}")
endif()
if(NOT count EQUAL errors)
  wrong("${count} error lines where ${errors} was expected.\n${text}")
endif()

if(CONTROL)
  compile(status text -DLRQAT_CONTROL)
  if(NOT status EQUAL 0)
    wrong("With LRQAT_CONTROL it still does not compile.\n${text}")
  endif()
endif()
message(STATUS "one mistake, ${count} error line(s): ${expect}")
