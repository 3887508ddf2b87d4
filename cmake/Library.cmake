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

# Headers declare; the files in src/ compile the bodies (see cuco/core/impl/inline.hpp). Each target below brings its
# files along as interface sources, so that a consumer's link holds them once and nothing has to be built beforehand.
set(cuco_src ${PROJECT_SOURCE_DIR}/src)
set(cuco_installed_src $<INSTALL_PREFIX>/${CMAKE_INSTALL_DATADIR}/cuco_codesign/src)
function(cuco_component name)
  add_library(cuco_${name} INTERFACE)
  add_library(cuco_codesign::${name} ALIAS cuco_${name})
  set_target_properties(cuco_${name} PROPERTIES EXPORT_NAME ${name})
  foreach(body IN LISTS ARGN)
    target_sources(cuco_${name} INTERFACE $<BUILD_INTERFACE:${cuco_src}/${body}.cpp>
                                          $<INSTALL_INTERFACE:${cuco_installed_src}/${body}.cpp>)
  endforeach()
endfunction()

# Files, subprocesses, analysis of programs: what everything else stands on.
cuco_component(base base analysis)
target_link_libraries(cuco_base INTERFACE cuco_core fmt::fmt nlohmann_json::nlohmann_json Boost::regex range-v3::range-v3
                                          Threads::Threads)

# Storage in SQLite and in memory.
cuco_component(sqlite store)
target_link_libraries(cuco_sqlite INTERFACE cuco_base SQLite::SQLite3)

# Building and running programs on emulated GPUs.
cuco_component(emulator emulator)
target_link_libraries(cuco_emulator INTERFACE cuco_base tomlplusplus::tomlplusplus)

# Language models and embedders, over HTTP and as subprocesses.
cuco_component(llm llm llm_wire)
target_link_libraries(cuco_llm INTERFACE cuco_base tomlplusplus::tomlplusplus CURL::libcurl)

# All of it.
add_library(cuco INTERFACE)
add_library(cuco_codesign::cuco ALIAS cuco)
set_target_properties(cuco PROPERTIES EXPORT_NAME cuco)
target_link_libraries(cuco INTERFACE cuco_sqlite cuco_emulator cuco_llm)
foreach(body IN ITEMS evaluate search transform agents check)
  target_sources(cuco INTERFACE $<BUILD_INTERFACE:${cuco_src}/${body}.cpp> $<INSTALL_INTERFACE:${cuco_installed_src}/${body}.cpp>)
endforeach()

# This repository's own programs link the bodies from a library, compiled once for all of them.
add_library(cuco_bodies STATIC)
target_link_libraries(cuco_bodies PRIVATE cuco)
# The checker replays millions of records; without optimisation its tests take minutes.
set_source_files_properties(${cuco_src}/check.cpp TARGET_DIRECTORY cuco_bodies PROPERTIES COMPILE_OPTIONS -O2)

# Warnings and deep diagnostics are for this repository's targets only.
add_library(cuco_dev INTERFACE)
target_include_directories(cuco_dev INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_features(cuco_dev INTERFACE cxx_std_20)
target_link_libraries(
  cuco_dev
  INTERFACE cuco_bodies
            cuco_core
            fmt::fmt
            nlohmann_json::nlohmann_json
            tomlplusplus::tomlplusplus
            range-v3::range-v3
            Boost::regex
            SQLite::SQLite3
            CURL::libcurl
            Threads::Threads)
target_compile_options(
  cuco_dev
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Werror
            $<$<CXX_COMPILER_ID:GNU>:-fconcepts-diagnostics-depth=10>
            # g++ 12 sees overlapping copies in std::string's operator+ at -O2 (its bug 105651).
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

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
# Nobody debugs it, and debug information is most of what its objects would hold.
target_compile_options(cuco_header_check PRIVATE -g0)
