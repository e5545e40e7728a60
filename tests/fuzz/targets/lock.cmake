ts2021_fuzz_target(lock_update LIBS ts2021::lock)
ts2021_fuzz_target(lock_signature LIBS ts2021::lock)
