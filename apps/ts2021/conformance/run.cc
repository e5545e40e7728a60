// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/run.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ts2021::app::conformance {
namespace {

// Why the check can't be run; nothing: it can.
std::optional<std::string> obstacle(Context& context, const Check& check) {
  const auto wants = [&](unsigned bit) { return (check.needs & bit) == bit; };
  if (wants(needs::hostile) && !context.plan().hostile) return "it is loud: --hostile";
  if (wants(needs::slow) && !context.plan().slow) return "it takes a minute: --slow";
  try {
    if (wants(needs::noise) && context.keys().public_key.is_zero()) return "the server has no Noise key";
    if (wants(needs::legacy) && context.box_key().is_zero()) return "the server has no NaCl key";
    if (wants(needs::websocket) && !context.takes_websocket())
      return "the server does not upgrade to WebSocket";
    if (wants(needs::node)) (void)context.node();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return std::nullopt;
}

Outcome run(Context& context, const Check& check) {
  try {
    return check.run(context);
  } catch (const std::runtime_error& error) {
    return broken({}, error.what());
  }
}

}  // namespace

std::string_view name(Level level) noexcept { return level == Level::must ? "must" : "should"; }

std::string_view name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "FAIL";
    case Verdict::differs:
      return "differs";
    case Verdict::skipped:
      return "skipped";
    case Verdict::not_applicable:
      return "n/a";
  }
  return {};
}

std::vector<Check> all_checks() {
  std::vector<Check> all;
  for (const auto& some :
       {key_checks(), upgrade_checks(), websocket_checks(), handshake_checks(), record_checks(),
        http2_checks(), registration_checks(), map_checks(), ts2019_checks(), hostile_head_checks(),
        hostile_websocket_checks(), hostile_handshake_checks(), hostile_record_checks(),
        hostile_http2_checks(), hostile_message_checks(), slow_checks()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

bool matches(std::string_view glob, std::string_view text) noexcept {
  const std::size_t star = glob.find('*');
  if (star == std::string_view::npos) return glob == text;
  if (!text.starts_with(glob.substr(0, star))) return false;
  for (std::size_t at = star; at <= text.size(); ++at)
    if (matches(glob.substr(star + 1), text.substr(at))) return true;
  return false;
}

std::size_t Grades::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::ranges::count(all, verdict, [](const Graded& one) { return one.outcome.verdict; }));
}

Grades grade(Context& context, std::span<const Check> checks,
             const std::function<void(const Graded&)>& tell) {
  Grades grades;
  // Where nobody gets in from the start, each check says so for itself.
  const bool lived = context.life().gone.empty();
  for (const Check& check : checks) {
    Graded graded{check, {}, {}};
    const Instant begun = now().mono;
    if (auto why = obstacle(context, check))
      graded.outcome = {Verdict::skipped, {}, *std::move(why)};
    else
      graded.outcome = run(context, check);
    Outcome& outcome = graded.outcome;
    const bool ran = outcome.verdict != Verdict::skipped;
    if (outcome.verdict == Verdict::fail && check.level == Level::should) outcome.verdict = Verdict::differs;
    if (lived && ran && ((check.needs & needs::hostile) != 0 || outcome.verdict == Verdict::fail)) {
      const Life life = context.life();
      if (life.restarted || !life.gone.empty()) {
        outcome.verdict = Verdict::fail;
        outcome.got += life.gone.empty() ? "; the server fell over, and was started again"
                                         : "; afterwards no good handshake: " + life.gone;
      }
      grades.dead = life.gone;
    }
    graded.took = std::chrono::duration_cast<std::chrono::milliseconds>(now().mono - begun);
    tell(graded);
    grades.all.push_back(std::move(graded));
    if (!grades.dead.empty()) break;
  }
  grades.left = context.log_out();
  return grades;
}

}  // namespace ts2021::app::conformance
