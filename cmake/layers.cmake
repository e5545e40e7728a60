# The layers as data, and the scan that keeps them: cmake -P cmake/layers.cmake
# A module may include itself and the modules that stand on lower lines; never a neighbour on its own line.
cmake_minimum_required(VERSION 3.25)

set(layers
  "base"
  "http crypto json compress"
  "key"
  "noise entry h2 legacy"
  "conn msg lock"
  "coord client"
  "service policy admin capture")
# Modules without a public header.
set(private_modules crypto json compress h2)
# Third-party headers and the one private file or module that may include them.
set(third_party
  "sodium:lib/src/crypto/"
  "openssl/:lib/src/crypto/"
  "blake2.h:lib/src/crypto/"
  "argon2.h:lib/src/crypto/"
  "cbor.h:lib/src/lock/cbor"
  "simdjson:lib/src/json/"
  "zstd:lib/src/compress/"
  "boost/:lib/src/entry/http1"
  "wslay/:lib/src/entry/websocket"
  "nghttp2/:lib/src/h2/")

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)
set(errors 0)
function(complain text)
  message(SEND_ERROR "${text}")
endfunction()

set(lower "")
set(allowed_all "")
foreach(line IN LISTS layers)
  separate_arguments(modules UNIX_COMMAND "${line}")
  foreach(module IN LISTS modules)
    set(allowed_${module} ${module} ${lower})
  endforeach()
  list(APPEND lower ${modules})
endforeach()
set(all_modules ${lower})

file(GLOB_RECURSE files RELATIVE ${root} ${root}/lib/*.h ${root}/lib/*.cc ${root}/lib/*.def)
foreach(file IN LISTS files)
  if(NOT file MATCHES "^lib/(src|include/ts2021)/([a-z0-9]+)/")
    continue()
  endif()
  set(area ${CMAKE_MATCH_1})
  set(module ${CMAKE_MATCH_2})
  if(NOT DEFINED allowed_${module})
    complain("${file}: '${module}' is not a layer")
    continue()
  endif()
  if(area STREQUAL "include/ts2021" AND module IN_LIST private_modules)
    complain("${file}: '${module}' is private and has no public header")
  endif()
  file(STRINGS ${root}/${file} includes REGEX "^ *# *include")
  foreach(include IN LISTS includes)
    if(include MATCHES "\"(ts2021/)?([a-z0-9]+)/")
      set(public "${CMAKE_MATCH_1}")
      set(target ${CMAKE_MATCH_2})
      if(target STREQUAL "ts2021")
        continue()
      endif()
      if(NOT target IN_LIST allowed_${module})
        complain("${file}: '${module}' must not include '${target}': ${include}")
      endif()
      if(area STREQUAL "include/ts2021" AND public STREQUAL "")
        complain("${file}: a public header includes a private one: ${include}")
      endif()
      if(public STREQUAL "" AND NOT target STREQUAL module AND NOT target IN_LIST private_modules
         AND NOT target STREQUAL "base")
        complain("${file}: private header of another module: ${include}")
      endif()
    elseif(include MATCHES "<([^>]+)>")
      set(header ${CMAKE_MATCH_1})
      foreach(row IN LISTS third_party)
        string(REGEX MATCH "^([^:]+):(.+)$" _ "${row}")
        set(prefix ${CMAKE_MATCH_1})
        set(home ${CMAKE_MATCH_2})
        string(FIND "${header}" "${prefix}" at)
        string(FIND "${file}" "${home}" in_home)
        if(at EQUAL 0 AND NOT in_home EQUAL 0)
          complain("${file}: <${header}> belongs to ${home}")
        endif()
      endforeach()
      if(header MATCHES "^(unistd|fcntl|poll|pthread|thread|mutex|fstream|iostream|sys/|netinet/|arpa/|filesystem|future|condition_variable|random|ctime|time\\.h)")
        complain("${file}: <${header}> has no place in a sans-IO library")
      endif()
    endif()
  endforeach()
endforeach()
list(LENGTH files count)
message(STATUS "layers: ${count} files scanned")
