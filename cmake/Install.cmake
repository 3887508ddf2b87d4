include(CMakePackageConfigHelpers)

# Machine descriptions (TOML) and the emulator's drop-in headers travel with the headers: the library finds them
# beside itself at run time.
install(DIRECTORY include/cuco DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY src DESTINATION ${CMAKE_INSTALL_DATADIR}/cuco_codesign)
# Prompt templates: found from the headers, or named by CUCO_PROMPTS.
install(
  DIRECTORY prompts
  DESTINATION ${CMAKE_INSTALL_DATADIR}/cuco_codesign
  FILES_MATCHING
  PATTERN "*.txt")
install(TARGETS cuco_core cuco_base cuco_sqlite cuco_emulator cuco_llm cuco EXPORT cuco_codesignTargets)
install(
  EXPORT cuco_codesignTargets
  NAMESPACE cuco_codesign::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cuco_codesign)
configure_package_config_file(cmake/cuco_codesignConfig.cmake.in ${PROJECT_BINARY_DIR}/cuco_codesignConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cuco_codesign)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cuco_codesignConfigVersion.cmake COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(
  FILES ${PROJECT_BINARY_DIR}/cuco_codesignConfig.cmake ${PROJECT_BINARY_DIR}/cuco_codesignConfigVersion.cmake
        cmake/Dependencies.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/cuco_codesign)
if(TARGET cuco_tool)
  install(TARGETS cuco_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
