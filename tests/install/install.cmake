# Run by ctest: installs BUILD, then configures, builds and runs CONSUMER against nothing but the installed files.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    string(JOIN " " command ${ARGN})
    message(FATAL_ERROR "failed: ${command}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
# A path into the source or build folder in an installed CMake file works here and nowhere else.
file(GLOB_RECURSE files ${WORK}/prefix/*.cmake)
if(NOT files)
  message(FATAL_ERROR "no CMake package was installed")
endif()
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH tests)
cmake_path(GET tests PARENT_PATH source)
foreach(file IN LISTS files)
  file(STRINGS ${file} lines)
  foreach(line IN LISTS lines)
    string(FIND "${line}" "${source}/" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names the source or build folder: ${line}")
    endif()
  endforeach()
endforeach()

run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${WORK}/prefix
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}" -DHEADERS=${WORK}/prefix/include)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
