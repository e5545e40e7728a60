// SPDX-License-Identifier: BSD-3-Clause
// ts2021 doctor: which hop on the way to a control server breaks, and why.
#include <cstdio>
#include <memory>

#include "ts2021/commands.h"
#include "ts2021/doctor/diagnosis.h"
#include "ts2021/doctor/report.h"
#include "ts2021/doctor/walk.h"

namespace ts2021::app {
namespace {

struct Options {
  WalkOptions walk;
  double keep_alive = 0, max_silence = 120;  // seconds
  bool json = false;
};

int run(Options& options) {
  options.walk.life.keep_alive = std::chrono::duration<double>(options.keep_alive);
  options.walk.life.max_silence = std::chrono::duration<double>(options.max_silence);
  const std::vector<Record> records = walk(options.walk, [&](const Record& record) {
    if (options.json) return;
    std::fputs(line(record).c_str(), stdout);
    std::fflush(stdout);
  });
  const Diagnosis diagnosis = diagnose(records);
  if (options.json)
    std::printf("%s\n", json(options.walk.target.url, diagnosis, records).c_str());
  else
    std::printf("\n%s", lines(diagnosis, records).c_str());
  return diagnosis.ailment.exit_code;
}

}  // namespace

Run add_doctor(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("doctor", "find which hop on the way to a control server breaks, and why");
  command.footer(exit_codes());
  add_target(command, options->walk.target);
  command.add_option("--auth-key", options->walk.life.auth_key,
                     "register an ephemeral node with this key, which is logged out again");
  command.add_flag("--register", options->walk.register_node, "register one also without a key");
  command
      .add_option("--keep-alive", options->keep_alive,
                  "seconds to watch the map stream; more than 120 see whether idle connections stay")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str();
  command
      .add_option("--max-silence", options->max_silence,
                  "seconds of silence on the map stream that are too many: clients wait so long")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  command.add_option("--plain-port", options->walk.plain_port,
                     "for an https URL: where clients try plain HTTP first, if not on 80");
  command.add_option("--tls-port", options->walk.tls_port,
                     "for an http URL: where clients try TLS too; 443 unless the address is private");
  command.add_flag("--json", options->json, "print one JSON document");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
