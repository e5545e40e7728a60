ts2021_fuzz_target(policy_file LIBS ts2021::policy)
