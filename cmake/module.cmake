# ts2021_module(<name> SOURCES <file>... [DEPS <module>...] [PRIVATE <library>...])
# One layer of the house: a static library ts2021_<name>. DEPS are modules of lower layers and are checked
# against cmake/layers.cmake; PRIVATE are third-party libraries, which no other module sees.
function(ts2021_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;PRIVATE" ${ARGN})
  set(target ts2021_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(ts2021::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR}/lib/src)
  list(TRANSFORM arg_DEPS PREPEND ts2021_)
  target_link_libraries(${target}
    PUBLIC ${arg_DEPS}
    PRIVATE $<BUILD_INTERFACE:ts2021_warnings> ${arg_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY ts2021_modules ${target})
endfunction()

# ts2021_unit_test(<module> SOURCES <file>... [LIBS <library>...])
# One Catch2 program per module, one test of ctest per test case, label "unit". Tests may include private headers.
function(ts2021_unit_test module)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  set(target ${module}_test)
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lib/src ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE TS2021_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/vectors")
  target_link_libraries(${target} PRIVATE ts2021_test_support ts2021_warnings ${arg_LIBS})
  add_test(NAME unit.${module} COMMAND ${target})
  set_tests_properties(unit.${module} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# ts2021_fuzz_target(<name> LIBS <library>...)
# tests/fuzz/<name>_fuzz.cc as a libFuzzer program (TS2021_FUZZ) or as a program that replays
# tests/fuzz/corpus/<name>/ and single-byte mutations of it, run by ctest with the label "fuzz-replay".
function(ts2021_fuzz_target name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  set(target ${name}_fuzz)
  set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lib/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${target} PRIVATE ${arg_LIBS} ts2021_warnings)
  if(TS2021_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME fuzz-replay.${name} COMMAND ${target} ${corpus})
    set_tests_properties(fuzz-replay.${name} PROPERTIES LABELS fuzz-replay TIMEOUT 300)
  endif()
endfunction()
