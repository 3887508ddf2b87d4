# Installs the library into an empty prefix, then configures, builds and runs a program that only says
# find_package(cuco_codesign).
set(work ${BUILD_DIR}/package_test)
file(REMOVE_RECURSE ${work})
function(must)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE rc)
  if(NOT rc EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}")
  endif()
endfunction()
must(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/prefix)
# A consumer compiles the library's bodies; where they are as before, ccache has them.
find_program(CCACHE ccache)
if(CCACHE)
  set(launcher -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
endif()
must(${CMAKE_COMMAND} -G Ninja -S ${CONSUMER} -B ${work}/build -DCMAKE_PREFIX_PATH=${work}/prefix -DCMAKE_CXX_COMPILER=${CXX} ${launcher})
must(${CMAKE_COMMAND} --build ${work}/build)
must(${work}/build/consumer)
