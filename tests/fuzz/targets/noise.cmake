ts2021_fuzz_target(initiation LIBS ts2021::noise)
ts2021_fuzz_target(response LIBS ts2021::noise)
ts2021_fuzz_target(record_stream LIBS ts2021::noise)
