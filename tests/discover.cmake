# SPDX-License-Identifier: MIT
# tests/discover.cmake: after a test program is linked, one CTest test for each of its test cases.
#
#   cmake -D PROGRAM=test_core -D FOLDER=core -D TARGET_FILE=tests.cmake -P discover.cmake
cmake_policy(VERSION 3.24)
execute_process(COMMAND ${PROGRAM} --names
                OUTPUT_VARIABLE names OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR names STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} does not list its tests: ${status}")
endif()

# The characters that CMake's lists give a meaning to travel as others.
string(ASCII 1 semicolon)
string(ASCII 2 open)
string(ASCII 3 close)
string(REPLACE ";" "${semicolon}" names "${names}")
string(REPLACE "[" "${open}" names "${names}")
string(REPLACE "]" "${close}" names "${names}")
string(REPLACE "\n" ";" names "${names}")
set(script "")
foreach(name IN LISTS names)
  string(REPLACE "${semicolon}" ";" name "${name}")
  string(REPLACE "${open}" "[" name "${name}")
  string(REPLACE "${close}" "]" name "${name}")
  string(REGEX REPLACE "([],[\\])" "\\\\\\1" spec "${name}")  # what Catch gives a meaning to
  string(APPEND script
    "add_test([==[${FOLDER}/${name}]==] [==[${PROGRAM}]==] [==[${spec}]==])\n"
    "set_tests_properties([==[${FOLDER}/${name}]==] PROPERTIES LABELS ${FOLDER} TIMEOUT 600 "
    "SKIP_RETURN_CODE 77 FAIL_REGULAR_EXPRESSION \"No tests ran\" "
    "ENVIRONMENT OMP_WAIT_POLICY=passive)\n")
endforeach()
file(WRITE ${TARGET_FILE} "${script}")
