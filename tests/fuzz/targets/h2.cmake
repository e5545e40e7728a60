ts2021_fuzz_target(h2_server LIBS ts2021::h2 ts2021::http)
ts2021_fuzz_target(h2_client LIBS ts2021::h2 ts2021::http)
