// SPDX-License-Identifier: BSD-3-Clause
// ts2021 c2n: a node that answers what its server asks it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "common/json_text.h"
#include "ts2021/commands.h"
#include "ts2021/commands/streaming.h"

namespace ts2021::app {
namespace {

struct Options {
  StreamingOptions streaming;
  std::vector<std::string> respond;
  std::size_t requests = 0;  // end after so many; 0: no such end
  bool json = false;
};

void print(const PingReply& reply, const std::string& outcome, bool json) {
  if (json) {
    JsonText text;
    text.begin_object().member("asked", reply.asked).member("to", reply.path);
    if (reply.status != 0) text.member("status", reply.status);
    text.member("outcome", outcome).end_object();
    std::printf("%s\n", text.text().c_str());
  } else {
    std::printf("%s -> %s%s\n", reply.asked.c_str(),
                reply.status == 0 ? "" : ("status " + std::to_string(reply.status) + ", ").c_str(),
                outcome.c_str());
  }
  std::fflush(stdout);
}

int run(const Options& options) {
  C2nAnswers answers;
  for (const std::string& rule : options.respond) answers.respond(rule);
  std::size_t requests = 0;
  StreamingHandler handler;
  handler.answers = &answers;
  const auto enough = [&] { return options.requests != 0 && requests >= options.requests; };
  handler.on_map = [&](node_event::MapUpdate&&) { return !enough(); };
  handler.on_registered = [&](const node_event::Registered&) {
    if (!options.json) std::printf("registered\n");
    std::fflush(stdout);
  };
  handler.on_ping = [&](const PingReply& reply, const std::string& outcome) {
    print(reply, outcome, options.json);
    ++requests;
  };
  handler.done = enough;
  return run_streaming(options.streaming, handler);
}

}  // namespace

Run add_c2n(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("c2n", "be a node that answers its server's requests, and show each (TS2021)");
  add_streaming(command, options->streaming);
  command
      .add_option("--respond", options->respond,
                  "/PATH=FILE: answer 200 with the file; /echo answers what it was sent, other paths get 400")
      ->allow_extra_args(false);
  command.add_option("--requests", options->requests, "end with success after so many");
  command.add_flag("--json", options->json, "print an object a line");
  command.footer(streaming_exit_codes);
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
