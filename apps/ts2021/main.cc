// SPDX-License-Identifier: BSD-3-Clause
// ts2021: the client role as a tool.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include "ts2021/commands.h"

int main(int argc, char** argv) {
  using namespace ts2021::app;
  signal(SIGPIPE, SIG_IGN);
  CLI::App program("Speaks to control servers of the Tailscale protocol as a client.", "ts2021");
  program.require_subcommand(1);
  program.set_version_flag("--version", "ts2021 " TS2021_VERSION);

  std::vector<std::pair<const CLI::App*, Run>> commands;
  for (const auto add : {add_key, add_handshake, add_register, add_map, add_request, add_c2n, add_doctor,
                         add_conformance, add_replay, add_capture_to_corpus, add_fleet}) {
    Run run = add(program);
    commands.emplace_back(program.get_subcommands({}).back(), std::move(run));
  }

  CLI11_PARSE(program, argc, argv);
  try {
    for (const auto& [command, run] : commands)
      if (command->parsed()) return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts2021: %s\n", error.what());
  }
  return 1;
}
