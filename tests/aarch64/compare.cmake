# SPDX-License-Identifier: MIT
# tests/aarch64/compare.cmake: layers have the same integers here and there, on every instruction
# set. For float results it only says which are equal.
#
#   cmake -D HERE=digest -D EMULATOR=qemu-aarch64 -D THERE=cross/digest -P compare.cmake
cmake_policy(VERSION 3.24)
execute_process(COMMAND ${HERE} OUTPUT_VARIABLE here RESULT_VARIABLE here_failed)
execute_process(COMMAND ${EMULATOR} ${THERE} OUTPUT_VARIABLE there RESULT_VARIABLE there_failed)
if(here_failed OR there_failed)
  message(FATAL_ERROR "A digest failed: ${here_failed} here, ${there_failed} there.")
endif()
message("${here}${there}")

set(line "([a-z0-9_]+) ([a-z0-9]+) integers ([0-9a-f]+) floats ([0-9a-f]+)\n")
string(REGEX MATCHALL "${line}" lines "${here}${there}")
set(names "")
foreach(found IN LISTS lines)
  string(REGEX MATCH "${line}" found "${found}")
  set(name ${CMAKE_MATCH_1})
  list(APPEND names ${name})
  list(APPEND integers_${name} ${CMAKE_MATCH_3})
  list(APPEND floats_${name} ${CMAKE_MATCH_4})
endforeach()
list(REMOVE_DUPLICATES names)
if(NOT here MATCHES "integers" OR NOT there MATCHES " neon integers")
  message(FATAL_ERROR "A digest is empty.")
endif()
foreach(name IN LISTS names)
  list(LENGTH integers_${name} results)
  foreach(kind IN ITEMS integers floats)
    list(REMOVE_DUPLICATES ${kind}_${name})
    list(LENGTH ${kind}_${name} different_${kind})
  endforeach()
  message("${name}: ${results} results, ${different_integers} different in integers, "
          "${different_floats} in floats")
  if(different_integers GREATER 1)
    message(SEND_ERROR "${name}: the integers depend on the instruction set.")
  endif()
endforeach()
