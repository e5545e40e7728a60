// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "common/json_text.h"

namespace ts2021::app::fleet {
namespace {

[[gnu::format(printf, 2, 3)]] void print(std::string& out, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  out += line;
}

double kib_each(std::uint64_t now, std::uint64_t before, std::uint64_t nodes) {
  return nodes == 0 ? 0
                    : (static_cast<double>(now) - static_cast<double>(before)) / static_cast<double>(nodes);
}

// Resident memory per node that is there, of the server and of the fleet: heaps and stacks, without pages of
// programs, which are read in at their first use. What was there at first is not counted.
struct Memory {
  double server_kib = 0, fleet_kib = 0;
};
Memory memory_each(const Outcome& result, const Report& report) {
  Memory out;
  if (result.server_after && report.server_baseline)
    out.server_kib = kib_each(result.server_after->anon_kib, report.server_baseline->anon_kib, result.nodes);
  out.fleet_kib = kib_each(result.fleet_after.anon_kib, report.fleet_baseline.anon_kib, result.nodes);
  return out;
}

double per_operation_us(double seconds, std::uint64_t operations) {
  return operations == 0 ? 0 : seconds * 1e6 / static_cast<double>(operations);
}

void print_histogram(std::string& out, const std::string& name, const Histogram& of, double unit,
                     const char* unit_name) {
  if (of.count() == 0) return;
  const auto at = [&](double percent) { return static_cast<double>(of.percentile(percent)) / unit; };
  print(out, "  %-15s %-5s %9llu  min %.6g  p50 %.6g  p90 %.6g  p99 %.6g  max %.6g\n", name.c_str(),
        unit_name, static_cast<unsigned long long>(of.count()), static_cast<double>(of.min()) / unit, at(50),
        at(90), at(99), static_cast<double>(of.max()) / unit);
}

void write_histogram(JsonText& json, const Histogram& of, double unit) {
  const auto at = [&](double percent) { return static_cast<double>(of.percentile(percent)) / unit; };
  json.begin_object().member("count", of.count());
  json.member("min", static_cast<double>(of.min()) / unit).member("mean", of.mean() / unit);
  json.member("p50", at(50)).member("p90", at(90)).member("p99", at(99));
  json.member("max", static_cast<double>(of.max()) / unit).end_object();
}

void write_histograms(JsonText& json, const char* name, const std::map<std::string, Histogram>& all,
                      double unit) {
  json.name(name).begin_object();
  for (const auto& [of, histogram] : all)
    if (histogram.count() != 0) write_histogram(json.name(of), histogram, unit);
  json.end_object();
}

void write_counts(JsonText& json, const char* name, const std::map<std::string, std::uint64_t>& counts) {
  json.name(name).begin_object();
  for (const auto& [text, count] : counts) json.member(text, count);
  json.end_object();
}

void write_process(JsonText& json, const char* name, const ProcessSample& sample) {
  json.name(name).begin_object().member("rss_kib", sample.rss_kib).member("anon_kib", sample.anon_kib);
  json.member("peak_kib", sample.peak_kib).member("threads", sample.threads).member("cpu_s", sample.cpu_s);
  json.end_object();
}

void write_round(JsonText& json, const Round& round) {
  json.begin_object().member("peers_reached", round.reached).member("missing", round.missing);
  json.member("post_ms", round.post_ms);
  write_histogram(json.name("delta_ms"), round.delta, 1000);
  write_histogram(json.name("frame_bytes"), round.frame_bytes, 1);
  write_histogram(json.name("tcp_bytes"), round.tcp_bytes, 1);
  json.member("server_cpu_s", round.server_cpu_s).member("seconds_to_settle", round.seconds).end_object();
}

void write_result(JsonText& json, const Outcome& result, const Report& report) {
  json.begin_object()
      .member("scenario", result.scenario)
      .member("n", result.nodes)
      .member("done", result.done);
  json.member("errors", result.error_count()).member("missing", result.missing);
  json.member("surplus", result.surplus).member("mismatch", result.mismatch);
  json.member("timed_out", result.timed_out).member("good", result.good()).member("seconds", result.seconds);
  if (result.seconds > 0) json.member("per_second", static_cast<double>(result.done) / result.seconds);
  write_counts(json, "error_messages", result.errors);
  write_histograms(json, "ms", result.ms, 1000);
  write_histograms(json, "bytes", result.bytes, 1);
  json.name("values").begin_object();
  for (const auto& [name, value] : result.values) json.member(name, value);
  if (!result.rounds.empty()) {
    json.name("rounds").begin_array();
    for (const Round& round : result.rounds) write_round(json, round);
    json.end_array();
  }
  json.end_object();
  json.name("missing_examples").begin_array();
  for (const std::string& example : result.examples) json.value(example);
  json.end_array();
  if (result.server_before && result.server_after) {
    write_process(json, "server_before", *result.server_before);
    write_process(json, "server_after", *result.server_after);
    json.member("server_cpu_s", result.server_cpu_s());
    json.member("server_cpu_us_per_op", per_operation_us(result.server_cpu_s(), result.done));
    json.name("server_cpu_s_by_thread").begin_array();
    for (const double seconds : result.server_cpu_s_by_thread()) json.value(seconds);
    json.end_array();
    json.member("server_anon_kib_each", memory_each(result, report).server_kib);
  }
  json.member("client_cpu_s", result.fleet_cpu_s());
  json.member("client_cpu_us_per_op", per_operation_us(result.fleet_cpu_s(), result.done));
  json.member("client_anon_kib_each", memory_each(result, report).fleet_kib).end_object();
}

void write_config(JsonText& json, const Report& report) {
  const Options& options = report.options;
  json.name("config").begin_object().member("url", options.url).member("n", options.nodes);
  json.name("scenarios").begin_array();
  for (const auto& name : options.scenarios) json.value(name);
  json.end_array().member("c", options.in_flight).member("rate", options.rate).member("hold", options.hold);
  json.member("part", options.part).member("rounds", options.rounds).member("samples", options.samples);
  json.member("fold", options.fold).member("capver", options.capability).member("compress", options.compress);
  json.member("apart", options.apart).member("omit_peers", options.omit_peers).member("seed", options.seed);
  json.member("src_addrs", options.sources).member("server_pid", options.server_pid).end_object();
}

const char* name(Harm harm) { return harm == Harm::none ? "none" : harm == Harm::part ? "part" : "stream"; }

}  // namespace

bool Report::good() const {
  return error.empty() && harmful == 0 &&
         std::all_of(results.begin(), results.end(), [](const Outcome& result) { return result.good(); });
}

std::string text(const Outcome& result, const Report& report) {
  std::string out;
  print(out, "%s: %llu done in %.3g s", result.scenario.c_str(), static_cast<unsigned long long>(result.done),
        result.seconds);
  if (result.seconds > 0) print(out, ", %.4g/s", static_cast<double>(result.done) / result.seconds);
  print(out, "; errors %llu, missing %llu", static_cast<unsigned long long>(result.error_count()),
        static_cast<unsigned long long>(result.missing));
  if (result.surplus != 0) print(out, ", surplus %llu", static_cast<unsigned long long>(result.surplus));
  if (result.mismatch != 0) print(out, ", mismatch %llu", static_cast<unsigned long long>(result.mismatch));
  out += result.timed_out ? ", out of time\n" : "\n";
  const Memory memory = memory_each(result, report);
  if (result.server_after)
    print(out, "  server          CPU %.3f s, %.4g us each; %llu MiB resident, %.4g KiB a node\n",
          result.server_cpu_s(), per_operation_us(result.server_cpu_s(), result.done),
          static_cast<unsigned long long>(result.server_after->rss_kib / 1024), memory.server_kib);
  print(out, "  fleet           CPU %.3f s, %.4g us each; %llu MiB resident, %.4g KiB a node\n",
        result.fleet_cpu_s(), per_operation_us(result.fleet_cpu_s(), result.done),
        static_cast<unsigned long long>(result.fleet_after.rss_kib / 1024), memory.fleet_kib);
  for (const auto& [name, histogram] : result.ms) print_histogram(out, name, histogram, 1000, "ms");
  for (const auto& [name, histogram] : result.bytes) print_histogram(out, name, histogram, 1, "bytes");
  for (const auto& [name, value] : result.values) print(out, "  %s %.6g\n", name.c_str(), value);
  for (const auto& [why, count] : result.errors)
    print(out, "  error x%llu: %s\n", static_cast<unsigned long long>(count), why.c_str());
  for (const std::string& example : result.examples) print(out, "  missing: %s\n", example.c_str());
  return out;
}

std::string summary(const Report& report) {
  std::string out;
  print(out, "messages: %llu came, %llu decoded in outline; %zu nodes folded %llu messages whole\n",
        static_cast<unsigned long long>(report.messages), static_cast<unsigned long long>(report.decoded),
        report.folded_nodes, static_cast<unsigned long long>(report.decoded_whole));
  for (const auto& [what, found] : report.findings)
    print(out, "finding x%llu: %s: %s (harm: %s)\n", static_cast<unsigned long long>(found.count),
          what.first.c_str(), what.second.c_str(), name(found.harm));
  for (const auto& [why, count] : report.drops)
    print(out, "streams ended by the server x%llu: %s\n", static_cast<unsigned long long>(count),
          why.c_str());
  if (!report.error.empty()) out += "ended early: " + report.error + "\n";
  return out;
}

std::string json(const Report& report) {
  JsonText json;
  json.begin_object().member("tool", "ts2021 fleet " TS2021_VERSION).member("good", report.good());
  json.member("seconds", report.seconds);
  write_config(json, report);
  json.member("nofile", report.file_limit);
  if (report.server_baseline) write_process(json, "server_baseline", *report.server_baseline);
  write_process(json, "client_baseline", report.fleet_baseline);
  json.name("results").begin_array();
  for (const Outcome& result : report.results) write_result(json, result, report);
  json.end_array();
  json.name("messages").begin_object().member("received", report.messages).member("decoded", report.decoded);
  json.end_object();
  json.name("fold").begin_object().member("nodes", report.folded_nodes);
  json.member("messages", report.decoded_whole)
      .member("harmful", report.harmful)
      .name("findings")
      .begin_array();
  for (const auto& [what, found] : report.findings) {
    json.begin_object().member("rule", what.first).member("text", what.second);
    json.member("harm", name(found.harm)).member("count", found.count).end_object();
  }
  json.end_array().end_object();
  std::uint64_t drops = 0;
  for (const auto& [why, count] : report.drops) drops += count;
  json.member("streams_dropped_by_server", drops);
  write_counts(json, "streams_dropped_messages", report.drops);
  if (!report.error.empty()) json.member("error", report.error);
  json.end_object();
  return json.text() + "\n";
}

std::vector<Panel> panels(const Report& report) {
  std::vector<Panel> out;
  for (const Outcome& result : report.results) {
    Panel panel;
    panel.title = result.scenario + ", " + std::to_string(result.nodes) + " nodes";
    for (const auto& [name, histogram] : result.ms)
      if (histogram.count() != 0) panel.lines.push_back({name, histogram.curve()});
    if (!panel.lines.empty()) out.push_back(std::move(panel));
  }
  return out;
}

}  // namespace ts2021::app::fleet
