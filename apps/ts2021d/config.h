// SPDX-License-Identifier: BSD-3-Clause
// The command line of ts2021d.
#pragma once

#include <optional>
#include <string>

#include "common/socket.h"
#include "ts2021d/site_url.h"
#include "ts2021d/tailnet_flags.h"
#include "ts2021d/test_flags.h"

namespace ts2021::app {

struct Config {
  Endpoint listen{"127.0.0.1", 8080};
  std::optional<Endpoint> tls_listen;    // none: no TLS
  std::string tls_certificate, tls_key;  // paths; empty: self-signed
  std::string tls_self_signed;           // directory
  std::optional<SiteUrl> public_url;     // none: that of a listener
  TailnetFlags tailnet;
  TestFlags test;
  std::string state_dir;  // empty: nothing is written
  std::string capture;    // path; empty: nothing is captured
  bool rotate_keys = false;
  std::size_t threads = 1;
  std::size_t known_machines = 16'384;  // per thread; 0: none
  double connects_per_second = 50;      // per address; 0: no limit
  bool limit_loopback = false;          // the limit was asked for, so it holds for this machine too
  bool ts2019 = true, ts2021 = true;    // the protocols that are spoken
  bool json = false;
  bool verbose = false;
};

// Without a value the program ends with `exit_code`: help was asked for, or the line is wrong (said on
// stderr).
[[nodiscard]] std::optional<Config> parse_config(int argc, char** argv, int& exit_code);

}  // namespace ts2021::app
