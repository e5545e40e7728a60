// SPDX-License-Identifier: BSD-3-Clause
// One check of a control server, and what may come of it.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ts2021::app::conformance {

class Context;

// must: a real client fails otherwise, or somebody is harmed. should: our own taste, or a rare client's.
enum class Level : std::uint8_t { must, should };
enum class Verdict : std::uint8_t { pass, fail, differs, skipped, not_applicable };
[[nodiscard]] std::string_view name(Level level) noexcept;
[[nodiscard]] std::string_view name(Verdict verdict) noexcept;

// What a check can't do without; else it is skipped, and says why.
namespace needs {
inline constexpr unsigned noise = 1;      // a Noise key
inline constexpr unsigned legacy = 2;     // a NaCl key
inline constexpr unsigned websocket = 4;  // the server takes WebSocket upgrades
inline constexpr unsigned node = 8 | 1;   // a node may register
inline constexpr unsigned hostile = 16;   // leave to be loud
inline constexpr unsigned slow = 32;      // leave to wait for a minute
}  // namespace needs

struct Outcome {
  Verdict verdict{};
  std::string sent;  // in words
  std::string got;   // may quote the server: print it with printable()
};
[[nodiscard]] inline Outcome kept(std::string sent, std::string got) {
  return {Verdict::pass, std::move(sent), std::move(got)};
}
// A failure where the level is must, else a difference.
[[nodiscard]] inline Outcome broken(std::string sent, std::string got) {
  return {Verdict::fail, std::move(sent), std::move(got)};
}
[[nodiscard]] inline Outcome differs(std::string sent, std::string got) {
  return {Verdict::differs, std::move(sent), std::move(got)};
}
[[nodiscard]] inline Outcome not_applicable(std::string sent, std::string got) {
  return {Verdict::not_applicable, std::move(sent), std::move(got)};
}
[[nodiscard]] inline Outcome kept_if(bool good, std::string sent, std::string got) {
  return {good ? Verdict::pass : Verdict::fail, std::move(sent), std::move(got)};
}

// The worst of several outcomes, with the evidence of all.
class Worst {
 public:
  explicit Worst(std::string sent) : outcome_{Verdict::pass, std::move(sent), {}} {}
  void add(std::string_view what, const Outcome& one) {
    if (!outcome_.got.empty()) outcome_.got += "; ";
    outcome_.got += std::string(what) + ": " + one.got;
    if (one.verdict == Verdict::fail || outcome_.verdict == Verdict::pass) outcome_.verdict = one.verdict;
  }
  [[nodiscard]] const Outcome& outcome() const noexcept { return outcome_; }

 private:
  Outcome outcome_;
};

// What stands between a check and its question: the check fails with this text.
class Obstacle : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Check {
  std::string_view name;  // unique: "topic.what"
  std::string_view rule;  // of lib/WIRE.md
  Level level;
  unsigned needs;          // bits of needs::
  std::string_view title;  // what a server does that keeps the rule
  std::string_view why;    // what goes wrong otherwise
  Outcome (*run)(Context&);
};

[[nodiscard]] std::span<const Check> key_checks();
[[nodiscard]] std::span<const Check> upgrade_checks();
[[nodiscard]] std::span<const Check> websocket_checks();
[[nodiscard]] std::span<const Check> handshake_checks();
[[nodiscard]] std::span<const Check> record_checks();
[[nodiscard]] std::span<const Check> http2_checks();
[[nodiscard]] std::span<const Check> registration_checks();
[[nodiscard]] std::span<const Check> map_checks();
[[nodiscard]] std::span<const Check> ts2019_checks();
[[nodiscard]] std::span<const Check> hostile_head_checks();
[[nodiscard]] std::span<const Check> hostile_websocket_checks();
[[nodiscard]] std::span<const Check> hostile_handshake_checks();
[[nodiscard]] std::span<const Check> hostile_record_checks();
[[nodiscard]] std::span<const Check> hostile_http2_checks();
[[nodiscard]] std::span<const Check> hostile_message_checks();
[[nodiscard]] std::span<const Check> slow_checks();

}  // namespace ts2021::app::conformance
