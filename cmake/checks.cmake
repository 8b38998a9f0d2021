# SPDX-License-Identifier: MIT
# cmake/checks.cmake: what must hold before anything is configured.

# One version: project() and core/config.hpp say the same.
file(STRINGS include/lrqat/core/config.hpp version_lines REGEX "#define LRQAT_VERSION_")
string(REGEX REPLACE "[^0-9;]" "" version_in_header "${version_lines}")
list(JOIN version_in_header "." version_in_header)
if(NOT version_in_header STREQUAL PROJECT_VERSION)
  message(FATAL_ERROR "lrqat: project() says version ${PROJECT_VERSION}, "
                      "include/lrqat/core/config.hpp says ${version_in_header}. Make them equal.")
endif()

# A backend can be switched on once its header is there.
foreach(backend IN ITEMS ONEDNN:onednn.hpp CUDA:cuda.cuh)
  string(REPLACE ":" ";" backend "${backend}")
  list(GET backend 0 name)
  list(GET backend 1 header)
  if(LRQAT_ENABLE_${name} AND NOT EXISTS ${PROJECT_SOURCE_DIR}/include/lrqat/backend/${header})
    message(FATAL_ERROR "lrqat: LRQAT_ENABLE_${name} is ON, but version ${PROJECT_VERSION} has no "
                        "include/lrqat/backend/${header}. Configure with -DLRQAT_ENABLE_${name}=OFF.")
  endif()
endforeach()
