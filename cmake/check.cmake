# The whole check, quick things first, stopping at the first failure:
#   cmake [-DQUICK=ON] [-DJOBS=n] [-DFUZZ_SECONDS=n] -P cmake/check.cmake
# scans, formatting, gcc build, clang build with address and undefined sanitizers and its tests, the ciphers with AWS-LC, the programs with the
# thread sanitizer against the daemon's test and the real clients, fuzzing (only with FUZZ_SECONDS, per target), and last the
# tests of the gcc build, so that ctest's summary closes the output.
# QUICK leaves out sanitizers, fuzzing, the install test and the real clients.
cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)
if(NOT JOBS)
  cmake_host_system_information(RESULT JOBS QUERY NUMBER_OF_LOGICAL_CORES)
endif()
set(ctest ${CMAKE_CTEST_COMMAND})
if(NOT ctest)
  cmake_path(GET CMAKE_COMMAND PARENT_PATH programs)
  set(ctest ${programs}/ctest)
endif()

# Runs in the root; a failure ends the check.
function(step title)
  message("== ${title}")
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${root} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${title}")
  endif()
endfunction()

function(build preset)
  step("configure ${preset}" ${CMAKE_COMMAND} -E env AWSLC_ROOT=${awslc}
    ${CMAKE_COMMAND} --preset ${preset} -Wno-dev --log-level=WARNING)
  step("build ${preset}" ${CMAKE_COMMAND} --build --preset ${preset} -j ${JOBS} ${ARGN})
endfunction()

foreach(script IN ITEMS layers wire_ids origins json_literals fuzzed_messages quotes)
  step("${script}" ${CMAKE_COMMAND} -P ${root}/cmake/${script}.cmake)
endforeach()

file(GLOB_RECURSE sources RELATIVE ${root}
  ${root}/lib/*.h ${root}/lib/*.cc ${root}/apps/*.h ${root}/apps/*.cc ${root}/tests/*.h ${root}/tests/*.cc
  ${root}/bench/*.h ${root}/bench/*.cc ${root}/examples/*.h ${root}/examples/*.cc)
find_program(CLANG_FORMAT clang-format-14)
if(CLANG_FORMAT)
  step("formatting" ${CLANG_FORMAT} --dry-run -Werror ${sources})
else()
  message("== formatting: skipped, there is no clang-format-14")
endif()

build(dev)

if(NOT QUICK)
  build(asan)
  step("tests with address and undefined sanitizers" ${ctest} --preset asan -j ${JOBS} -LE "check|install")

  # The other backend of the ciphers: what stands on it, with all its vectors.
  execute_process(COMMAND sh ${root}/cmake/awslc.sh OUTPUT_VARIABLE awslc OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE result)
  if(result EQUAL 3)
    message("== AWS-LC: skipped, there is no cargo to get it with")
  elseif(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: AWS-LC")
  else()
    set(on_ciphers crypto key noise entry legacy lock conn)
    list(TRANSFORM on_ciphers APPEND _test OUTPUT_VARIABLE on_ciphers_tests)
    build(awslc --target ${on_ciphers_tests})
    list(JOIN on_ciphers "|" on_ciphers)
    step("tests with AWS-LC" ${ctest} --preset awslc -j ${JOBS} -R "^unit\\.(${on_ciphers})$")
  endif()

  # Only the programs have threads: they run against the daemon's own test and the real clients.
  build(tsan --target ts2021d ts2021 fold_capture)
  step("the programs with the thread sanitizer" ${ctest} --preset tsan -j ${JOBS} -L "daemon|interop")

  if(FUZZ_SECONDS)
    build(fuzz)
    file(GLOB targets ${root}/build/fuzz/bin/*_fuzz)
    if(NOT targets)
      message(FATAL_ERROR "failed: the preset fuzz has built no target")
    endif()
    foreach(target IN LISTS targets)
      cmake_path(GET target FILENAME name)
      string(REGEX REPLACE "_fuzz$" "" corpus ${name})
      set(found ${root}/build/fuzz/found/${corpus})
      file(MAKE_DIRECTORY ${found})
      step("${name} for ${FUZZ_SECONDS} s" ${target} -max_total_time=${FUZZ_SECONDS} -rss_limit_mb=2048 -verbosity=0
        -artifact_prefix=${found}/ ${found} ${root}/tests/fuzz/corpus/${corpus})
    endforeach()
  endif()
endif()

# The list of real clients is printed where ctest's summary begins, so that the summary stays last.
set(joined ${root}/build/dev/tests/interop/joined.txt)
file(REMOVE ${joined})
set(labels "")
if(QUICK)
  set(labels -LE "interop|install")
endif()
message("== tests")
execute_process(
  COMMAND ${ctest} --preset dev -j ${JOBS} ${labels}
  COMMAND awk -v joined=${joined} "/^[0-9]+% tests passed/ { while ((getline line < joined) > 0) print line; if (line) print \"\" } { print; fflush() }"
  WORKING_DIRECTORY ${root} RESULTS_VARIABLE results)
if(NOT results STREQUAL "0;0")
  message(FATAL_ERROR "failed: tests")
endif()
