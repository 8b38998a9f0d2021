# SPDX-License-Identifier: MIT
# cmake/install.cmake: headers and the files that find_package(lrqat) reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_folder ${CMAKE_INSTALL_DATADIR}/cmake/lrqat)
install(TARGETS lrqat lrqat_io lrqat_sentencepiece lrqat_eigen lrqat_xtensor lrqat_onednn
        EXPORT lrqatTargets
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILE_SET foreign DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT lrqatTargets NAMESPACE lrqat:: DESTINATION ${config_folder})
configure_package_config_file(cmake/lrqatConfig.cmake.in ${PROJECT_BINARY_DIR}/lrqatConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
# Before 1.0 a minor version may change the interface. Headers fit every architecture.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lrqatConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/lrqatConfig.cmake ${PROJECT_BINARY_DIR}/lrqatConfigVersion.cmake
              cmake/lrqatPackages.cmake
        DESTINATION ${config_folder})
