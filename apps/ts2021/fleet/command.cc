// SPDX-License-Identifier: BSD-3-Clause
// ts2021 fleet: many nodes at once.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "ts2021/commands.h"
#include "ts2021/fleet/report.h"
#include "ts2021/fleet/scenario.h"
#include "ts2021/net/fetch_key.h"
#include "ts2021/net/url.h"

namespace ts2021::app {
namespace {

using namespace fleet;

constexpr int exit_bad = 3, exit_time = 4;
constexpr std::uint64_t spare_files = 256;
constexpr std::uint32_t nodes_per_source = 20'000;

Server find_server(const Options& options) {
  const ControlUrl url = parse_url(options.url);
  if (url.tls) throw std::runtime_error("the fleet speaks http:// only");
  const auto capability = static_cast<Capability>(options.capability);
  Server server;
  server.address = look_up(url.endpoint).front();
  server.host = url.host;
  server.key = fetch_key(url, DialOptions{}, capability).public_key;
  if (server.key.is_zero()) throw std::runtime_error("control server is too old; no Noise key");
  server.speech = {capability, parse_compression(options.compress), options.auth_key};
  const auto& address = reinterpret_cast<const sockaddr_in&>(server.address.storage);
  if (address.sin_family == AF_INET && ntohl(address.sin_addr.s_addr) >> 24 == 127)
    server.sources = std::max(options.sources, options.nodes / nodes_per_source + 1);
  return server;
}

void write_file(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("can't write " + path);
}

void run_scenarios(Fleet& nodes, Report& report, bool quiet) {
  for (const std::string& name : report.options.scenarios) {
    Outcome& result = report.results.emplace_back();
    result.scenario = name;
    nodes.begin(result);
    find_scenario(name)->run(nodes, result);
    if (!quiet) {
      std::fputs(text(result, report).c_str(), stdout);
      std::fflush(stdout);
    }
    if (nodes.over()) {
      report.error = "the time was up in " + name;
      break;
    }
  }
}

int run(Options options) {
  if (options.seed == 0) {
    std::uint8_t bytes[4];
    SystemEntropy().fill(bytes);
    options.seed = load_u32be(bytes);
  }
  for (const std::string& name : options.scenarios)
    if (find_scenario(name) == nullptr) throw std::runtime_error("no such scenario: " + name);
  const auto later = std::find_if_not(options.scenarios.begin(), options.scenarios.end(),
                                      [](const std::string& name) { return find_scenario(name)->first; });
  if (later != options.scenarios.end() && *later != "join") options.scenarios.insert(later, "join");
  const Instant begun = now().mono;
  Report report;
  report.options = options;
  report.file_limit = raise_file_limit(options.nodes + spare_files);
  if (report.file_limit < options.nodes + spare_files)
    throw std::runtime_error("only " + std::to_string(report.file_limit) + " files may be open");
  if (options.server_pid != 0) {
    report.server_baseline = sample_process(options.server_pid);
    if (!report.server_baseline) throw std::runtime_error("there is no process --server-pid");
  }
  Fleet nodes(report.options, find_server(options));
  report.fleet_baseline = sample_process(getpid()).value_or(ProcessSample{});

  const bool quiet = options.json == "-";
  run_scenarios(nodes, report, quiet);
  report.seconds = in_seconds(now().mono - begun);
  report.messages = nodes.cache().messages();
  report.decoded = nodes.cache().decoded();
  report.decoded_whole = nodes.cache().decoded_whole();
  report.folded_nodes = nodes.folds().size();
  report.findings = nodes.folds().findings();
  report.harmful = nodes.folds().harmful();
  report.drops = nodes.drops();
  for (Node& node : nodes.nodes()) nodes.leave(node);
  if (!quiet) std::fputs(summary(report).c_str(), stdout);
  if (!options.json.empty()) write_file(options.json, json(report));
  if (!options.plot.empty()) write_file(options.plot, svg(panels(report)));
  return report.good() ? 0 : !report.error.empty() ? exit_time : exit_bad;
}

std::string footer() {
  std::string out = "Scenarios:\n";
  for (const Scenario& scenario : fleet::scenarios())
    out += "  " + std::string(scenario.name) + std::string(10 - scenario.name.size(), ' ') +
           std::string(scenario.text) + "\n";
  return out +
         "join comes first, named or not; connect and register before it, or alone. Latencies are in "
         "milliseconds, by nearest rank, within 0.4 %.\n"
         "Ends with 0 when everybody heard of everything; with 3 after errors, when something is missing, or "
         "when\n"
         "a folded message would have harmed a client; with 4 when the time was up; with 1 when it could not "
         "run.";
}

}  // namespace

Run add_fleet(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  Options& o = *options;
  CLI::App& command = *program.add_subcommand("fleet", "load a server with many nodes and measure it");
  command.add_option("URL", o.url, "http://host[:port]")->required();
  command.add_option("--nodes", o.nodes, "how many")
      ->check(CLI::Range(1u, fleet::max_nodes))
      ->capture_default_str();
  command.add_option("--scenario", o.scenarios, "what they do, in this order, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--auth-key", o.auth_key, "key that lets nodes join, again and again");
  command.add_option("--in-flight", o.in_flight, "join: so many at a time")->capture_default_str();
  command.add_option("--rate", o.rate, "a second: joins (0: no limit), changes of churn and roam (0: 10)")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--hold", o.hold, "seconds of idle, churn and roam")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--rounds", o.rounds, "of fan-out")->capture_default_str();
  command.add_option("--samples", o.samples, "of full-map")->capture_default_str();
  command.add_option("--part", o.part, "of the nodes, that churn")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--absence", o.absence, "seconds that who churns stays away")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--settle", o.settle, "seconds without news that count as quiet")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--patience", o.patience,
                  "seconds for one operation, or until the last has heard of a change")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--timeout", o.timeout, "seconds of the whole run")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--fold", o.fold, "so many nodes read every message as a real client does")
      ->capture_default_str();
  command.add_option("--capability", o.capability, "version to be")
      ->check(CLI::Range(28, 65535))
      ->capture_default_str();
  command.add_option("--compress", o.compress, "zstd or none")
      ->check(CLI::IsMember({"zstd", "none"}))
      ->capture_default_str();
  command.add_flag("--omit-peers", o.omit_peers,
                   "storm: ask for streams without peers; a server may ignore that");
  command.add_flag("--apart", o.apart,
                   "the server's policy shows nobody to anybody: nothing is waited for, who is listed is "
                   "surplus");
  command.add_option("--seed", o.seed, "of the keys; 0: others every time")->capture_default_str();
  command
      .add_option("--sources", o.sources, "addresses 127.0.0.x to spread over, to a server of the loopback")
      ->check(CLI::Range(1, 254))
      ->capture_default_str();
  command.add_option("--server-pid", o.server_pid, "process whose memory and CPU time are looked at");
  command.add_option("--json", o.json,
                     "write the report there; - is standard output, and nothing else is then");
  command.add_option("--plot", o.plot, "draw the latencies, as SVG");
  command.add_flag("--progress", o.progress, "one line a second on standard error, also without a terminal");
  command.footer(footer());
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
