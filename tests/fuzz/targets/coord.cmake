if(NOT TARGET ts2021_store)
  add_subdirectory(${PROJECT_SOURCE_DIR}/apps/store ${PROJECT_BINARY_DIR}/apps/store)
endif()
ts2021_fuzz_target(coordinator LIBS ts2021_store ts2021::coord)
