// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <atomic>
#include <utility>

#include "admin/fault_script.h"
#include "json/hujson.h"
#include "json/locate.h"
#include "json/writer.h"

namespace ts2021::admin {

struct FaultBook::State {
  std::atomic<std::uint64_t> seen{0};
  // The machine of the rule's node; a node key never moves to another one (API-42).
  std::atomic<bool> known{false};
  MachinePublic machine;
};

namespace {

// Whether the nth event that the rule has seen makes it fire.
bool fires(const FaultRule& rule, std::uint64_t seen) noexcept {
  if (seen < rule.nth) return false;
  const std::uint64_t behind = seen - rule.nth, step = std::max<std::uint64_t>(rule.every, 1);
  return behind % step == 0 && (rule.count == 0 || behind / step < rule.count);
}

// How often it has fired by then.
std::uint64_t firings(const FaultRule& rule, std::uint64_t seen) noexcept {
  if (seen < rule.nth) return 0;
  const std::uint64_t number = (seen - rule.nth) / std::max<std::uint64_t>(rule.every, 1) + 1;
  return rule.count == 0 ? number : std::min(number, rule.count);
}

}  // namespace

FaultBook::Parsed FaultBook::parse(std::string_view text) {
  const auto refuse = [text](std::size_t offset, std::string message) {
    const json::Place place = json::place_of(text, offset);
    return Parsed{nullptr, {place.line, place.column, std::move(message)}};
  };
  if (text.size() > max_size) return refuse(0, "the script has more than 1 MiB");
  std::string json(text);
  if (const auto endless = json::blank_extras(json))
    return refuse(*endless, text[*endless] == '"' ? "this text never ends" : "this comment never ends");
  json.append(json::padding, ' ');
  const Bytes bytes = as_bytes(json).first(text.size());
  json::Document document;
  const auto value = document.parse(bytes);
  if (!value)
    return refuse(json::broken_at(bytes),
                  "neither JSON nor a comment nor a trailing comma, or nested too deep");

  json::Refusal refusal;
  std::vector<FaultRule> rules;
  std::vector<Written> written;
  const bool read = json::Item(*value, refusal).elements([&](const json::Item& item) {
    if (rules.size() == max_rules) return item.refuse("more than " + std::to_string(max_rules) + " rules");
    if (!read_rule(item, rules.emplace_back())) return false;
    Written& members = written.emplace_back();
    return item.entries([&members](std::string_view name, const json::Item& member) {
      members.emplace_back(name, json::written(member.value()));
      return true;
    });
  });
  if (!read) return refuse(json::locate(bytes, refusal.path, refusal.of_name), std::move(refusal.message));
  auto book = std::make_shared<FaultBook>(std::move(rules));
  book->written_ = std::move(written);
  return {std::move(book), {}};
}

FaultBook::FaultBook(std::vector<FaultRule> rules)
    : rules_(std::move(rules)), states_(std::make_unique<State[]>(rules_.size())) {}
FaultBook::~FaultBook() = default;

bool FaultBook::is_for(std::size_t rule, const Asked& asked) const noexcept {
  const FaultRule& r = rules_[rule];
  if (r.event != asked.event) return false;
  if (r.event == FaultEvent::outer_answer && r.path != asked.path) return false;
  if (r.event == FaultEvent::connection && r.selects() != asked.machine.has_value()) return false;
  if (r.machine && r.machine != asked.machine) return false;
  if (!r.node) return true;
  if (asked.node) return r.node == asked.node;
  const State& state = states_[rule];
  return asked.machine && state.known.load(std::memory_order_acquire) && state.machine == *asked.machine;
}

const FaultRule* FaultBook::ask(const Asked& asked) const noexcept {
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (is_for(i, asked) && fires(rules_[i], states_[i].seen.fetch_add(1, std::memory_order_relaxed) + 1))
      return &rules_[i];
  return nullptr;
}

void FaultBook::learn(const NodePublic& node, const MachinePublic& machine) const noexcept {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    State& state = states_[i];
    if (rules_[i].node != node || state.known.load(std::memory_order_relaxed)) continue;
    state.machine = machine;
    state.known.store(true, std::memory_order_release);
  }
}

FaultBook::Tally FaultBook::tally(std::size_t rule) const noexcept {
  const std::uint64_t seen = states_[rule].seen.load(std::memory_order_relaxed);
  return {seen, firings(rules_[rule], seen)};
}

std::string FaultBook::json() const {
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (std::size_t i = 0; i < written_.size(); ++i) {
    const Tally t = tally(i);
    writer.begin_object();
    for (const auto& [name, value] : written_[i]) {
      writer.name(name);
      writer.raw(value);
    }
    writer.plain_name("seen");
    writer.integer(t.seen);
    writer.plain_name("fired");
    writer.integer(t.fired);
    writer.end_object();
  }
  writer.end_array();
  writer.flush();
  return out;
}

}  // namespace ts2021::admin
