if(NOT TARGET ts2021_store)
  add_subdirectory(${PROJECT_SOURCE_DIR}/apps/store ${PROJECT_BINARY_DIR}/apps/store)
endif()
ts2021_fuzz_target(ts2019 LIBS ts2021::service ts2021::client ts2021_store)
