# SPDX-License-Identifier: MIT
# cmake/development.cmake: how the project builds itself; a project that uses it sees none of this.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(LRQAT_CCACHE ccache)
if(LRQAT_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LRQAT_CCACHE})
endif()

# Warnings, for the project's own programs and for each header compiled alone.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # GCC 12 sees overlaps in std::string's operator+ (PR 105329)
endif()

# gcc collects its own memory less often: about a tenth less to wait for up to a third more memory.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(--param=ggc-min-heapsize=500000)
endif()
