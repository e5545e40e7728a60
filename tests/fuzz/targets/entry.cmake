foreach(name IN ITEMS http1_head websocket early_payload)
  ts2021_fuzz_target(${name} LIBS ts2021::entry)
endforeach()
