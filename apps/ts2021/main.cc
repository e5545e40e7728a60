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

  ReplayOptions replay;
  CLI::App* replay_command =
      app.add_subcommand("replay", "play a capture of ts2021d again, either side of it");
  replay_command->add_option("FILE", replay.capture, "what ts2021d --capture has written")
      ->required()
      ->check(CLI::ExistingFile);
  auto* url = replay_command->add_option(
      "URL", replay.url, "play the client's side to this server, with fresh keys, and compare its answers");
  replay_command
      ->add_option("--listen", replay.listen,
                   "play the server's side at this address:port to whoever comes; port 0 takes a free one")
      ->excludes(url);
  replay_command->add_option("--auth-key", replay.auth_key, "key in the place of the recorded ones");
  replay_command->add_option("--session", replay.session, "only the connection of this number");
  replay_command->add_option("--patience", replay.patience, "seconds that an answer may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  replay_command->add_flag("--timed", replay.timed, "keep to the recorded times");
  replay_command->add_flag("--once", replay.once,
                           "with --listen: end once all that was recorded has been asked");
  replay_command->add_flag("--json", replay.json, "print one object a line");
  replay_command->footer("Ends with 0 when every answer is of the recorded kind, with 3 when one differs.");

  CorpusOptions corpus;
  CLI::App* corpus_command =
      app.add_subcommand("capture-to-corpus", "make seeds for the fuzz targets from a capture");
  corpus_command->add_option("FILE", corpus.capture, "what ts2021d --capture has written")
      ->required()
      ->check(CLI::ExistingFile);
  corpus_command->add_option("DIR", corpus.directory, "gets a directory for each target")->required();
  corpus_command->add_option("--max-size", corpus.max_size, "bytes of a seed; larger ones are left out")
      ->capture_default_str();

  CLI11_PARSE(app, argc, argv);
  try {
    if (replay_command->parsed()) return run_replay(replay);
    if (corpus_command->parsed()) return run_corpus(corpus);
    return key_command->parsed() ? run_key(key) : run_map(map);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts2021: %s\n", error.what());
    return 1;
  }
}
