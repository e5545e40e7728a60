# Finds AWS-LC's libcrypto: set AWSLC_ROOT to its install folder. Made for TS2021_CRYPTO=awslc.
# Result: AWSLC_FOUND, AWSLC_VERSION, target AWSLC::crypto, and AWSLC::ssl where libssl is there too. A system OpenSSL, which has the same file names, is refused.
# AWS-LC is not in Debian. To build it from its sources, or from those in the Rust crate aws-lc-sys:
#   cmake -S aws-lc -B b -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DDISABLE_GO=ON -DDISABLE_PERL=ON
#         -DBUILD_LIBSSL=ON -DCMAKE_INSTALL_PREFIX=<folder> && cmake --build b && cmake --install b
find_path(AWSLC_INCLUDE_DIR openssl/aead.h
  HINTS ${AWSLC_ROOT} ENV AWSLC_ROOT PATH_SUFFIXES include NO_CMAKE_SYSTEM_PATH)
find_library(AWSLC_CRYPTO_LIBRARY NAMES crypto
  HINTS ${AWSLC_ROOT} ENV AWSLC_ROOT PATH_SUFFIXES lib lib64 NO_CMAKE_SYSTEM_PATH)

if(AWSLC_INCLUDE_DIR AND EXISTS ${AWSLC_INCLUDE_DIR}/openssl/base.h)
  file(STRINGS ${AWSLC_INCLUDE_DIR}/openssl/base.h line REGEX "define AWSLC_VERSION_NUMBER_STRING")
  if(line MATCHES "\"([0-9.]+)\"")
    set(AWSLC_VERSION ${CMAKE_MATCH_1})
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(AWSLC
  REQUIRED_VARS AWSLC_CRYPTO_LIBRARY AWSLC_INCLUDE_DIR AWSLC_VERSION VERSION_VAR AWSLC_VERSION)

if(AWSLC_FOUND AND NOT TARGET AWSLC::crypto)
  find_package(Threads REQUIRED)
  add_library(AWSLC::crypto UNKNOWN IMPORTED)
  set_target_properties(AWSLC::crypto PROPERTIES
    IMPORTED_LOCATION ${AWSLC_CRYPTO_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${AWSLC_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
find_library(AWSLC_SSL_LIBRARY NAMES ssl
  HINTS ${AWSLC_ROOT} ENV AWSLC_ROOT PATH_SUFFIXES lib lib64 NO_CMAKE_SYSTEM_PATH)
if(AWSLC_FOUND AND AWSLC_SSL_LIBRARY AND NOT TARGET AWSLC::ssl)
  add_library(AWSLC::ssl UNKNOWN IMPORTED)
  set_target_properties(AWSLC::ssl PROPERTIES
    IMPORTED_LOCATION ${AWSLC_SSL_LIBRARY}
    INTERFACE_LINK_LIBRARIES AWSLC::crypto)
endif()
