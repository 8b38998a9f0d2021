# SPDX-License-Identifier: MIT
# cmake/lrqatPackages.cmake: finds what the targets link; shared by the build and the installed
# configuration. Only Threads is needed; every other package is looked for quietly.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
if(LRQAT_ENABLE_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
endif()
find_package(nlohmann_json 3.9 QUIET)  # lrqat::io
find_package(Eigen3 3.3 QUIET NO_MODULE)  # lrqat::eigen
find_package(xtensor QUIET)  # lrqat::xtensor

# lrqat::sentencepiece. SentencePiece ships no CMake configuration.
if(NOT TARGET SentencePiece::SentencePiece)
  find_path(SENTENCEPIECE_INCLUDE_DIR sentencepiece_processor.h)
  find_library(SENTENCEPIECE_LIBRARY sentencepiece)
  mark_as_advanced(SENTENCEPIECE_INCLUDE_DIR SENTENCEPIECE_LIBRARY)
  if(SENTENCEPIECE_INCLUDE_DIR AND SENTENCEPIECE_LIBRARY)
    add_library(SentencePiece::SentencePiece UNKNOWN IMPORTED)
    set_target_properties(
      SentencePiece::SentencePiece
      PROPERTIES IMPORTED_LOCATION ${SENTENCEPIECE_LIBRARY}
                 INTERFACE_INCLUDE_DIRECTORIES ${SENTENCEPIECE_INCLUDE_DIR})
  endif()
endif()

# lrqat::onednn. Its own CMake configuration is not asked: as Debian ships it, that ends in an error
# where there is no OpenCL, which the products of a CPU do not need.
if(NOT TARGET DNNL::dnnl)
  find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
  find_library(ONEDNN_LIBRARY dnnl)
  mark_as_advanced(ONEDNN_INCLUDE_DIR ONEDNN_LIBRARY)
  if(ONEDNN_INCLUDE_DIR AND ONEDNN_LIBRARY)
    add_library(DNNL::dnnl UNKNOWN IMPORTED)
    set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${ONEDNN_LIBRARY}
                                                INTERFACE_INCLUDE_DIRECTORIES ${ONEDNN_INCLUDE_DIR})
  endif()
endif()
if(LRQAT_ENABLE_ONEDNN AND NOT TARGET DNNL::dnnl)
  message(FATAL_ERROR "lrqat: LRQAT_ENABLE_ONEDNN is ON, but there is no oneDNN (Debian's "
                      "libdnnl-dev). Install it, or configure with -DLRQAT_ENABLE_ONEDNN=OFF.")
endif()
