ts2021_fuzz_target(nacl_box LIBS ts2021::legacy)
