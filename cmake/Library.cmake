# The library is header-only. `core` is light: concepts, values, Result. Adapters that pull in a third-party
# library are targets of their own; `cuco` is all of it.
include(GNUInstallDirs)

file(
  GLOB_RECURSE cuco_headers
  CONFIGURE_DEPENDS
  RELATIVE ${PROJECT_SOURCE_DIR}
  include/cuco/*.hpp)
# The emulator's insides are compiled by the emulator's own tool chain, with its own flags. Bodies
# (*-inl.hpp) are compiled through the headers that declare them.
list(FILTER cuco_headers EXCLUDE REGEX "cuco/emu/(shim|impl)/|emu/runtime-inl|-inl\\.hpp$")

add_library(cuco_core INTERFACE)
add_library(cuco_codesign::core ALIAS cuco_core)
set_target_properties(cuco_core PROPERTIES EXPORT_NAME core)
target_compile_features(cuco_core INTERFACE cxx_std_20)
target_include_directories(
  cuco_core INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(cuco_core INTERFACE tl::expected)

# Storage in SQLite.
add_library(cuco_sqlite INTERFACE)
add_library(cuco_codesign::sqlite ALIAS cuco_sqlite)
set_target_properties(cuco_sqlite PROPERTIES EXPORT_NAME sqlite)
target_link_libraries(cuco_sqlite INTERFACE cuco_core SQLite::SQLite3 nlohmann_json::nlohmann_json)

# Building and running programs on emulated GPUs.
add_library(cuco_emulator INTERFACE)
add_library(cuco_codesign::emulator ALIAS cuco_emulator)
set_target_properties(cuco_emulator PROPERTIES EXPORT_NAME emulator)
target_link_libraries(cuco_emulator INTERFACE cuco_core tomlplusplus::tomlplusplus fmt::fmt Threads::Threads)

add_library(cuco INTERFACE)
add_library(cuco_codesign::cuco ALIAS cuco)
set_target_properties(cuco PROPERTIES EXPORT_NAME cuco)
target_link_libraries(
  cuco
  INTERFACE cuco_core
            cuco_sqlite
            cuco_emulator
            fmt::fmt
            nlohmann_json::nlohmann_json
            range-v3::range-v3
            Boost::regex
            Threads::Threads)

# Warnings and deep diagnostics are for this repository's targets only.
add_library(cuco_dev INTERFACE)
target_link_libraries(cuco_dev INTERFACE cuco)
target_compile_options(
  cuco_dev
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Werror
            $<$<CXX_COMPILER_ID:GNU>:-fconcepts-diagnostics-depth=10>)

# One generated file per public header, each compiled alone and, for the inline check, twice over in one link.
set(cuco_header_check_sources "")
foreach(header IN LISTS cuco_headers)
  string(REGEX REPLACE "^include/" "" name ${header})
  string(MAKE_C_IDENTIFIER ${name} stem)
  set(source ${PROJECT_BINARY_DIR}/header_check/${stem}.cpp)
  file(GENERATE OUTPUT ${source} CONTENT "#include <${name}>\n#include <${name}>  // the guard works\n")
  list(APPEND cuco_header_check_sources ${source})
endforeach()
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/header_check/main.cpp CONTENT "int main() {}\n")
add_executable(cuco_header_check EXCLUDE_FROM_ALL ${cuco_header_check_sources} ${PROJECT_BINARY_DIR}/header_check/main.cpp)
target_link_libraries(cuco_header_check PRIVATE cuco_dev)
