// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/net/target.h"

namespace ts2021::app {

DialOptions Target::dialing() const {
  DialOptions options = dial;
  options.timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(timeout));
  return options;
}

void add_dialing(CLI::App& command, Target& target) {
  command.add_option("--timeout", target.timeout, "seconds that a step may take")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
  command
      .add_option("--ca", target.dial.ca_file, "PEM file of authorities to trust beside the system's (https)")
      ->check(CLI::ExistingFile);
  command.add_flag("--insecure", target.dial.insecure, "take any certificate (https)");
}

void add_target(CLI::App& command, Target& target) {
  command.add_option("URL", target.url, "http://host[:port] or https://host[:port]")->required();
  command.add_option("--capability", target.capability, "version to be")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  add_dialing(command, target);
}

}  // namespace ts2021::app
