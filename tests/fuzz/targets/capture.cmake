ts2021_fuzz_target(capture LIBS ts2021::capture)
