// SPDX-License-Identifier: BSD-3-Clause
// ts2021 conformance: grades a control server.
#include <array>
#include <cstdio>
#include <memory>

#include "common/json_text.h"
#include "ts2021/commands.h"
#include "ts2021/conformance/run.h"
#include "ts2021/net/target.h"

namespace ts2021::app {
namespace {

using namespace conformance;

constexpr int exit_failed = 3, exit_gone = 2;
constexpr std::size_t max_evidence = 700;

struct Options {
  Target target;
  std::string auth_key;
  std::vector<std::string> rules;
  double rate = 0;
  bool hostile = false, no_hostile = false, slow = false, json = false, list = false, quiet = false;
};

std::vector<Check> chosen(const Options& options) {
  std::vector<Check> all = all_checks();
  if (!options.rules.empty())
    std::erase_if(all, [&](const Check& check) {
      for (const std::string& glob : options.rules)
        if (matches(glob, check.rule) || matches(glob, check.name)) return false;
      return true;
    });
  return all;
}

void put_check(JsonText& json, const Check& check) {
  json.member("check", check.name).member("rule", check.rule).member("level", name(check.level));
  json.member("title", check.title).member("why", check.why);
  json.member("hostile", (check.needs & needs::hostile) != 0)
      .member("slow", (check.needs & needs::slow) != 0);
}

int list(const Options& options, std::span<const Check> checks) {
  if (options.json) {
    JsonText json;
    json.begin_array();
    for (const Check& check : checks) {
      json.begin_object();
      put_check(json, check);
      json.end_object();
    }
    std::printf("%s\n", json.end_array().text().c_str());
    return 0;
  }
  for (const Check& check : checks)
    std::printf("%-8s %-24s %-6s %s: %s\n", std::string(check.rule).c_str(), std::string(check.name).c_str(),
                std::string(name(check.level)).c_str(), std::string(check.title).c_str(),
                std::string(check.why).c_str());
  std::printf("%zu checks\n", checks.size());
  return 0;
}

void print(const Options& options, const Graded& graded) {
  const Verdict verdict = graded.outcome.verdict;
  if (options.quiet && (verdict == Verdict::pass || verdict == Verdict::not_applicable)) return;
  std::printf("%-8s %-8s %-24s %s\n", std::string(name(verdict)).c_str(),
              std::string(graded.check.rule).c_str(), std::string(graded.check.name).c_str(),
              std::string(graded.check.title).c_str());
  if (!graded.outcome.sent.empty())
    std::printf("           sent: %s\n", printable(graded.outcome.sent, max_evidence).c_str());
  std::printf("           got:  %s\n", printable(graded.outcome.got, max_evidence).c_str());
  if (verdict == Verdict::fail || verdict == Verdict::differs)
    std::printf("           why:  %s\n", std::string(graded.check.why).c_str());
  std::fflush(stdout);
}

constexpr std::array verdicts{Verdict::pass, Verdict::fail, Verdict::differs, Verdict::skipped,
                              Verdict::not_applicable};

void print_json(const Options& options, const Context& context, const Grades& grades) {
  JsonText json;
  json.begin_object().member("server", options.target.url);
  json.member("capability", options.target.capability).name("checks").begin_array();
  for (const Graded& graded : grades.all) {
    json.begin_object();
    put_check(json, graded.check);
    json.member("verdict", name(graded.outcome.verdict));
    json.member("sent", printable(graded.outcome.sent, max_evidence));
    json.member("got", printable(graded.outcome.got, max_evidence));
    json.member("milliseconds", graded.took.count()).end_object();
  }
  json.end_array().name("summary").begin_object();
  for (const Verdict verdict : verdicts) json.member(name(verdict), grades.count(verdict));
  json.end_object().member("requests", context.paced());
  json.member("bytes_sent", context.traffic().sent).member("bytes_received", context.traffic().received);
  json.member("gone", grades.dead).name("left").begin_array();
  for (const std::string& node : grades.left) json.value(node);
  json.end_array().end_object();
  std::printf("%s\n", json.text().c_str());
}

int run(const Options& options) {
  const std::vector<Check> checks = chosen(options);
  if (checks.empty()) throw std::runtime_error("no check has such a rule or name");
  if (options.list) return list(options, checks);
  Plan plan;
  plan.url = options.target.control();
  plan.dial = options.target.dialing();
  plan.version = options.target.version();
  plan.auth_key = options.auth_key;
  bool loopback = false;
  try {
    DialReport unread;
    loopback = is_loopback(connect_first(plan.url.endpoint, plan.dial, unread));
  } catch (const DialError& error) {
    std::fprintf(stderr, "ts2021: %s: %s\n", name(error.step()), error.what());
    return exit_gone;
  }
  plan.hostile = options.hostile || (loopback && !options.no_hostile);
  plan.rate = options.rate > 0 ? options.rate : loopback ? 500 : 10;
  plan.slow = options.slow;
  Context context(std::move(plan));
  const Grades grades = grade(context, checks, [&](const Graded& graded) {
    if (!options.json) print(options, graded);
  });
  if (options.json) {
    print_json(options, context, grades);
  } else {
    std::printf("%zu checks:", grades.all.size());
    for (const Verdict verdict : verdicts)
      std::printf(" %zu %s", grades.count(verdict), std::string(name(verdict)).c_str());
    std::printf("; %llu connections and requests\n", static_cast<unsigned long long>(context.paced()));
    for (const std::string& node : grades.left) std::printf("could not be logged out: %s\n", node.c_str());
  }
  if (!grades.dead.empty()) {
    std::fprintf(stderr, "ts2021: the server is gone: %s\n", printable(grades.dead, 200).c_str());
    return exit_gone;
  }
  return grades.count(Verdict::fail) == 0 ? 0 : exit_failed;
}

}  // namespace

Run add_conformance(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("conformance", "grade a control server by what it does, rule by rule");
  add_target(command, options->target);
  command.add_option("--auth-key", options->auth_key,
                     "key that lets nodes join; they are ephemeral, and log out at the end");
  command.add_option("--rule", options->rules,
                     "only checks of this rule or name, such as REC-* or map.*; may be repeated");
  command
      .add_option("--rate", options->rate,
                  "connections and requests a second at most; else 500 on loopback, 10 elsewhere")
      ->check(CLI::Range(0.01, 1e6));
  const CLI::Option* const hostile = command.add_flag(
      "--hostile", options->hostile, "input that is loud; without this flag on loopback only");
  command.add_flag("--no-hostile", options->no_hostile, "on loopback neither")->excludes(hostile->get_name());
  command.add_flag("--slow", options->slow, "also what takes a minute to see");
  command.add_flag("--quiet", options->quiet, "leave out what passes");
  command.add_flag("--list", options->list, "show the checks, and ask the server nothing");
  command.add_flag("--json", options->json, "print one JSON document at the end");
  command.footer(
      "Exit codes: 0 no check fails, 3 some fail, 2 the server can't be reached or is gone, 1 else.\n"
      "A check of level `must` fails where real clients would, or where somebody would be harmed; one of\n"
      "level `should` only differs.");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
