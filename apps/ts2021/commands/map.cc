// SPDX-License-Identifier: BSD-3-Clause
// ts2021 map: registers a node and shows its map as it changes.
#include <cstdio>
#include <memory>

#include "common/printable.h"
#include "ts2021/commands.h"
#include "ts2021/commands/map_printer.h"
#include "ts2021/commands/streaming.h"

namespace ts2021::app {
namespace {

struct Options {
  StreamingOptions streaming;
  std::size_t peers = 0;     // end as soon as this many peers are in the map; 0: no such end
  std::size_t messages = 0;  // likewise, messages
  bool raw = false, json = false, lite = false, answer_c2n = false;
  std::string netmap;
};

int run(Options& options) {
  if (options.lite) options.streaming.fetch = options.streaming.omit_peers = true;
  const MapForm form = options.raw              ? MapForm::raw
                       : options.json           ? MapForm::json
                       : options.netmap.empty() ? MapForm::readable
                                                : MapForm::none;
  MapPrinter printer(options.streaming.node.version(), form,
                     options.netmap.empty()    ? ShowNetmap::never
                     : options.netmap == "end" ? ShowNetmap::at_end
                                               : ShowNetmap::each);
  const C2nAnswers answers;
  StreamingHandler handler;
  std::size_t messages = 0;
  handler.on_map = [&](node_event::MapUpdate&& update) {
    const bool keep_alive = update.response.keep_alive;
    printer.show(std::move(update));
    if (!keep_alive) ++messages;
    if (options.messages != 0 && messages >= options.messages) return false;
    return options.peers == 0 || printer.netmap().peers.size() < options.peers;
  };
  if (form == MapForm::readable)
    handler.on_registered = [](const node_event::Registered& registered) {
      std::printf("registered as %s\n", printable(registered.response.login.login_name).c_str());
    };
  if (options.answer_c2n) handler.answers = &answers;
  handler.on_ping = [&](const PingReply& reply, const std::string& outcome) {
    std::fprintf(stderr, "%s: %s\n", reply.asked.c_str(), outcome.c_str());
  };
  const int code = run_streaming(options.streaming, handler);
  printer.end();
  return code;
}

}  // namespace

Run add_map(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *program.add_subcommand("map", "register a node and show its map as it changes");
  add_streaming(command, options->streaming);
  command.add_option("--peers", options->peers, "end with success once so many peers are in the map");
  command.add_option("--messages", options->messages, "end with success after so many messages");
  command.add_flag("--fetch", options->streaming.fetch, "ask for one message, not for a stream");
  command.add_flag("--lite", options->lite,
                   "only tell where the node is: one message without peers, or none");
  command.add_flag("--omit-peers", options->streaming.omit_peers, "say that peers may be left out");
  command.add_flag("--read-only", options->streaming.read_only, "ask without changing anything");
  command.add_flag("--answer-c2n", options->answer_c2n, "answer pings and c2n requests, as `c2n` does");
  CLI::Option* const raw =
      command.add_flag("--raw", options->raw, "print each message as it came, one a line");
  CLI::Option* const json = command.add_flag(
      "--json", options->json, "print an object a line: kind, sizes packed and unpacked, findings, message");
  command
      .add_option("--netmap", options->netmap,
                  "print what all messages add up to, as JSON: at the end, or after each")
      ->check(CLI::IsMember({"end", "each"}));
  raw->excludes(json);
  command.footer(streaming_exit_codes);
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
