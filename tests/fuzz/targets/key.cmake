ts2021_fuzz_target(key_text LIBS ts2021::key)
