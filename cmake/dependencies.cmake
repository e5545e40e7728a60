# Third-party libraries. Each is linked by exactly one private module (see lib/ARCHITECTURE.md).

find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(b2 REQUIRED IMPORTED_TARGET libb2)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(cbor REQUIRED IMPORTED_TARGET libcbor)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)

# Debian's wslay package has neither a .pc file nor a working CMake package.
find_path(WSLAY_INCLUDE_DIR wslay/wslay.h REQUIRED)
find_library(WSLAY_LIBRARY wslay REQUIRED)
add_library(ts2021_wslay UNKNOWN IMPORTED)
set_target_properties(ts2021_wslay PROPERTIES
  IMPORTED_LOCATION ${WSLAY_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${WSLAY_INCLUDE_DIR})

find_package(simdjson REQUIRED)
find_package(Boost 1.74 REQUIRED)

if(TS2021_CRYPTO STREQUAL "system")
  find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
  add_library(ts2021_libcrypto ALIAS OpenSSL::Crypto)
elseif(TS2021_CRYPTO STREQUAL "awslc")
  find_package(AWSLC REQUIRED)
  add_library(ts2021_libcrypto ALIAS AWSLC::crypto)
else()
  message(FATAL_ERROR "TS2021_CRYPTO is '${TS2021_CRYPTO}'; it can be system or awslc")
endif()
