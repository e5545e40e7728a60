// SPDX-License-Identifier: BSD-3-Clause
// ts2021 key: GET /key.
#include <cstdio>
#include <memory>

#include "ts2021/commands.h"
#include "ts2021/net/fetch_key.h"
#include "ts2021/net/target.h"

namespace ts2021::app {
namespace {

// Below, clients don't dial it everywhere (SRV-3).
constexpr unsigned first_noise_version = 39;

struct Options {
  Target target;
  bool json = false;
};

int run(const Options& options) {
  const Capability capability = options.target.version();
  const ServerKey key = fetch_key(options.target.control(), options.target.dialing(), capability);
  if (options.json) {
    std::printf("%s\n", encoded(key, capability).c_str());
  } else {
    std::printf("version sent        %u\n", options.target.capability);
    std::printf("Noise key (TS2021)  %s\n",
                key.public_key.is_zero() ? "none" : key.public_key.text().c_str());
    std::printf("NaCl key (TS2019)   %s\n",
                key.legacy_public_key.is_zero() ? "none" : key.legacy_public_key.text().c_str());
    if (key.public_key.is_zero() && options.target.capability < first_noise_version)
      std::printf("Servers may tell their Noise key from version %u on.\n", first_noise_version);
  }
  return 0;
}

}  // namespace

Run add_key(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("key", "show the server's keys (GET /key)");
  add_target(command, options->target);
  command.add_flag("--json", options->json, "print the answer as JSON");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
