if(NOT TARGET ts2021_store)
  add_subdirectory(${PROJECT_SOURCE_DIR}/apps/store ${PROJECT_BINARY_DIR}/apps/store)
endif()
ts2021_fuzz_target(admin_desk LIBS ts2021::admin ts2021_store)
