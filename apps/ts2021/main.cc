// SPDX-License-Identifier: BSD-3-Clause
// ts2021: the client role as a tool.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "ts2021/commands.h"

int main(int argc, char** argv) {
  using namespace ts2021::app;
  signal(SIGPIPE, SIG_IGN);
  CLI::App app("Speaks to control servers of the Tailscale protocol as a client.", "ts2021");
  app.require_subcommand(1);
  app.set_version_flag("--version", "ts2021 " TS2021_VERSION);

  KeyOptions key;
  CLI::App* key_command = app.add_subcommand("key", "show the server's keys (GET /key)");
  key_command->add_option("URL", key.url, "http://host[:port]")->required();
  key_command->add_option("--capability", key.capability, "version to ask as")->capture_default_str();
  key_command->add_flag("--json", key.json, "print the answer as JSON");

  MapOptions map;
  CLI::App* map_command = app.add_subcommand("map", "register a node and show its map as it changes");
  map_command->add_option("URL", map.url, "http://host[:port]")->required();
  map_command->add_option("--auth-key", map.auth_key, "key that lets the node join");
  map_command->add_option("--hostname", map.hostname)->capture_default_str();
  map_command->add_option("--state", map.state,
                          "file that keeps the node's keys; without it they are new every time");
  map_command->add_option("--capability", map.capability, "version to be")
      ->check(CLI::Range(28, 65535))
      ->capture_default_str();
  map_command->add_option("--seconds", map.seconds, "end after this time; 0: when the server ends it")
      ->capture_default_str();
  map_command->add_option("--peers", map.peers, "end with success once so many peers are in the map");
  map_command->add_flag("--websocket", map.websocket, "upgrade as browsers do");
  map_command->add_flag("--no-compression", map.no_compression, "ask for plain JSON");
  map_command->add_flag("--ephemeral", map.ephemeral, "ask to be forgotten once inactive");
  map_command->add_flag("--json", map.json, "print each message as it came, one a line");
  CLI11_PARSE(app, argc, argv);
  try {
    return key_command->parsed() ? run_key(key) : run_map(map);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts2021: %s\n", error.what());
    return 1;
  }
}
