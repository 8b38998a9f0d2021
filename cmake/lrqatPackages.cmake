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
