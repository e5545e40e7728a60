# Warnings, sanitizers and the compiler cache, for every target of this project.

find_program(TS2021_CCACHE ccache)
if(TS2021_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths are taken relative to the checkout, so that one clone finds what another has compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${TS2021_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_library(ts2021_warnings INTERFACE)
target_compile_options(ts2021_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum $<$<BOOL:${TS2021_DEV}>:-Werror>
  # gcc 12 sees overlaps in std::string that are not there (PR 105651) and, when it optimises, members of std::optional and
  # std::variant that nobody reads.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict $<$<CONFIG:Release>:-Wno-maybe-uninitialized>>)

if(TS2021_SANITIZE)
  # The vptr check needs the type information that the library is compiled without.
  add_compile_options(-fsanitize=${TS2021_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${TS2021_SANITIZE})
endif()
if(TS2021_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
