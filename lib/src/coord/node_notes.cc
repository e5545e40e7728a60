// SPDX-License-Identifier: BSD-3-Clause
#include "coord/node_notes.h"

#include <algorithm>
#include <utility>

#include "ts2021/msg/endpoint.h"

namespace ts2021::coord {
namespace {

constexpr std::string_view no_such_node = "node not found";
constexpr std::size_t max_detail = 200;
constexpr std::size_t max_txt = 255;  // bytes of one string of a TXT record

// One line for a log, of what a stranger wrote.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, max_detail));
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return out;
}

// Text, number or truth; null stands for removal.
bool is_attribute_value(const RawJson& value) {
  const std::string_view text = value.text();
  return !text.empty() && text.size() <= NodeNotes::max_attribute_size && text.front() != '{' &&
         text.front() != '[';
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= NodeNotes::max_attribute_size &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Plan noted(const coord_input::Ask& ask, const NodeRecord& node, std::string_view what, std::string detail) {
  Plan plan = answered(ask, answer::Done{});
  coord_event::Notice notice = coord::notice(NoticeKind::reported, node, what);
  notice.detail = printable(detail);
  plan.events.push_back(std::move(notice));
  return plan;
}

}  // namespace

const NodeState* NodeNotes::own(const coord_input::Ask& ask, const NodePublic& key) const {
  const NodeState* state = tailnet_.find(key);
  return state && ask.machine && state->record->machine == *ask.machine ? state : nullptr;
}

// API-138
Plan NodeNotes::plan(const coord_input::Ask& ask, const question::SetDns& asked, Now now) {
  const SetDNSRequest& request = *asked.request;
  const NodeState* node = own(ask, request.node_key);
  if (!node) return refused(ask, 404, no_such_node);
  const std::vector<std::string> names = fan_out_.certificate_names(*node->record);
  if (names.empty()) return refused(ask, 501, "this tailnet has no certificates");
  if (request.type != "TXT") return refused(ask, 400, "only TXT records");
  if (request.value.empty() || request.value.size() > max_txt) return refused(ask, 400, "not a TXT value");
  const auto proves = [&](const std::string& name) { return request.name == "_acme-challenge." + name; };
  if (std::none_of(names.begin(), names.end(), proves)) return refused(ask, 403, "not a name of this node");
  const auto stale = [&](const Kept& kept) { return kept.until <= now.mono; };
  std::erase_if(challenges_, stale);
  if (challenges_.size() >= max_challenges) challenges_.pop_front();
  challenges_.push_back({{request.name, request.value}, now.mono + challenge_time});
  return answered(ask, answer::Done{});
}

std::vector<DnsChallenge> NodeNotes::challenges(Now now) const {
  std::vector<DnsChallenge> out;
  for (const Kept& kept : challenges_)
    if (kept.until > now.mono) out.push_back(kept.challenge);
  return out;
}

// API-139
Plan NodeNotes::plan(const coord_input::Ask& ask, const question::SetAttributes& asked) {
  const NodeState* node = own(ask, asked.request->node_key);
  if (!node) return refused(ask, 404, no_such_node);
  NodeRecord record = *node->record;
  for (const auto& [name, value] : asked.request->update) {
    if (value.empty() || value.text() == "null") {
      record.attributes.erase(name);
      continue;
    }
    if (!is_attribute_name(name) || !is_attribute_value(value)) return refused(ask, 400, "not an attribute");
    record.attributes[name] = value;
  }
  if (record.attributes.size() > max_attributes) return refused(ask, 400, "too many attributes");
  Plan plan = answered(ask, answer::Done{});
  if (record.attributes != node->record->attributes)
    plan.writes.push_back(write_of(std::move(record), node->revision));
  return plan;
}

// API-140
Plan NodeNotes::plan(const coord_input::Ask& ask, const question::Audit& asked) {
  const NodeState* node = own(ask, asked.request->node_key);
  if (!node) return refused(ask, 404, no_such_node);
  return noted(ask, *node->record, "audit", asked.request->action + ": " + asked.request->details);
}

Plan NodeNotes::plan(const coord_input::Ask& ask, const question::ReportSsh& asked) {
  const SSHEventNotifyRequest& request = *asked.request;
  const NodeState* node = own(ask, request.node_key);
  if (!node) return refused(ask, 404, no_such_node);
  return noted(ask, *node->record, "SSH recording",
               "event " + std::to_string(request.event_type) + " of node " +
                   std::to_string(static_cast<std::uint64_t>(request.src_node)) + " as " +
                   request.local_user);
}

// API-141
Plan NodeNotes::plan(const coord_input::Ask& ask, const question::QueryFeature& asked) {
  const NodeState* node = own(ask, asked.request->node_key);
  if (!node) return refused(ask, 404, no_such_node);
  const bool served = asked.request->feature == "serve" && config_.dns.certificates;
  return served ? answered(ask, answer::Done{}) : refused(ask, 404, "this server does not offer the feature");
}

}  // namespace ts2021::coord
